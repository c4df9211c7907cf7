import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Feed } from '../../activities/feed/feed.ts';
import { askedSoFar, untilNextLook } from '../../activities/feed/pause.ts';
import { SystemError } from '../../connectors/systemError.ts';
import { feedKey } from '../../flows/names.ts';
import type { Store } from '../../store/store.ts';
import { eventually, makeStore } from '../support/world.ts';
import { FLOW, Watching } from './watching.ts';

const PERSON = feedKey('powerOffice', 'Person');
const INPUT = { system: 'powerOffice', type: 'Person', takeoverSeconds: 60 };

describe('a feed that somebody asks to look', function () {
  let store: Store;
  let watching: Watching;
  let feed: Feed;
  /** When each look began, and at what: the feed, or a record. */
  let looks: { readonly at: number; readonly what: string }[];
  let abort: AbortController;
  let running: Promise<void>;

  beforeEach(async () => {
    ({ store } = await makeStore());
    watching = new Watching(store, [FLOW], { lookWhenAsked: ['powerOffice'] });
    watching.powerOffice.put('1', 1);
    watching.powerOffice.put('2', 2);
    feed = watching.feed();
    looks = [];
    abort = new AbortController();
    await feed.poll();
    await feed.drain();
    watching.told.started.length = 0;
    watching.powerOffice.fail = (what) => void looks.push({ at: Date.now(), what });
    running = watch();
  });
  afterEach(async () => {
    abort.abort();
    await running;
    await store.close();
  });

  /** As the activity does it, with a poll interval of an hour. */
  async function watch(): Promise<void> {
    while (!abort.signal.aborted) {
      const asked = await askedSoFar(watching.deps, INPUT);
      await feed.poll();
      await untilNextLook(watching.deps, INPUT, { feed, asked, pause: 3600_000, signal: abort.signal });
    }
  }
  const lookedAt = (what: string, n: number): Promise<unknown> =>
    eventually(
      `${n} looks: ${what}`,
      () => looks.filter((each) => each.what === what).length,
      (seen) => seen >= n,
    );
  const closest = (): number => Math.min(...looks.slice(1).map(({ at }, i) => at - (looks[i]?.at ?? 0)));

  it('at a record reads that one, and hands it on: an edit, a new record, one that is not there', async () => {
    await lookedAt('changed', 1);
    watching.powerOffice.put('1', 3, { fields: { name: 'edited' } });
    await store.cursors.askRecord(PERSON, '1', Date.now());
    await eventually(
      'its link hears',
      () => watching.told.observed,
      (told) => told.includes('1'),
    );
    watching.powerOffice.put('new', 4);
    await store.cursors.askRecord(PERSON, 'new', Date.now());
    await eventually(
      'a link is begun',
      () => watching.told.started,
      (told) => told.includes('new'),
    );
    watching.powerOffice.rows.delete('2');
    await store.cursors.askRecord(PERSON, '2', Date.now());
    await eventually(
      'its link looks itself',
      () => watching.told.vanished,
      (told) => told.some(({ sourceId }) => sourceId === '2'),
    );
    await store.cursors.askRecord(PERSON, 'nobody', Date.now());
    await lookedAt('read', 4);
    assert.equal(looks.filter(({ what }) => what === 'changed').length, 1, 'the feed is not read for it');
    assert.ok(closest() >= 990, `${closest()} ms apart`);
    assert.equal(watching.told.vanished.length, 1);
  });

  it('at two records before one was read looks at the whole feed, and so nothing is lost', async () => {
    await lookedAt('changed', 1);
    watching.powerOffice.put('1', 3, { fields: { name: 'edited' } });
    watching.powerOffice.put('2', 4, { fields: { name: 'edited, too' } });
    for (let i = 0; i < 50; i++) for (const id of ['1', '2']) await store.cursors.askRecord(PERSON, id, Date.now());
    const askedUntil = looks.length;
    await eventually(
      'both hear',
      () => new Set(watching.told.observed),
      (told) => told.size === 2,
    );
    await sleep(2500);
    assert.ok(looks.length <= askedUntil + 4, JSON.stringify(looks));
    assert.ok(closest() >= 990, `${closest()} ms apart`);
  });

  it('at a record that cannot be read looks at the feed', async () => {
    await lookedAt('changed', 1);
    watching.powerOffice.fail = (what) => {
      looks.push({ at: Date.now(), what });
      if (what === 'read') throw new SystemError('powerOffice', 'malformed', 'no such id');
    };
    await store.cursors.askRecord(PERSON, '1', Date.now());
    await lookedAt('changed', 2);
    assert.deepEqual(
      looks.map(({ what }) => what),
      ['changed', 'read', 'changed'],
    );
    assert.ok(closest() >= 990, `${closest()} ms apart`);
  });
});
