import assert from 'node:assert/strict';
import { linkActivities } from '../../activities/link/index.ts';
import { rulesOf } from '../../activities/observation.ts';
import { SystemError } from '../../connectors/systemError.ts';
import { linkKey, recordKey } from '../../flows/names.ts';
import type { Flow } from '../../flows/flow.ts';
import type { Store } from '../../store/store.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import type { Observation } from '../../workflows/core/state.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { makeStore } from '../support/world.ts';
import { FLOW, Watching } from './watching.ts';
import { attemptOf } from '../support/attempt.ts';

const MATCH: Flow = { ...FLOW, relation: 'match', match: [{ source: 'name', target: 'title', normalise: [] }] };
const ORDERS: Flow = {
  ...FLOW,
  name: 'orders',
  source: { ...FLOW.source, type: 'Order' },
  target: { ...FLOW.target, type: 'Deal' },
  relation: 'connected',
  connected: [{ type: 'Person', property: 'person' }],
  properties: [],
};

describe('relations', () => {
  let store: Store;
  let watching: Watching;
  beforeEach(async () => {
    ({ store } = await makeStore());
    watching = new Watching(store, [MATCH]);
  });
  afterEach(() => store.close());

  const recordOf = (flow: Flow, sourceId: string): ReturnType<typeof newRecord> =>
    newRecord({ flow: flow.name, rules: rulesOf(flow), sourceId, seen: null, now: watching.now });
  const create = (flow: Flow, sourceId: string): Promise<unknown> =>
    linkActivities(watching.deps).createRecord({ link: { ...recordOf(flow, sourceId), revision: 1 }, values: {} });
  /** Both sides are read once: indexed, and handed on. */
  async function begin(): Promise<void> {
    const feeds = [watching.feed('crm', 'Contact'), watching.feed()];
    for (const feed of [...feeds, ...feeds]) await feed.poll();
  }
  const blockOf = async (flow: Flow, sourceId: string): Promise<string | undefined> =>
    (await store.links.byKey(linkKey(flow.name, sourceId)))?.block?.code;

  for (const [what, fields] of [
    ['comes to match', { title: 'Kari' }],
    ['matches no more', { title: 'Ola' }],
  ] as const)
    it(`a record that ${what}: the wake-up that was lost is sent at the next look`, async () => {
      watching.powerOffice.put('p', 1, { fields: { name: 'Kari' } });
      watching.crm.put('c', 1, { fields: { title: what === 'comes to match' ? 'Eva' : 'Kari' } });
      await begin();
      watching.told.retried.length = 0;
      const feed = watching.feed('crm', 'Contact');
      watching.crm.put('c', 9, { fields });
      watching.refuse = () => {
        throw new Error('Temporal is away');
      };
      await feed.poll();
      assert.deepEqual(watching.told.retried, []);
      watching.refuse = () => {};
      await feed.poll();
      assert.deepEqual(watching.told.retried, ['p']);
      await feed.poll();
      assert.deepEqual(watching.told.retried, ['p'], 'once');
    });

  it('a key that very many share is read twice', async () => {
    watching.powerOffice.put('p', 1, { fields: { name: 'Kari' } });
    watching.crm.pageSize = 1000;
    for (let i = 0; i < 50; i++) watching.crm.put(`c${i}`, 1, { fields: { title: 'Kari' } });
    await begin();
    const before = watching.crm.calls.read;
    await create(MATCH, 'p');
    assert.equal(await blockOf(MATCH, 'p'), 'ambiguous');
    // Once before the block is stored, once after.
    assert.equal(watching.crm.calls.read - before, 4);
  });

  it('a match that answers 404 is waited for, ten minutes, before the record is taken for one without', async () => {
    watching.powerOffice.put('p', 1, { fields: { name: 'Kari' } });
    watching.crm.put('c', 1, { fields: { title: 'Kari' } });
    await begin();
    watching.crm.rows.delete('c');
    const begun = watching.now;
    const attempt: typeof watching.deps.runAttempt = (work) => work(attemptOf({ number: 2, scheduledAt: begun }));
    watching.deps = { ...watching.deps, runAttempt: attempt };
    await assert.rejects(create(MATCH, 'p'), (error: unknown) => error instanceof SystemError && error.retryable);
    assert.equal(await blockOf(MATCH, 'p'), undefined);
    watching.now += 600_000;
    await create(MATCH, 'p');
    assert.equal(await blockOf(MATCH, 'p'), 'unmatched');
    assert.deepEqual([...(await store.candidates.byId('f', 'target', ['c'])).keys()], [], 'forgotten');
  });

  it('a match that refuses to be read blocks the link with its words; one that was merged is none', async () => {
    watching.powerOffice.put('p', 1, { fields: { name: 'Kari' } });
    watching.crm.put('c', 1, { fields: { title: 'Kari' } });
    await begin();
    const refuse = (failure: 'refused' | 'merged'): void => {
      watching.crm.fail = (what) => {
        if (what === 'read') throw new SystemError('CRM', failure, { text: '403 not for you', status: 403 });
      };
    };
    refuse('refused');
    await create(MATCH, 'p');
    assert.equal((await store.links.byKey(linkKey('f', 'p')))?.block?.text, '403 not for you');
    await store.links.forget(MATCH.name);
    refuse('merged');
    await create(MATCH, 'p');
    assert.equal(await blockOf(MATCH, 'p'), 'unmatched');
  });

  it('a source that is gone before its partner was looked for is read again, not asked for without an end', async () => {
    const merging: Flow = { ...MATCH, relation: 'merge-or-create' };
    watching = new Watching(store, [merging]);
    const outcome = await create(merging, 'gone');
    assert.deepEqual(outcome, { kind: 'read', found: { source: 'gone' } });
  });

  it('a source that left its scope before its partner was looked for is read again: no second record is made of its match', async () => {
    const scope = [{ property: 'kind', equals: 'person' }];
    const merging: Flow = { ...MATCH, relation: 'merge-or-create', source: { ...MATCH.source, scope } };
    watching = new Watching(store, [merging]);
    watching.powerOffice.put('p', 1, { fields: { name: 'Kari', kind: 'person' } });
    watching.crm.put('c', 1, { fields: { title: 'Kari' } });
    await begin();
    watching.powerOffice.put('p', 9, { fields: { name: 'Kari', kind: 'company' } });
    await watching.feed().poll();
    const outcome = await create(merging, 'p');
    const { kind, found } = outcome as Extract<Outcome, { kind: 'read' }>;
    assert.equal(kind, 'read');
    assert.equal((found.source as Observation).inScope, false);
  });

  it('a source that was deleted before its first look is nobody’s rival', async () => {
    watching.powerOffice.put('p', 1, { fields: { name: 'Kari' } });
    watching.powerOffice.put('q', 1, { fields: { name: 'Kari' } });
    watching.crm.put('c', 1, { fields: { title: 'Kari' } });
    await begin();
    // Noted, and gone before it had a link.
    await store.links.forget(MATCH.name);
    watching.powerOffice.rows.delete('q');
    await create(MATCH, 'p');
    assert.equal((await store.links.byKey(linkKey('f', 'p')))?.targetId, 'c');
    assert.deepEqual([...(await store.candidates.byId('f', 'source', ['p', 'q'])).keys()], ['p']);
  });

  describe('of records that refer to others', () => {
    beforeEach(() => {
      watching = new Watching(store, [FLOW, ORDERS]);
    });

    /** So many orders that wait for person p. */
    async function orders(n: number): Promise<void> {
      const ids = Array.from({ length: n }, (_, i) => `o${i}`);
      await store.links.discover(
        ids.map((id) => recordOf(ORDERS, id)),
        ORDERS,
      );
      const refs = [recordKey('powerOffice', 'Person', 'p')];
      await store.candidates.note(
        ids.map((id) => ({ _id: `orders:source:${id}`, flow: 'orders', side: 'source', id, keys: [], refs })),
        [],
      );
    }

    /** The first attempt stored the link and died; this is the second. */
    async function secondAttempt(): Promise<void> {
      const seen = watching.crm.snapshot({ id: 'c', n: 1, fields: { title: 'x' } });
      const { fields: values, ...rest } = seen;
      const target = { ...rest, values, inScope: true };
      await store.links.write(
        {
          ...recordOf(FLOW, 'p'),
          revision: 1,
          targetId: 'c',
          base: { source: {}, target: values },
          seen: { source: null, target },
        },
        FLOW,
      );
      watching.deps = {
        ...watching.deps,
        runAttempt: (work) => work(attemptOf({ number: 2 })),
      };
      await create(FLOW, 'p');
    }

    it('those who wait are told by the second attempt where the first one died', async () => {
      await orders(3);
      await secondAttempt();
      assert.deepEqual(watching.told.retried.sort(), ['o0', 'o1', 'o2']);
    });

    it('those who wait are told of a record that comes back into scope, and of nothing else that it does', async () => {
      await orders(1);
      const person = { ...recordOf(FLOW, 'p'), targetId: 'c' };
      const ended = { ...person, status: 'ended', ended: 'out of scope' } as const;
      await store.links.write({ ...ended, revision: 1 }, FLOW);
      const activities = linkActivities(watching.deps);
      await activities.storeLink({ link: { ...ended, revision: 2 } });
      assert.deepEqual(watching.told.retried, []);
      for (const revision of [3, 4]) await activities.storeLink({ link: { ...person, status: 'in-step', revision } });
      assert.deepEqual(watching.told.retried, ['o0'], 'once');
    });

    it('those of a flow that this worker does not know yet are told by the feed of one that does', async () => {
      await orders(2);
      const { deps } = watching;
      watching.deps = { ...deps, flows: [FLOW] };
      await secondAttempt();
      assert.deepEqual(watching.told.retried, []);
      watching.deps = deps;
      const feeds = [watching.feed('crm', 'Deal'), watching.feed('powerOffice', 'Order')];
      for (let i = 0; i < 4; i++) for (const feed of feeds) await feed.poll();
      assert.deepEqual(new Set(watching.told.retried), new Set(['o0', 'o1']));
    });

    it('very many are told by their feed, and not by the attempt', async () => {
      const many = 120;
      await orders(many);
      await secondAttempt();
      assert.deepEqual(watching.told.retried, []);
      const feeds = [watching.feed('crm', 'Deal'), watching.feed('powerOffice', 'Order')];
      for (let i = 0; i < 4; i++) for (const feed of feeds) await feed.poll();
      assert.equal(new Set(watching.told.retried).size, many);
      assert.equal(watching.told.retried.length, many);
    });
  });
});
