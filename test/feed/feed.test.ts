import assert from 'node:assert/strict';
import { feedKey } from '../../flows/names.ts';
import type { Store } from '../../store/store.ts';
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
