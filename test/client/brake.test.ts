import assert from 'node:assert/strict';
import { bulkChangeGuard } from '../../activities/link/bulkChangeGuard.ts';
import { rulesOf } from '../../activities/observation.ts';
import { approveHeld, withdrawHeld } from '../../client/brake.ts';
import { feedKey } from '../../flows/names.ts';
import type { Store } from '../../store/store.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { makeStore } from '../support/world.ts';
import { SMALL_FLOW as FLOW } from '../support/flow.ts';

const HELD = 60;

describe("a person's word on the brake", () => {
  let store: Store;
  let asked: { sourceId: string; message: object }[];
  const brake = () => ({
    store,
    steer: (_: string, sourceId: string, message: object) => {
      asked.push({ sourceId, message });
      return Promise.resolve();
    },
  });
  const guard = (now = Date.now()): Promise<string | null> => bulkChangeGuard(store, { flow: 'f', now, first: true });

  beforeEach(async () => {
    asked = [];
    ({ store } = await makeStore());
    for (let i = 0; i < HELD; i++) {
      const record = newRecord({ flow: 'f', rules: rulesOf(FLOW), sourceId: String(100 + i), seen: null, now: 0 });
      const properties = [i < 40 ? 'delete' : 'title'];
      const block = { code: 'held', side: 'target' as const, properties, at: 1 };
      await store.links.write({ ...record, revision: 1, status: 'blocked', block }, FLOW, 'held');
    }
    for (let i = 0; i <= 20; i++) await guard();
    const feed = feedKey('powerOffice', 'ContactPerson');
    const fence = await store.cursors.takeOver(feed);
    const missing = { side: 'source' as const, missing: 30, all: 50, since: 1 };
    await store.cursors.advance(feed, fence, {
      notBelieved: [
        { flow: 'f', ...missing },
        { flow: 'other', ...missing },
      ],
    });
  });
  afterEach(() => store.close());

  it('approve says exactly what it lets through, covers all of it, and asks for the list once more', async () => {
    assert.notEqual(await guard(), null);
    assert.deepEqual(await approveHeld(brake(), FLOW), { links: HELD, would: { delete: 40, title: 20 }, missing: 30 });
    assert.equal(new Set(asked.map(({ sourceId }) => sourceId)).size, HELD);
    assert.ok(asked.every(({ message }) => JSON.stringify(message) === '{"kind":"retry","approved":true}'));
    assert.equal(await guard(), null);
    assert.ok(((await store.cursors.get(feedKey('powerOffice', 'ContactPerson'))).idsAsked ?? 0) > 0);
  });

  it('withdraw gives it up: nothing is approved, and the next that would go the same way is held', async () => {
    assert.deepEqual(await withdrawHeld(brake(), FLOW), { links: HELD, would: { delete: 40, title: 20 }, missing: 0 });
    assert.ok(asked.every(({ message }) => JSON.stringify(message) === '{"kind":"sync"}'));
    assert.notEqual(await guard(), null);
  });
});
