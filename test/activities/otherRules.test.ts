import assert from 'node:assert/strict';
import { pino } from 'pino';
import { linkActivities } from '../../activities/link/index.ts';
import { rulesOf } from '../../activities/observation.ts';
import { realTime } from '../../activities/realTime.ts';
import type { Deps } from '../../activities/deps.ts';
import type { Connector } from '../../connectors/connector.ts';
import { DEFAULT_INSTALLATION, installationNamed } from '../../flows/installation.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { SMALL_FLOW } from '../support/flow.ts';

describe('a worker whose flow is another than the link knows', () => {
  const record = { id: '7', version: '002', instant: '2026-01-01T00:00:01Z', fields: {}, at: [0, 0] as const };
  const connector = { lagMs: 0, read: () => Promise.resolve(record) } as unknown as Connector;
  const activities = linkActivities({
    flows: [SMALL_FLOW],
    installation: installationNamed(DEFAULT_INSTALLATION),
    connectors: { crm: { ...connector, name: 'crm' }, powerOffice: { ...connector, name: 'powerOffice' } },
    store: { limits: { paused: () => Promise.resolve([]) } },
    time: realTime,
    runAttempt: (work: Parameters<Deps['runAttempt']>[0]) =>
      work({ number: 1, scheduledAt: Date.now(), signal: new AbortController().signal }),
    log: pino({ level: 'silent' }),
    stopping: new AbortController().signal,
  } as unknown as Deps);

  it('hands over its rules with what it read by them; the same rules stay at home', async () => {
    const link = { ...newRecord({ flow: 'f', rules: { hash: 'another' }, sourceId: '1', seen: null, now: 0 }), targetId: '7' };
    const rules = rulesOf(SMALL_FLOW);
    const outcome = await activities.readRecords({ link, sides: ['target'] });
    assert.deepEqual([outcome.kind, outcome.rules], ['read', rules]);
    const same = await activities.readRecords({ link: { ...link, rules: rules.hash }, sides: ['target'] });
    assert.deepEqual([same.kind, same.rules], ['read', undefined]);
  });
});
