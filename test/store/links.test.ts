import assert from 'node:assert/strict';
import { TargetTaken } from '../../store/links.ts';
import type { Store } from '../../store/store.ts';
import type { Observation } from '../../workflows/core/state.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import { makeStore } from '../support/world.ts';

const ENDS = { source: { system: 'powerOffice', type: 'ContactPerson' }, target: { system: 'crm', type: 'Contact' } };
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

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}

describe('the links in the store', () => {
  let store: Store;
  beforeEach(async () => {
    ({ store } = await makeStore());
  });
  afterEach(() => store.close());

  it('an older revision changes nothing', async () => {
    assert.equal((await store.links.write(record({ revision: 5, status: 'in-step' }), ENDS))?.revision, 5);
    assert.equal(await store.links.write(record({ revision: 4, status: 'blocked' }), ENDS), null);
    assert.equal(await store.links.write(record({ revision: 5, status: 'blocked' }), ENDS), null);
    assert.equal((await store.links.byKey('f:1/2'))?.status, 'in-step');
  });

  it('`seen` never goes backwards, whoever writes it', async () => {
    await store.links.write(record({ seen: { source: seen('5', { a: 'new' }), target: null } }), ENDS);
    await store.links.raise([{ key: 'f:1/2', side: 'source', seen: seen('4', { a: 'old' }) }]);
    assert.deepEqual((await store.links.byKey('f:1/2'))?.seen.source?.values, { a: 'new' });
    await store.links.raise([{ key: 'f:1/2', side: 'source', seen: seen('6', { a: 'newer' }) }]);
    await store.links.write(record({ revision: 2, seen: { source: seen('5', { a: 'new' }), target: seen('1') } }), ENDS);
    assert.deepEqual((await store.links.byKey('f:1/2'))?.seen.source?.values, { a: 'newer' });
    assert.equal((await store.links.byKey('f:1/2'))?.seen.target?.version, '1');
  });

  it('of two who note a creation on the same knowledge, one does', async () => {
    const note = { incarnation: 1, tries: 1, since: Date.now() };
    const again = { ...note, tries: 2 };
    const noting = (before: typeof note | null): Promise<boolean> => store.links.noteCreation('f:1/2', again, before);
    assert.equal(await noting(null), false, 'there is no such link');
    await store.links.discover([record()], ENDS);
    assert.equal(await store.links.noteCreation('f:1/2', note, null), true);
    assert.deepEqual(await Promise.all([noting(null), noting({ ...note, incarnation: 2 })]), [false, false]);
    assert.deepEqual((await Promise.all([noting(note), noting(note)])).sort(), [false, true]);
    assert.deepEqual((await store.links.byKey('f:1/2'))?.creation, again);
    await store.links.noteCreation('f:1/2', { ...again, id: '7' });
    assert.equal(await noting(again), false, 'its id is known');
  });

  it('one target belongs to one link, over all flows with that type', async () => {
    await store.links.write(record({ targetId: 'c1' }), ENDS);
    await assert.rejects(store.links.write(record({ sourceId: '9/9', targetId: 'c1' }), ENDS), TargetTaken);
    await store.links.write(record({ sourceId: '9/9', targetId: 'c1' }), { ...ENDS, target: { system: 'crm', type: 'Company' } });
  });

  it('two systems may use one id for one type: a target is its system’s', async () => {
    const back = { source: { system: 'crm', type: 'Person' }, target: { system: 'powerOffice', type: 'Contact' } };
    await store.links.write(record({ targetId: 'c1' }), ENDS);
    await store.links.write(record({ flow: 'back', sourceId: '9', targetId: 'c1' }), back);
    assert.equal((await store.links.byTarget(ENDS.target, ['c1'])).get('c1')?.flow, 'f');
    assert.equal((await store.links.byTarget(back.target, ['c1'])).get('c1')?.flow, 'back');
  });

  it('a link that is noted after it has written stays as it wrote', async () => {
    await store.links.write(record({ targetId: 'c1' }), ENDS);
    await store.links.discover(
      [record({ revision: 0, status: 'linking' }), record({ sourceId: '3/3', revision: 0, status: 'linking' })],
      ENDS,
    );
    assert.equal((await store.links.byKey('f:1/2'))?.status, 'in-step');
    assert.equal((await store.links.byKey('f:3/3'))?.status, 'linking');
    assert.deepEqual([...(await store.links.bySource('f', ['1/2', '3/3', '4/4'])).keys()].sort(), ['1/2', '3/3']);
    assert.deepEqual([...(await store.links.byTarget(ENDS.target, ['c1', 'c2'])).keys()], ['c1']);
  });

  it('keeps values whose names hold dots and dollars', async () => {
    const values = { 'Address.City': 'Oslo', $original_id: '7' };
    await store.links.write(
      record({ base: { source: values, target: {} }, seen: { source: seen('1', values), target: null } }),
      ENDS,
    );
    const link = await store.links.byKey('f:1/2');
    assert.deepEqual(link?.base.source, values);
    assert.deepEqual(link?.seen.source?.values, values);
    await store.links.raise([{ key: 'f:1/2', side: 'source', seen: seen('2', { ...values, 'Address.City': 'Bergen' }) }]);
    assert.equal((await store.links.byKey('f:1/2'))?.seen.source?.values['Address.City'], 'Bergen');
  });

  /** Two flows whose names begin alike, in several statuses. */
  async function fill(): Promise<void> {
    const blocked = { code: 'held', side: 'source', properties: [], at: 1 } as const;
    await store.links.write(record({ sourceId: '1', targetId: 'a' }), ENDS);
    await store.links.write(record({ sourceId: '2', status: 'blocked', block: blocked }), ENDS, 'too many');
    await store.links.write(record({ sourceId: '3', status: 'ended', ended: 'source gone', targetId: 'c' }), ENDS);
    await store.links.write(record({ flow: 'f-more', sourceId: '1', status: 'linking', targetId: 'd' }), ENDS);
    await store.links.discover([record({ flow: 'g', sourceId: '9', revision: 0 })], ENDS);
  }
  const keys = (links: readonly { readonly _id: string }[]): string[] => links.map(({ _id }) => _id);

  it('lists by flow, status, end, reason and partner, page by page in the order of keys', async () => {
    await fill();
    assert.deepEqual(keys(await store.links.list()), ['f-more:1', 'f:1', 'f:2', 'f:3', 'g:9']);
    assert.deepEqual(keys(await store.links.list({ flow: 'f' })), ['f:1', 'f:2', 'f:3']);
    assert.deepEqual(keys(await store.links.list({ flow: ['g', 'f-more'] })), ['f-more:1', 'g:9']);
    assert.deepEqual(keys(await store.links.list({ status: 'blocked' })), ['f:2']);
    assert.deepEqual(keys(await store.links.list({ flow: 'f', ended: null })), ['f:1', 'f:2']);
    assert.deepEqual(keys(await store.links.list({ ended: 'source gone' })), ['f:3']);
    assert.deepEqual(keys(await store.links.list({ blockCode: 'held' })), ['f:2']);
    assert.deepEqual(keys(await store.links.list({ targetId: 'd' })), ['f-more:1']);
    assert.deepEqual(keys(await store.links.list({ linked: false })), ['f:2', 'g:9']);
    assert.deepEqual(keys(await store.links.list({}, { limit: 2 })), ['f-more:1', 'f:1']);
    assert.deepEqual(keys(await store.links.list({}, { limit: 2, after: 'f:1' })), ['f:2', 'f:3']);
    assert.deepEqual(keys(await store.links.list({ flow: 'f' }, { limit: 2, after: 'f:2' })), ['f:3']);
    assert.deepEqual(keys(await collect(store.links.each({ flow: 'f' }))).sort(), ['f:1', 'f:2', 'f:3']);
  });

  it('counts what a filter lets through, by status, and what is past its beginning', async () => {
    await fill();
    assert.equal(await store.links.count(), 5);
    assert.equal(await store.links.count({ flow: 'f', linked: true }), 2);
    const counts = await store.census.counts();
    assert.deepEqual(counts.map(({ flow, status, count }) => `${flow} ${status} ${count}`).sort(), [
      'f blocked 1',
      'f ended 1',
      'f in-step 1',
      'f-more linking 1',
      'g linking 1',
    ]);
    assert.ok(counts.every(({ last }) => last instanceof Date));
    assert.equal(await store.links.countSettled(), 3);
    assert.equal(await store.links.countWritten('f', ['1', '2', '7']), 2);
    assert.equal(await store.links.countWritten('g', ['9']), 0);
  });

  it('names those that are blocked for one reason, and those that were last written before an instant', async () => {
    await fill();
    assert.deepEqual(
      (await store.links.blockedFor(['f', 'g'], 'held')).map(({ flow, sourceId }) => ({ flow, sourceId })),
      [{ flow: 'f', sourceId: '2' }],
    );
    assert.deepEqual(await store.links.blockedFor(['g'], 'held'), []);
    assert.equal((await collect(store.links.settledBefore('f', 'source', new Date(0)))).length, 0);
    const before = await collect(store.links.settledBefore('f', 'source', new Date(Date.now() + 1000)));
    assert.deepEqual(
      before
        .map(({ sourceId, targetId, ended }) => ({ sourceId, targetId, ended }))
        .sort((a, b) => (a.sourceId < b.sourceId ? -1 : 1)),
      [
        { sourceId: '1', targetId: 'a', ended: null },
        { sourceId: '2', targetId: null, ended: null },
        { sourceId: '3', targetId: 'c', ended: 'source gone' },
      ],
    );
  });

  it('raises what its link was not told only while it stands that this was compared with', async () => {
    const { links } = store;
    const shown = async () => (await links.byKey('f:1/2'))?.seen.source?.version;
    await links.write(record({ seen: { source: seen('2', { a: 'other' }), target: null } }), ENDS);
    await links.raise([{ key: 'f:1/2', side: 'source', seen: seen('3'), comparedWith: '1' }]);
    assert.equal(await shown(), '2', 'the link has written since: it is compared again');
    await links.raise([{ key: 'f:1/2', side: 'source', seen: seen('3'), comparedWith: '2' }]);
    assert.equal(await shown(), '3');
  });

  it('names one whose record was last changed before an instant, however late its link was written', async () => {
    const { links } = store;
    await links.write(record({ sourceId: '1', targetId: 'a', seen: { source: seen('1'), target: null } }), ENDS);
    const ids = async (side: 'source' | 'target', before: number) =>
      (await collect(links.settledBefore('f', side, new Date(before)))).map(({ sourceId }) => sourceId);
    assert.deepEqual(await ids('source', 1), ['1']);
    assert.deepEqual(await ids('source', 0), []);
    assert.deepEqual(await ids('target', 1), []);
  });

  it('forgets the links of one flow alone', async () => {
    await fill();
    assert.equal(await store.links.forget('f'), 3);
    assert.deepEqual(keys(await store.links.list()), ['f-more:1', 'g:9']);
  });
});
