import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { FeedActivities, FeedInput } from '../../workflows/contract.ts';
import type { Deps } from '../deps.ts';
import { Feed } from './feed.ts';
import { askedSoFar, untilNextLook } from './pause.ts';

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
      const asked = await askedSoFar(deps, input);
      await untilNextLook(deps, input, { feed, asked, pause: await feed.poll(), signal: abort.signal });
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
