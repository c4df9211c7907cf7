import assert from 'node:assert/strict';
import { rulesOf } from '../../activities/observation.ts';
import type { Connector } from '../../connectors/connector.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Store } from '../../store/store.ts';
import type { LinkActivities } from '../../workflows/contract.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { SMALL_FLOW } from '../support/flow.ts';
import { makeStore } from '../support/world.ts';
import { activitiesAt } from './activitiesAt.ts';

describe('an attempt that was given up', function () {
  let store: Store;
  beforeEach(async () => {
    ({ store } = await makeStore());
  });
  afterEach(() => store.close());

  const began = newRecord({ flow: 'f', rules: rulesOf(SMALL_FLOW), sourceId: '1', seen: null, now: 0 });
  const link = { ...began, targetId: '7', revision: 1, status: 'in-step' as const };

  function activities(number: number, crm: Partial<Connector>): LinkActivities {
    const connector = { name: 'crm', lagMs: 0, features: () => ({ conditional: 'test' }), ...crm } as unknown as Connector;
    return activitiesAt(number, { flows: [SMALL_FLOW], store, crm: connector });
  }

  it('and reads all the same tells the store of nothing that its link was not told', async () => {
    const record = { id: '7', version: '002', instant: '2026-01-01T00:00:01Z', fields: {}, at: [0, 0] as const };
    await store.links.write(link, SMALL_FLOW);
    const outcome = await activities(1, { read: () => Promise.resolve(record) }).readRecords({ link, sides: ['target'] });
    assert.equal(outcome.kind === 'read' && typeof outcome.found.target === 'object', true);
    // Else the feed takes what it shows for known, and nobody ever tells the link.
    assert.equal((await store.links.byKey('f:1'))?.seen.target, null);
  });

  it('may have deleted what the next one finds gone; the first one has not', async () => {
    const remove = (): Promise<never> => Promise.reject(new SystemError('CRM', 'gone', { text: '404', status: 404 }));
    const input = { link, side: 'target' as const };
    assert.deepEqual(await activities(1, { remove }).removeRecord(input), { kind: 'removed', before: true });
    assert.deepEqual(await activities(2, { remove }).removeRecord(input), { kind: 'removed' });
  });
});
