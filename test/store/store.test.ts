import assert from 'node:assert/strict';
import { TargetTaken, type Store } from '../../store/store.ts';
import type { Observation } from '../../workflows/core/state.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import { makeStore } from '../support/world.ts';

const TYPES = { source: 'ContactPerson', target: 'Contact' };
const seen = (version: string, values: Observation['values'] = {}): Observation => ({
  version,
  instant: '2026-01-01T00:00:00Z',
  values,
  inScope: true,
  at: [0, 0],
});
const record = (more: Partial<LinkRecord> = {}): LinkRecord => ({
  flow: 'f',
  sourceId: '1/2',
  targetId: null,
  revision: 1,
  incarnation: 1,
  rules: 'r',
  status: 'in-step',
  statusAt: 0,
  ended: null,
  block: null,
  conflicts: [],
  last: null,
  base: { source: {}, target: {} },
  seen: { source: null, target: null },
  ...more,
});

describe('the store', () => {
  let store: Store;
  beforeEach(async () => {
    ({ store } = await makeStore());
  });
  afterEach(() => store.close());

  it('an older revision changes nothing', async () => {
    assert.equal((await store.write(record({ revision: 5, status: 'in-step' }), TYPES))?.revision, 5);
    assert.equal(await store.write(record({ revision: 4, status: 'blocked' }), TYPES), null);
    assert.equal(await store.write(record({ revision: 5, status: 'blocked' }), TYPES), null);
    assert.equal((await store.link('f:1/2'))?.status, 'in-step');
  });

  it('`seen` never goes backwards, whoever writes it', async () => {
    await store.write(record({ seen: { source: seen('5', { a: 'new' }), target: null } }), TYPES);
    await store.raise([{ key: 'f:1/2', side: 'source', seen: seen('4', { a: 'old' }) }]);
    assert.deepEqual((await store.link('f:1/2'))?.seen.source?.values, { a: 'new' });
    await store.raise([{ key: 'f:1/2', side: 'source', seen: seen('6', { a: 'newer' }) }]);
    await store.write(record({ revision: 2, seen: { source: seen('5', { a: 'new' }), target: seen('1') } }), TYPES);
    assert.deepEqual((await store.link('f:1/2'))?.seen.source?.values, { a: 'newer' });
    assert.equal((await store.link('f:1/2'))?.seen.target?.version, '1');
  });

  it('one target belongs to one link, over all flows with that type', async () => {
    await store.write(record({ targetId: 'c1' }), TYPES);
    await assert.rejects(store.write(record({ sourceId: '9/9', targetId: 'c1' }), TYPES), TargetTaken);
    await store.write(record({ sourceId: '9/9', targetId: 'c1' }), { ...TYPES, target: 'Company' });
  });

  it('a link that is noted after it has written stays as it wrote', async () => {
    await store.write(record({ targetId: 'c1' }), TYPES);
    await store.discover(
      [record({ revision: 0, status: 'linking' }), record({ sourceId: '3/3', revision: 0, status: 'linking' })],
      TYPES,
    );
    assert.equal((await store.link('f:1/2'))?.status, 'in-step');
    assert.equal((await store.link('f:3/3'))?.status, 'linking');
    assert.deepEqual([...(await store.bySource('f', ['1/2', '3/3', '4/4'])).keys()].sort(), ['1/2', '3/3']);
    assert.deepEqual([...(await store.byTarget('Contact', ['c1', 'c2'])).keys()], ['c1']);
  });

  it('keeps values whose names hold dots and dollars', async () => {
    const values = { 'Address.City': 'Oslo', $original_id: '7' };
    await store.write(record({ base: { source: values, target: {} }, seen: { source: seen('1', values), target: null } }), TYPES);
    const link = await store.link('f:1/2');
    assert.deepEqual(link?.base.source, values);
    assert.deepEqual(link?.seen.source?.values, values);
    await store.raise([{ key: 'f:1/2', side: 'source', seen: seen('2', { ...values, 'Address.City': 'Bergen' }) }]);
    assert.equal((await store.link('f:1/2'))?.seen.source?.values['Address.City'], 'Bergen');
  });

  it('a later attempt at a change replaces the note of an earlier one, never the other way', async () => {
    const change = {
      _id: 'x',
      link: 'f:1/2',
      flow: 'f',
      at: new Date(),
      side: 'source',
      property: 'a',
      why: 'edited',
      before: 'old',
      after: 'new',
    } as const;
    await store.remember([{ ...change, attempt: 2 }]);
    await store.remember([{ ...change, attempt: 1, after: 'late' }]);
    assert.equal((await store.history.findOne({ _id: 'x' }))?.after, 'new');
    await store.remember([{ ...change, attempt: 3, after: 'again' }]);
    assert.equal((await store.history.findOne({ _id: 'x' }))?.after, 'again');
  });

  it('counts endings of an hour, and what a person approved', async () => {
    await store.countBulkChange('f', 100, 1);
    const { minutes } = await store.countBulkChange('f', 101, 2);
    assert.deepEqual(minutes, { 100: 1, 101: 2 });
    await store.approve('f', 5);
    assert.equal((await store.countBulkChange('f', 101, 0)).approvedUntil, 5);
  });
});
