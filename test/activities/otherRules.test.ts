import assert from 'node:assert/strict';
import { rulesOf } from '../../activities/observation.ts';
import type { Connector } from '../../connectors/connector.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import type { Store } from '../../store/store.ts';
import { SMALL_FLOW } from '../support/flow.ts';
import { makeStore } from '../support/world.ts';
import { activitiesAt } from './activitiesAt.ts';

describe('a worker whose flow is another than the link knows', () => {
  const record = { id: '7', version: '002', instant: '2026-01-01T00:00:01Z', fields: {}, at: [0, 0] as const };
  const crm: Partial<Connector> = { name: 'crm', lagMs: 0, read: () => Promise.resolve(record) };
  const activities = activitiesAt(1, {
    flows: [SMALL_FLOW],
    store: { limits: { paused: () => Promise.resolve([]) } } as unknown as Store,
    crm,
  });

  it('hands over its rules with what it read by them; the same rules stay at home', async () => {
    const link = { ...newRecord({ flow: 'f', rules: { hash: 'another' }, sourceId: '1', seen: null, now: 0 }), targetId: '7' };
    const rules = rulesOf(SMALL_FLOW);
    const outcome = await activities.readRecords({ link, sides: ['target'] });
    assert.deepEqual([outcome.kind, outcome.rules], ['read', rules]);
    const same = await activities.readRecords({ link: { ...link, rules: rules.hash }, sides: ['target'] });
    assert.deepEqual([same.kind, same.rules], ['read', undefined]);
  });

  it('sends nothing of which it would not see what became: its own rules are planned by', async () => {
    const { store } = await makeStore();
    const seen = { version: '001', instant: '2026-01-01T00:00:00Z', values: {}, inScope: true, at: [0, 0] as const };
    const began = newRecord({ flow: 'f', rules: { hash: 'another' }, sourceId: '1', seen, now: 0 });
    const link = { ...began, revision: 1, seen: { source: seen, target: seen } };
    // Without an operation to write, since none may be asked for.
    const narrow = activitiesAt(1, {
      flows: [SMALL_FLOW],
      store,
      crm: { ...crm, features: () => ({ conditional: 'test' }) as never },
    });
    const added = { property: 'role', value: 'Eva', expected: null, from: null, why: 'edited' };
    const written = await narrow.writeRecord({ link: { ...link, targetId: '7' }, side: 'target', assignments: [added] });
    assert.deepEqual([written.kind, written.rules], ['contended', rulesOf(SMALL_FLOW)]);
    const created = await narrow.createRecord({ link, values: { role: 'Eva' } });
    assert.deepEqual([created.kind, created.rules], ['read', rulesOf(SMALL_FLOW)]);
    await store.close();
  });
});
