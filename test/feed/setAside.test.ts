import assert from 'node:assert/strict';
import { Floods, MOST_UNANSWERED } from '../../activities/feed/floods.ts';
import { LinkRefuses } from '../../activities/ports.ts';
import { showStatus } from '../../client/cli/show.ts';
import { statusReport } from '../../client/status.ts';
import { feedKey, linkKey } from '../../flows/names.ts';
import type { Store } from '../../store/store.ts';
import { makeStore } from '../support/world.ts';
import { FLOW, stamp, Watching } from './watching.ts';

const ID = feedKey('powerOffice', 'Person');

describe('what cannot be dealt with in its turn is set aside', () => {
  let store: Store;
  let watching: Watching;
  beforeEach(async () => {
    ({ store } = await makeStore());
    watching = new Watching(store);
  });
  afterEach(() => store.close());
  const aside = async (): Promise<(string | null)[]> => (await store.setAside.ofFeed(ID, 10)).map(({ id }) => id);
  const seenOf = async (id: string): Promise<string | undefined> =>
    (await store.links.byKey(linkKey('f', id)))?.seen.source?.instant;

  it('an unreadable row stops nobody, stands in status, and is read at each look until it can be, however old', async () => {
    const { powerOffice, told } = watching;
    powerOffice.put('1', 1);
    powerOffice.put('2', 2, { broken: 'Person 2 has no stamp, Kari Lie' });
    powerOffice.put('3', 3);
    const feed = watching.feed();
    await feed.poll();
    assert.deepEqual(told.started.sort(), ['1', '3']);
    assert.equal((await store.cursors.get(ID)).newest, stamp(3));
    const servers = { look: () => Promise.resolve([]) } as unknown as Parameters<typeof statusReport>[1]['servers'];
    const status = await statusReport(store, { installation: 'tandem', flows: [FLOW], refused: [], servers });
    assert.match(showStatus(status), /powerOffice:Person +2 .*Person 2 has no stamp, Kari Lie/);
    assert.equal(status.feeds.find((each) => each.feed === ID)?.setAside.count, 1);
    powerOffice.put('4', 5000);
    await feed.poll();
    await feed.poll();
    assert.deepEqual(await aside(), ['2']);
    assert.equal(powerOffice.calls.read, 3, 'once a look');
    // Readable now, with a stamp from long before the overlap.
    powerOffice.put('2', 2);
    await feed.poll();
    assert.deepEqual(told.started.sort(), ['1', '2', '3', '4']);
    assert.deepEqual(await aside(), []);
  });

  it('a row that is gone, and one without an id that a whole comparison meets no more, are forgotten', async () => {
    watching.powerOffice.put('2', 2, { broken: 'no stamp' });
    const feed = watching.feed();
    await feed.poll();
    await store.setAside.note(ID, [{ why: 'a Person has no id' }], { kind: 'unreadable', now: watching.now });
    watching.powerOffice.rows.delete('2');
    await feed.poll();
    assert.deepEqual(await aside(), [null]);
    watching.later(25);
    await feed.poll();
    await feed.drain();
    assert.deepEqual(await aside(), []);
  });

  it('very many unreadable rows are trouble of the feed, and its cursor stays', async () => {
    watching.powerOffice.pageSize = 2000;
    for (let i = 0; i < 1001; i++) watching.powerOffice.put(String(i), i, { broken: `row ${i}` });
    watching.powerOffice.put('x', 2000);
    await watching.feed().poll();
    const { trouble, newest } = await store.cursors.get(ID);
    assert.match(trouble?.text ?? '', /1001 records cannot be read; the last one: row/);
    assert.equal(newest, null);
  });

  it('a link that takes no message stops no other: it is told once, later, however often it was edited', async () => {
    const { powerOffice, told } = watching;
    for (let i = 0; i < 30; i++) powerOffice.put(String(i), i);
    const feed = watching.feed();
    await feed.poll();
    let full = true;
    watching.refuse = (sourceId) => {
      if (full && sourceId === '7') throw new LinkRefuses('its inbox is full');
    };
    for (let n = 0; n < 3; n++) {
      for (const id of ['7', '8']) powerOffice.put(id, 1000 + n);
      await feed.poll();
    }
    assert.deepEqual(told.observed, ['8', '8', '8']);
    assert.deepEqual([await seenOf('7'), await seenOf('8')], [stamp(7), stamp(1002)]);
    const { newest, trouble } = await store.cursors.get(ID);
    assert.deepEqual([newest, trouble], [stamp(1002), null]);
    assert.deepEqual(await aside(), ['7']);
    full = false;
    watching.later(0.1);
    await feed.poll();
    assert.deepEqual(told.observed, ['8', '8', '8', '7']);
    assert.equal(await seenOf('7'), stamp(1002));
    assert.deepEqual(await aside(), []);
  });

  it('what was told before another message failed is not told again', async () => {
    const { powerOffice, told } = watching;
    powerOffice.pageSize = 100;
    for (let i = 0; i < 500; i++) powerOffice.put(String(i).padStart(3, '0'), i);
    const feed = watching.feed();
    await feed.poll();
    powerOffice.pageSize = 1000;
    for (let i = 0; i < 500; i++) powerOffice.put(String(i).padStart(3, '0'), 1000 + i);
    let down = true;
    watching.refuse = (sourceId) => {
      if (down && sourceId === '450') throw new Error('Temporal is away');
    };
    await feed.poll();
    assert.ok((await store.cursors.get(ID)).trouble);
    down = false;
    await feed.poll();
    assert.equal(new Set(told.observed).size, 500);
    assert.equal(told.observed.length, 500);
  });

  it('a flood on one link fills nobody’s history: what it was told counts until it answers by a revision', () => {
    const floods = new Floods();
    const tells = (_id: string, revision: number, n: number): number =>
      Array.from({ length: n }, () => floods.mayTell({ _id, revision })).filter(Boolean).length;
    assert.equal(tells('f:1', 3, MOST_UNANSWERED + 20), MOST_UNANSWERED);
    assert.equal(tells('f:2', 3, 10), 10);
    assert.equal(tells('f:1', 4, 10), 10);
  });
});
