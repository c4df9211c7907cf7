import { setTimeout as sleep } from 'node:timers/promises';
import { feedKey } from '../../flows/names.ts';
import type { FeedInput } from '../../workflows/contract.ts';
import type { Deps } from '../deps.ts';
import type { Feed } from './feed.ts';

/** How often to see whether somebody asked for a look (ms), and how far apart looks that were asked for begin. */
const ASK_MS = 250;
const ASKED_APART_MS = 1000;

type Pausing = Pick<Deps, 'lookWhenAsked'> & {
  readonly store: { readonly cursors: Pick<Deps['store']['cursors'], 'get' | 'takeRecord'> };
};

/**
 * What was asked for as a look begins: what is asked for from here on is asked for anew. Told by what stands there, whoever's
 * clock wrote it.
 */
export async function askedSoFar({ store, lookWhenAsked }: Pausing, { system, type }: FeedInput): Promise<number | undefined> {
  if (!lookWhenAsked.includes(system)) return undefined;
  return store.cursors.get(feedKey(system, type)).then(
    ({ lookAsked }) => lookAsked,
    () => undefined,
  );
}

/**
 * Waits for the next poll. Where somebody names a record meanwhile that record is read; where somebody asks for the feed, or
 * names another record before the first was read, the wait ends. A second lies between any two looks; a system in trouble
 * is left alone until it is due.
 */
export async function untilNextLook(
  { store, lookWhenAsked }: Pausing,
  { system, type }: FeedInput,
  {
    feed,
    asked,
    pause,
    signal,
  }: {
    readonly feed: Pick<Feed, 'lookAt' | 'inTrouble'>;
    /** What was asked for as the last look began. */
    readonly asked: number | undefined;
    readonly pause: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const until = Date.now() + pause;
  const wait = (ms: number): Promise<void> => sleep(Math.max(0, ms), undefined, { signal }).catch(() => {});
  if (!lookWhenAsked.includes(system) || feed.inTrouble) return wait(pause);
  const key = feedKey(system, type);
  let last = Date.now();
  let looked = false;
  const apart = (): Promise<void> => wait(last + ASKED_APART_MS - Date.now());
  while (!signal.aborted && Date.now() < until) {
    await wait(Math.min(ASK_MS, until - Date.now()));
    const cursor = await store.cursors.get(key).catch(() => null);
    if (!cursor) continue;
    if (cursor.lookAsked !== asked) return apart();
    if (!cursor.recordAsked) continue;
    await apart();
    if (signal.aborted) return;
    // Taken first: whoever names it again from here on asks anew.
    if (!(await store.cursors.takeRecord(key, cursor.recordAsked).catch(() => false))) continue;
    const read = await feed.lookAt(cursor.recordAsked.id);
    last = Date.now();
    looked = true;
    if (!read) return apart();
  }
  if (looked) await apart();
}
