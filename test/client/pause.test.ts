import assert from 'node:assert/strict';
import { rulesOf } from '../../activities/observation.ts';
import { setPaused } from '../../client/pause.ts';
import type { Flow } from '../../flows/flow.ts';
import { feedsOf } from '../../flows/flow.ts';
import type { Store } from '../../store/store.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { makeStore } from '../support/world.ts';
import { SMALL_FLOW as FLOW } from '../support/flow.ts';

const OTHER: Flow = { ...FLOW, name: 'other', source: { ...FLOW.source, type: 'Supplier' } };
const NOW = 1_767_225_600_000;

describe("a person's word on a whole flow or system", () => {
  let store: Store;
  let asked: { flow: string; sourceId: string; message: object }[];
  const say = (name: string, paused: boolean): Promise<void> =>
    setPaused(
      {
        store,
        flows: [FLOW, OTHER],
        steer: (flow, sourceId, message) => Promise.resolve(void asked.push({ flow, sourceId, message })),
        now: () => NOW,
      },
      name,
      paused,
    );
  const askedFor = async (flow: Flow): Promise<(number | undefined)[]> =>
    Promise.all(feedsOf([flow]).map(async (feed) => (await store.cursors.get(feed)).idsAsked));

  beforeEach(async () => {
    asked = [];
    ({ store } = await makeStore());
    for (const flow of [FLOW, OTHER])
      for (const [sourceId, code] of [
        ['1', 'flow-paused'],
        ['2', 'held'],
      ] as const) {
        const record = newRecord({ flow: flow.name, rules: rulesOf(flow), sourceId, seen: null, now: 0 });
        const block = { code, side: 'target' as const, properties: [], at: 1 };
        await store.links.write({ ...record, revision: 1, status: 'paused', block }, flow, code);
      }
  });
  afterEach(() => store.close());

  it('a flow that goes on wakes those that wait for it alone, and looks for what was deleted meanwhile', async () => {
    await say('f', true);
    assert.deepEqual(await store.limits.paused(), ['f']);
    assert.deepEqual([asked, await askedFor(FLOW)], [[], [undefined, undefined]]);
    await say('f', false);
    assert.deepEqual(await store.limits.paused(), []);
    assert.deepEqual(asked, [{ flow: 'f', sourceId: '1', message: { kind: 'retry' } }]);
    assert.deepEqual(await askedFor(FLOW), [NOW, NOW]);
    assert.equal((await askedFor(OTHER))[0], undefined);
  });

  it('a system that goes on does so for each of its flows', async () => {
    await say('crm', true);
    await say('crm', false);
    assert.deepEqual(
      asked.map(({ flow, sourceId }) => [flow, sourceId]),
      [
        ['f', '1'],
        ['other', '1'],
      ],
    );
    assert.deepEqual([...(await askedFor(FLOW)), ...(await askedFor(OTHER))], [NOW, NOW, NOW, NOW]);
  });
});
