import assert from 'node:assert/strict';
import { rulesOf } from '../../activities/observation.ts';
import type { Store } from '../../store/store.ts';
import type { LinkActivities, LinkRecord } from '../../workflows/contract.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { SMALL_FLOW } from '../support/flow.ts';
import { makeStore } from '../support/world.ts';
import { activitiesAt } from './activitiesAt.ts';

describe('a link of a flow that was taken out of the configuration', () => {
  const seen = { version: '1', instant: '2026-01-01T00:00:00Z', values: {}, inScope: true, at: [0, 0] as const };
  const linked: LinkRecord = {
    ...newRecord({ flow: SMALL_FLOW.name, rules: rulesOf(SMALL_FLOW), sourceId: '1', seen, now: 0 }),
    targetId: '7',
    revision: 1,
    status: 'in-step',
    seen: { source: seen, target: seen },
  };
  const next = { ...linked, revision: 2 };
  let store: Store;
  beforeEach(async () => {
    ({ store } = await makeStore());
    await store.links.write(linked, SMALL_FLOW);
  });
  afterEach(() => store.close());

  /** The activities of a worker that does not have the flow, at their so many-th attempt. */
  const at = (number: number): LinkActivities => activitiesAt(number, { flows: [], store, crm: {} });

  it('is left to other workers at first: one that starts may be the first to have it', async () => {
    await assert.rejects(at(1).writeRecord({ link: next, side: 'target', assignments: [] }), /does not run the flow/);
    assert.equal((await store.links.byKey(`${SMALL_FLOW.name}:1`))?.status, 'in-step');
  });

  it('waits, blocked with its reason, where no attempt meets a worker that has it', async () => {
    const outcome = await at(8).writeRecord({ link: next, side: 'target', assignments: [] });
    assert.deepEqual([outcome.kind, 'code' in outcome && outcome.code], ['refused', 'not-configured']);
    const stored = await store.links.byKey(`${SMALL_FLOW.name}:1`);
    assert.deepEqual(
      [stored?.status, stored?.block?.code, stored?.targetType],
      ['blocked', 'not-configured', SMALL_FLOW.target.type],
    );
    const read = await at(8).readRecords({ link: next, sides: ['target'] });
    assert.deepEqual([read.kind, 'revision' in read && read.revision], ['refused', 3]);
  });

  it('is stored as it is: what a person asks of it needs no flow', async () => {
    const paused = { ...next, status: 'paused' as const, statusAt: 5 };
    assert.deepEqual(await at(1).storeLink({ link: paused }), { kind: 'stored' });
    const stored = await store.links.byKey(`${SMALL_FLOW.name}:1`);
    assert.deepEqual([stored?.status, stored?.sourceType], ['paused', SMALL_FLOW.source.type]);
  });
});
