import assert from 'node:assert/strict';
import { rulesOf } from '../../activities/observation.ts';
import { linkKey } from '../../flows/names.ts';
import type { LandmarkStore } from '../../store/landmarks.ts';
import { connectMongo } from '../../store/connect.ts';
import { LinkPages } from '../../store/linkPages.ts';
import type { Store } from '../../store/store.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { SMALL_FLOW } from '../support/flow.ts';
import { makeStore } from '../support/world.ts';

/** Ids whose order as bytes is another one than as a string's units, and ids of a usual kind. */
const IDS = [...Array.from({ length: 60 }, (_, i) => `${500 + (i % 7)}/${i}`), '\u{1F600}', '\uFF5E', 'æ', 'a b', '~'];

describe('pages of links', () => {
  let store: Store;
  let mongo: Awaited<ReturnType<typeof connectMongo>>;
  before(async () => {
    const made = await makeStore();
    store = made.store;
    mongo = await connectMongo(made.uri, {});
    for (const [n, flow] of ['f', 'f-more', 'g'].entries())
      for (const [i, id] of IDS.entries())
        await store.links.write(
          {
            ...newRecord({ flow, rules: rulesOf(SMALL_FLOW), sourceId: id, seen: null, now: 0 }),
            revision: 1,
            status: i % 5 === n ? 'blocked' : 'in-step',
          },
          SMALL_FLOW,
        );
  });
  after(async () => {
    await mongo.client.close();
    await store.close();
  });

  const marked = (marks: Readonly<Record<string, readonly string[]>>): LinkPages => {
    const landmarks = { get: () => Promise.resolve(new Map(Object.entries(marks))) } as unknown as LandmarkStore;
    return new LinkPages(mongo.db, landmarks);
  };

  for (const [what, marks] of [
    ['without landmarks', {}],
    ['with landmarks', { f: ['500/0', '503/3', '506/55', '\uFF5E', '\u{1F600}'], g: ['506/6', '9'] }],
    ['with landmarks of ids that are gone', { f: ['1', '2', '3', '500/00', 'z'], 'f-more': ['zz'], gone: ['1'] }],
  ] as const)
    it(`${what}: every link once, in the order of keys, from wherever one goes on`, async () => {
      const pages = marked(marks);
      const flows = ['g', 'f', 'f-more', 'unknown'];
      for (const status of [undefined, 'blocked'] as const) {
        const all = (await store.links.list({ status })).map(({ _id }) => _id);
        for (const limit of [4, 500]) {
          const seen: string[] = [];
          for (let after: string | undefined; ;) {
            const page = await pages.read({ flows, status }, { limit, after });
            seen.push(...page.map(({ _id }) => _id));
            if (page.length < limit) break;
            after = seen.at(-1);
          }
          assert.deepEqual(seen, all, `${status} ${limit}`);
        }
      }
      const after = linkKey('f', '503/3');
      const one = await pages.read({ flows: ['f'] }, { limit: 3, after });
      assert.deepEqual(one, await store.links.list({ flow: 'f' }, { limit: 3, after }));
      for (const odd of ['', 'e', 'f', 'f;', 'g:', 'zz'])
        assert.deepEqual(
          (await pages.read({ flows }, { limit: 2, after: odd })).map(({ _id }) => _id),
          (await store.links.list({}, { limit: 2, after: odd })).map(({ _id }) => _id),
          odd,
        );
    });

  it('names ids near one that is not there', async () => {
    for (const marks of [{}, { f: ['502/', '503/3'] }]) {
      const near = await marked(marks).idsNear('f', '503/30');
      assert.ok(near.includes('503/3') && near.includes('503/31'), near.join());
    }
  });
});
