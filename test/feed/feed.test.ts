import assert from 'node:assert/strict';
import { feedKey, linkKey } from '../../flows/names.ts';
import type { LinkDocument } from '../../store/documents.ts';
import type { Store } from '../../store/store.ts';
import { showStatus } from '../../client/cli/show.ts';
import { statusReport } from '../../client/status.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import { makeStore } from '../support/world.ts';
import { SystemError } from '../../connectors/systemError.ts';
import { FLOW, stamp, Watching } from './watching.ts';

const ID = feedKey('powerOffice', 'Person');

describe('one watcher has a feed', () => {
  let store: Store;
  beforeEach(async () => {
    ({ store } = await makeStore());
  });
  afterEach(() => store.close());

  it('a watcher that thaws after another took over moves no cursor, and stops', async () => {
    const watching = new Watching(store);
    watching.powerOffice.put('1', 1);
    const old = watching.feed();
    await old.poll();
    const now = watching.feed();
    watching.powerOffice.put('2', 50);
    await now.poll();
    watching.powerOffice.rows.delete('2');
    watching.powerOffice.put('1', 20);
    await old.poll();
    assert.equal(old.isTaken, true);
    assert.equal((await store.cursors.get(ID)).newest, stamp(50));
    await now.poll();
    assert.equal(now.isTaken, false);
  });

  it('deletions are looked for while a sweep is still under way', async () => {
    const watching = new Watching(store);
    for (let i = 0; i < 30; i++) watching.powerOffice.put(String(i), i);
    const feed = watching.feed();
    await feed.poll();
    watching.powerOffice.rows.delete('7');
    watching.later(25);
    const { told, powerOffice } = watching;
    let seenFirst = 0;
    // The look has its pages; the sweep waits until the deletion was found.
    powerOffice.fail = async (what, call) => {
      if (what !== 'changed' || call <= 6) return;
      while (told.vanished.length === 0) await new Promise((go) => setTimeout(go, 10));
      seenFirst = told.vanished.length;
    };
    await feed.poll();
    await feed.drain();
    assert.deepEqual(watching.told.vanished, [{ sourceId: '7', side: 'source', approved: false }]);
    assert.equal(seenFirst, 1);
  });
});

describe('a failed page is asked for again, and nothing before it', () => {
  const PAGES = 60;
  let store: Store;
  let watching: Watching;
  beforeEach(async () => {
    ({ store } = await makeStore());
    watching = new Watching(store);
    watching.powerOffice.pageSize = 2;
    for (let i = 0; i < 2 * PAGES; i++) watching.powerOffice.put(String(i).padStart(4, '0'), i * 100);
  });
  afterEach(() => store.close());

  const down = (): SystemError => new SystemError('PowerOffice', 'unreachable', 'no answer');
  /** One page in 20 of these lists fails. */
  function oneIn20(what: 'changed' | 'ids'): { failed: number } {
    const told = { failed: 0 };
    watching.powerOffice.fail = (each, call) => {
      if (each !== what || call % 20 !== 0) return;
      told.failed += 1;
      throw down();
    };
    return told;
  }

  it('by a sweep and by a list of ids', async () => {
    const feed = watching.feed();
    await feed.poll();
    const { calls } = watching.powerOffice;
    for (const what of ['changed', 'ids'] as const) {
      watching.later(25);
      const before = calls[what];
      const told = oneIn20(what);
      await feed.poll();
      await feed.drain();
      // The look itself asks for one page.
      assert.equal(calls[what] - before - told.failed, PAGES + (what === 'changed' ? 1 : 0), what);
      assert.ok(told.failed >= 3);
    }
    const { sweptAt, idsAt, sweep = null, listing = null } = await store.cursors.get(ID);
    assert.deepEqual([sweptAt, idsAt, sweep, listing], [watching.now, watching.now, null, null]);
  });

  it('by the next watcher, after the process ended in the middle of a sweep or of an index', async () => {
    const abort = new AbortController();
    const first = watching.feed('powerOffice', 'Person', abort);
    await first.poll();
    watching.later(25);
    const { calls } = watching.powerOffice;
    const before = calls.changed;
    watching.powerOffice.fail = (what, call) => {
      if (what === 'changed' && call === before + 1 + PAGES / 2) abort.abort(new Error('the process ends'));
    };
    await first.poll();
    await first.drain();
    watching.powerOffice.fail = () => {};
    const { sweep } = await store.cursors.get(ID);
    assert.ok(sweep && Number(sweep.position) >= PAGES - 4, JSON.stringify(sweep));
    const next = watching.feed();
    await next.poll();
    await next.drain();
    assert.ok(calls.changed - before <= PAGES + 6, `${calls.changed - before} calls for ${PAGES} pages`);
    assert.equal((await store.cursors.get(ID)).sweep ?? null, null);
  });

  it('by an index before matches', async () => {
    const flow = { ...FLOW, relation: 'merge-or-create' as const, match: [{ source: 'name', target: 'title', normalise: [] }] };
    const indexing = new Watching(store, [flow]);
    indexing.powerOffice.pageSize = 2;
    for (const row of watching.powerOffice.rows.values()) indexing.powerOffice.rows.set(row.id, row);
    indexing.powerOffice.fail = (what, call) => {
      if (what === 'changed' && call % 20 === 0) throw down();
    };
    await indexing.feed().poll();
    assert.equal(indexing.powerOffice.calls.changed, PAGES + 3);
    assert.equal(await store.candidates.count(), 2 * PAGES);
    assert.deepEqual((await store.cursors.get(ID)).indexing, null);
  });

  it('a list of ids that broke off goes on, with what it had listed', async () => {
    const { ids } = { ids: Array.from({ length: 12_000 }, (_, i) => `x${String(i).padStart(5, '0')}`) };
    const feed = watching.feed();
    await feed.poll();
    watching.powerOffice.rows.delete('0007');
    watching.powerOffice.pageSize = 2000;
    for (const [i, id] of ids.entries()) watching.powerOffice.rows.set(id, { id, n: -i, fields: {} });
    watching.later(2);
    let open = true;
    const { calls } = watching.powerOffice;
    watching.powerOffice.fail = (what, call) => {
      if (what === 'ids' && open && call >= 5) throw down();
    };
    await feed.poll();
    await feed.drain();
    open = false;
    const before = calls.ids;
    const next = watching.feed();
    await next.poll();
    await next.drain();
    assert.deepEqual(watching.told.vanished, [{ sourceId: '0007', side: 'source', approved: false }]);
    assert.equal(calls.ids - before, 4, 'pages 4 to 7');
  });
});

describe('deletions are looked for', () => {
  const ALL = 60;
  let store: Store;
  let watching: Watching;
  beforeEach(async () => {
    ({ store } = await makeStore());
    watching = new Watching(store);
    for (let i = 0; i < ALL; i++) watching.powerOffice.put(String(i), i);
  });
  afterEach(() => store.close());

  const look = async (): Promise<void> => {
    watching.later(2);
    const feed = watching.feed();
    await feed.poll();
    await feed.drain();
  };
  /** How the first so many links stand, as their workflows would have written it. */
  async function stand(n: number, more: Partial<LinkRecord>): Promise<void> {
    for (const link of (await store.links.list({})).slice(0, n))
      await store.links.write({ ...link, revision: link.revision + 1, ...more }, FLOW);
  }
  const remove = (ids: readonly string[]): void => ids.forEach((id) => watching.powerOffice.rows.delete(id));
  const sourceIds = async (n: number): Promise<string[]> => (await store.links.list({})).slice(0, n).map((link) => link.sourceId);

  for (const [how, more] of [
    ['unlinked by hand', { status: 'ended', ended: 'unlinked by hand' }],
    ['paused', { status: 'paused' }],
    ['held back', { status: 'blocked', block: { code: 'held', side: 'source', properties: [], at: 1 } }],
  ] as const)
    it(`links that are ${how} don't count as missing: a real deletion is believed beside 30 of them`, async () => {
      await watching.feed().poll();
      await stand(30, more);
      const gone = (await sourceIds(31)).at(-1) ?? '';
      remove(await sourceIds(31));
      await look();
      assert.deepEqual(
        watching.told.vanished.map(({ sourceId }) => sourceId),
        [gone],
      );
      assert.deepEqual((await store.cursors.get(ID)).notBelieved, []);
    });

  it('of a link that was written as the list was read, too, unless its record is newer than the list', async () => {
    await watching.feed().poll();
    const [gone = '', fresh = ''] = await sourceIds(2);
    await stand(2, {});
    const link = await store.links.byKey(linkKey('f', fresh));
    const at = [Date.now(), Date.now()] as const;
    const seen = { ...link?.seen.source, version: '~', at } as NonNullable<LinkDocument['seen']['source']>;
    await store.links.raise([{ key: linkKey('f', fresh), side: 'source', seen }]);
    remove([gone, fresh]);
    // No hour has passed since the links were written: somebody asks.
    watching.now = Date.now() - 1000;
    await store.cursors.ask(ID, { idsAsked: watching.now + 1000 });
    const feed = watching.feed();
    await feed.poll();
    await feed.drain();
    assert.deepEqual(
      watching.told.vanished.map(({ sourceId }) => sourceId),
      [gone],
    );
  });

  it('of a link that has not heard yet that its flow goes on', async () => {
    await watching.feed().poll();
    await stand(1, { status: 'paused', block: { code: 'flow-paused', side: 'target', properties: [], at: 1 } });
    const [gone = ''] = await sourceIds(1);
    remove([gone]);
    await look();
    assert.deepEqual(
      watching.told.vanished.map(({ sourceId }) => sourceId),
      [gone],
    );
  });

  it('a list that lacks very many is not believed, and status says so until it is settled', async () => {
    await watching.feed().poll();
    const some = await sourceIds(30);
    const rows = new Map(watching.powerOffice.rows);
    remove(some);
    await look();
    const { now } = watching;
    const refusal = { flow: 'f', side: 'source', missing: 30, all: ALL, since: now };
    assert.deepEqual((await store.cursors.get(ID)).notBelieved, [refusal]);
    // Looks go on, and find nothing else; what was not believed stays.
    await watching.feed().poll();
    assert.deepEqual((await store.cursors.get(ID)).trouble, null);
    await look();
    assert.deepEqual((await store.cursors.get(ID)).notBelieved, [refusal]);
    const servers = { look: () => Promise.resolve([]) } as unknown as Parameters<typeof statusReport>[1]['servers'];
    const status = await statusReport(store, { installation: 'tandem', flows: [FLOW], refused: [], servers });
    const text = showStatus(status);
    assert.match(text, /powerOffice:Person lacks 30 of 60 records of f; not believed.*`tandem approve f`/);
    assert.deepEqual(watching.told.vanished, []);
    for (const [id, row] of rows) watching.powerOffice.rows.set(id, row);
    await look();
    assert.deepEqual((await store.cursors.get(ID)).notBelieved, []);
  });

  it('nothing is looked for in a flow that is paused, and what was not believed before stands', async () => {
    await watching.feed().poll();
    remove(await sourceIds(30));
    await look();
    await store.limits.setPaused('f', true);
    await look();
    assert.equal((await store.cursors.get(ID)).notBelieved?.length, 1);
    await store.limits.setPaused('f', false);
    await store.limits.approve('f', watching.now + 5 * 3600_000);
    await look();
    assert.equal(watching.told.vanished.length, 30);
    assert.ok(watching.told.vanished.every(({ approved }) => approved));
    assert.deepEqual((await store.cursors.get(ID)).notBelieved, []);
  });
});
