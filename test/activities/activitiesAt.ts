import { pino } from 'pino';
import type { Deps } from '../../activities/deps.ts';
import { linkActivities } from '../../activities/link/index.ts';
import { realTime } from '../../activities/realTime.ts';
import type { Connector } from '../../connectors/connector.ts';
import { DEFAULT_INSTALLATION, installationNamed } from '../../flows/installation.ts';
import type { Flow } from '../../flows/flow.ts';
import type { Store } from '../../store/store.ts';
import type { LinkActivities } from '../../workflows/contract.ts';
import { attemptOf } from '../support/attempt.ts';

/**
 * A link's activities at their so many-th attempt, with one connector for both systems; pauses of feeds are none of it.
 * `wasAsleep`: whether the worker slept meanwhile.
 */
export function activitiesAt(
  number: number,
  {
    flows,
    store,
    crm,
    wasAsleep = () => false,
  }: {
    readonly flows: readonly Flow[];
    readonly store: Partial<Store>;
    readonly crm: Partial<Connector>;
    readonly wasAsleep?: () => boolean;
  },
): LinkActivities {
  return linkActivities({
    flows,
    installation: installationNamed(DEFAULT_INSTALLATION),
    connectors: { crm, powerOffice: { ...crm, name: 'powerOffice' } },
    store,
    links: { signalRetry: () => Promise.resolve(true) },
    time: realTime,
    runAttempt: (work: Parameters<Deps['runAttempt']>[0]) => work(attemptOf({ number, scheduledAt: Date.now(), wasAsleep })),
    log: pino({ level: 'silent' }),
    stopping: new AbortController().signal,
  } as unknown as Deps);
}
