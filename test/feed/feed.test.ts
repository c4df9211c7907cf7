import assert from 'node:assert/strict';
import { feedKey } from '../../flows/names.ts';
import type { Store } from '../../store/store.ts';
import { makeStore } from '../support/world.ts';
import { stamp, Watching } from './watching.ts';

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
