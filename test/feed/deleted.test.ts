import assert from 'node:assert/strict';
import { feedKey } from '../../flows/names.ts';
import type { Store } from '../../store/store.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { makeStore } from '../support/world.ts';
import { FLOW, Watching } from './watching.ts';

describe('a system that tells of deletions', () => {
  let store: Store;
  let watching: Watching;
  let told: string[][];
  const asked: string[] = [];
  beforeEach(async () => {
    ({ store } = await makeStore());
    told = [];
    asked.length = 0;
    const { connector } = (watching = new Watching(store)).powerOffice;
    const since = (request: { since: string }): AsyncIterable<readonly string[]> => {
      asked.push(request.since);
      return (async function* () {
        yield* told;
      })();
    };
    const powerOffice = { ...connector, deletions: { types: ['Person'], since } };
    watching = new Watching(store, [FLOW], { connectors: { powerOffice, crm: watching.crm.connector } });
  });
  afterEach(() => store.close());

  /** A watcher that goes on for a minute and a half. */
  async function look(feed: ReturnType<Watching['feed']>): Promise<string[]> {
    watching.later(0.025);
    await feed.poll();
    await feed.drain();
    return watching.told.vanished.splice(0).map(({ sourceId }) => sourceId);
  }

  it('is believed as far as a list of ids: the links look, once, and a record that nobody links is nothing', async () => {
    for (const id of ['1', '2', '3']) await store.links.discover([record(id)], FLOW);
    const feed = watching.feed();
    told = [['2'], ['nobody', '3']];
    assert.deepEqual((await look(feed)).toSorted(), ['2', '3']);
    assert.deepEqual(await look(feed), [], 'within the overlap it is named again, and told no more');
    told = [['1']];
    assert.deepEqual(await look(feed), ['1']);
  });

  it('each question begins before the last one, and another watcher goes on from there', async () => {
    const feed = watching.feed();
    await look(feed);
    const first = watching.now;
    assert.equal((await store.cursors.get(feedKey('powerOffice', 'Person'))).deletedAt, first);
    await look(watching.feed());
    assert.equal(asked.at(-1), new Date(first - 600_000).toISOString());
  });

  const record = (sourceId: string): LinkRecord =>
    newRecord({ flow: FLOW.name, rules: { hash: 'r' }, sourceId, seen: null, now: watching.now });
});
