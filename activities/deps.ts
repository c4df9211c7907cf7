import type { Logger } from 'pino';
import type { Flow, SystemName } from '../flows/flow.ts';
import type { Installation } from '../flows/installation.ts';
import type { Allowance } from '../flows/plan.ts';
import type { Messenger, Meter, RunAttempt, Time } from './ports.ts';
import type { LinkStore } from '../store/store.ts';
import type { Connector } from '../connectors/connector.ts';

/** Everything the activities touch the world with; handed over once, by the worker. */
export interface Deps {
  readonly installation: Installation;
  readonly flows: readonly Flow[];
  readonly connectors: Readonly<Record<SystemName, Connector>>;
  readonly store: LinkStore;
  readonly links: Messenger;
  readonly time: Time;
  readonly runAttempt: RunAttempt;
  readonly log: Logger;
  /** Counts what is worth a metric; nobody need be interested. */
  readonly meter?: Meter;
  /** Where a start keeps to a plan: nothing else is created, linked or written. */
  readonly allowance?: Allowance;
  /** Pause between two looks at a type's feed (s). */
  readonly pollSeconds: (system: SystemName, type: string) => number;
  /** Systems that send webhooks: their feeds look as soon as somebody asks. */
  readonly lookWhenAsked: readonly string[];
  readonly sweepHours: number;
  /** The same for a type of which flows use properties whose edits move no stamp. */
  readonly unstampedHours: number;
  readonly deletionHours: number;
  /** Aborts when the worker was asked to stop: watchers hand over at once, writes finish. */
  readonly stopping: AbortSignal;
}
