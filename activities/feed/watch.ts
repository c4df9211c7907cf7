import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { feedKey } from '../../flows/names.ts';
import type { FeedActivities, FeedInput } from '../../workflows/contract.ts';
import type { Deps } from '../deps.ts';
import { Feed } from './feed.ts';

const TURN_MS = 24 * 3600 * 1000;

/** The feed watcher's activity: it polls until the worker stops, the attempt is replaced, or a day has passed. */
export function feedActivities(deps: Deps): FeedActivities {
  return { watchFeed: (input) => watch(deps, input) };
}

async function watch(deps: Deps, input: FeedInput): Promise<void> {
  const context = Context.current();
  const abort = new AbortController();
  const stop = (): void => abort.abort(new Error('handed over'));
  if (deps.stopping.aborted) stop();
  deps.stopping.addEventListener('abort', stop, { once: true });
  context.cancellationSignal.addEventListener('abort', stop, { once: true });
  context.heartbeat();
  const beat = setInterval(() => context.heartbeat(), Math.max(500, (input.takeoverSeconds * 1000) / 4));
  const feed = new Feed(deps, input, abort.signal);
  const until = Date.now() + TURN_MS;
  let handedOver = false;
  try {
    while (!abort.signal.aborted && !feed.isTaken && Date.now() < until) {
      const began = Date.now();
      await untilNextLook(deps, input, { pause: await feed.poll(), began, signal: abort.signal });
    }
  } finally {
    handedOver = abort.signal.aborted || feed.isTaken;
    // What reads a whole list goes on from where it stands, in the next turn.
    stop();
    await feed.drain();
    clearInterval(beat);
    deps.stopping.removeEventListener('abort', stop);
    context.cancellationSignal.removeEventListener('abort', stop);
  }
  if (handedOver)
    throw ApplicationFailure.create({
      message: 'handed over: the worker was stopped, or another watcher has the feed',
      type: 'HandOver',
      nextRetryDelay: 100,
    });
}

/** How often to see whether somebody asked for a look (ms), and how far apart looks that were asked for begin. */
const ASK_MS = 250;
const ASKED_APART_MS = 1000;

/** Waits for the next poll; less long where somebody asked for a look since the last one began. */
async function untilNextLook(
  { store, lookWhenAsked }: Pick<Deps, 'store' | 'lookWhenAsked'>,
  { system, type }: FeedInput,
  { pause, began, signal }: { pause: number; began: number; signal: AbortSignal },
): Promise<void> {
  const until = Date.now() + pause;
  const wait = (ms: number): Promise<void> => sleep(Math.max(0, ms), undefined, { signal }).catch(() => {});
  if (!lookWhenAsked.includes(system)) return wait(pause);
  while (!signal.aborted && Date.now() < until) {
    await wait(Math.min(ASK_MS, until - Date.now()));
    const asked = await store.cursors.get(feedKey(system, type)).then(
      ({ lookAsked = 0 }) => lookAsked,
      () => 0,
    );
    if (asked >= began) return wait(began + ASKED_APART_MS - Date.now());
  }
}
