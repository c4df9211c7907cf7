import assert from 'node:assert/strict';
import { followChanges, readChanges } from '../../client/follow.ts';
import { CursorTooOld } from '../../client/index.ts';
import type { Store } from '../../store/store.ts';

/** A stream that keeps these numbers; `late`: those that a page does not show yet. */
const streamOf = (kept: readonly number[], { newest = Math.max(0, ...kept), late = [] as readonly number[] } = {}): Store =>
  ({
    changes: {
      has: (number: number) => Promise.resolve(kept.includes(number)),
      after: (number: number, limit: number) =>
        Promise.resolve({
          events: kept
            .filter((each) => each > number && !late.includes(each))
            .slice(0, limit)
            .map((_id) => ({ _id, at: new Date(0), key: `e${_id}` })),
          newest,
          oldest: kept[0] ?? newest + 1,
        }),
    },
  }) as unknown as Store;
const read = async (store: Store, after: number): Promise<[number[], number]> => {
  const { events, next } = await readChanges(store, { after });
  return [events.map(({ seq }) => seq), next];
};
const tooOld = (goOnAfter: number) => (error: unknown) => error instanceof CursorTooOld && error.goOnAfter === goOnAfter;

describe('the stream of changes', () => {
  it('a cursor older than what is kept, or that never was, is an error that says from where one can go on', async () => {
    assert.deepEqual(await read(streamOf([4, 5, 6]), 3), [[4, 5, 6], 6]);
    await assert.rejects(read(streamOf([4, 5, 6]), 2), tooOld(3));
    await assert.rejects(read(streamOf([4, 5, 6]), 7), tooOld(6));
    await assert.rejects(read(streamOf([], { newest: 6 }), 2), tooOld(6));
    assert.deepEqual(await read(streamOf([], { newest: 6 }), 6), [[], 6]);
    await assert.rejects(async () => {
      for await (const _ of followChanges(streamOf([4]), { after: 1 })) assert.fail('nothing comes');
    }, tooOld(3));
  });

  it('an event that is gone before older ones is told, not passed over', async () => {
    const store = streamOf([2, 3, 5, 6]);
    assert.deepEqual(await read(store, 1), [[2, 3], 3]);
    await assert.rejects(read(store, 3), tooOld(4));
    assert.deepEqual(await read(store, 4), [[5, 6], 6]);
  });

  it('a number that a page does not show yet is waited for, whatever the page shows after it', async () => {
    const store = streamOf([1, 2, 3, 4], { late: [2] });
    assert.deepEqual(await read(store, 0), [[1], 1]);
    assert.deepEqual(await read(store, 1), [[], 1]);
  });
});
