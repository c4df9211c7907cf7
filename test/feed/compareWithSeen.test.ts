import assert from 'node:assert/strict';
import { rulesOf } from '../../activities/observation.ts';
import { feedKey } from '../../flows/names.ts';
import type { Store } from '../../store/store.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import type { Observation } from '../../workflows/core/state.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { makeStore } from '../support/world.ts';
import { FLOW, Watching } from './watching.ts';

const EXTERNAL_ID = 'poweroffice:Person:1';
const began = newRecord({ flow: FLOW.name, rules: rulesOf(FLOW), sourceId: '1', seen: null, now: 0 });
const BLOCK = { side: 'target', properties: [], at: 0 } as const;

describe('what a feed tells a link', () => {
  let store: Store;
  let watching: Watching;
  beforeEach(async () => {
    ({ store } = await makeStore());
    watching = new Watching(store);
  });
  afterEach(() => store.close());

  const seenAs = (side: 'powerOffice' | 'crm', id: string): Observation => {
    const { version, instant, at, fields } = watching[side].snapshot(watching[side].rows.get(id) as never);
    return { version, instant, at, inScope: true, values: fields };
  };
  /** Long ago, for the links of this feed: no list can be older than what they know. */
  const write = async (link: Partial<LinkRecord>): Promise<void> => {
    await store.links.write({ ...began, revision: 1, ...link }, FLOW);
    watching.later(1);
  };

  const WITHOUT: readonly [string, Partial<LinkRecord>, number][] = [
    ['is on its way to one', { status: 'linking' }, 1],
    ['was refused one', { status: 'blocked', block: { ...BLOCK, code: '422' } }, 0],
    ['waits for one', { status: 'linking', block: { ...BLOCK, code: 'unmatched' } }, 0],
    ['rests, as its source left the scope', { status: 'ended', ended: 'out of scope' }, 0],
    ['was unlinked by hand', { status: 'ended', ended: 'unlinked by hand' }, 0],
    ['is paused', { status: 'paused' }, 0],
  ];
  for (const [what, link, times] of WITHOUT)
    it(`a link without a target that ${what} is told of the record that carries its external id ${times > 0 ? 'at each look' : 'at no look'}`, async () => {
      await write(link);
      watching.crm.put('7', 1, { fields: { title: 'Kari' }, externalId: EXTERNAL_ID });
      const feed = watching.feed('crm', 'Contact');
      for (let look = 0; look < 3; look++) await feed.poll();
      assert.equal(watching.told.observed.length, 3 * times);
    });

  it('a record that was believed gone, and that a full comparison shows as it was, revives its link', async () => {
    watching.powerOffice.put('1', 1);
    const seen = { source: seenAs('powerOffice', '1'), target: null };
    await write({ status: 'ended', ended: 'source gone', targetId: '7', seen });
    watching.closed.add('1');
    const feed = watching.feed();
    await feed.poll();
    assert.deepEqual(watching.told.startedTold, [], 'the same as it knew says nothing');
    await store.cursors.ask(feedKey('powerOffice', 'Person'), { sweepAsked: watching.now + 1 });
    await feed.poll();
    await feed.drain();
    assert.deepEqual(watching.told.startedTold, ['1']);
  });

  it('a link that closes while its feed reads is not started anew from what the feed knew before', async () => {
    watching.crm.put('7', 1, { fields: { title: 'Kari' } });
    await write({ status: 'in-step', targetId: '7' });
    watching.closed.add('1');
    // The target was edited, and the workflow ends for its source's sake between the look into the store and the signal.
    watching.refuse = () => {
      const ended = { ...began, revision: 2, targetId: '7', status: 'ended', ended: 'source gone' } as const;
      watching.closing = store.links.write(ended, FLOW);
    };
    await watching.feed('crm', 'Contact').poll();
    assert.deepEqual(watching.told.startedTold, []);
  });

  it('a link that closed is started and told in one breath; one that ended by a deletion of its own is not', async () => {
    for (const final of [false, true]) {
      watching.powerOffice.put('1', 1);
      const seen = { source: seenAs('powerOffice', '1'), target: null };
      await write({ revision: final ? 3 : 2, status: 'ended', ended: 'source gone', targetId: '7', seen, final });
      watching.closed.add('1');
      watching.powerOffice.put('1', 50);
      await watching.feed().poll();
      assert.deepEqual(watching.told.startedTold, ['1'], `final: ${final}`);
      watching.told.startedTold.length = 1;
    }
  });
});
