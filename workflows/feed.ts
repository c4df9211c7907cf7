import {
  CancellationScope,
  continueAsNew,
  defineSignal,
  isCancellation,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import { MESSAGES } from '../flows/names.ts';
import type { FeedActivities, FeedInput } from './contract.ts';

/** A worker that started says for how many seconds a watcher may be silent. */
export const takeover = defineSignal<[number]>(MESSAGES.takeover);

/**
 * One feed watcher. The polling happens inside one heartbeating activity, so that an idle feed writes no history; the
 * workflow only makes sure that there is always exactly one.
 */
export async function feed(input: FeedInput): Promise<void> {
  let { takeoverSeconds } = input;
  const watching = new CancellationScope();
  setHandler(takeover, (seconds) => {
    // An older worker may have left the same message alone.
    if (seconds === takeoverSeconds || !patched('takeover')) return;
    takeoverSeconds = seconds;
    // The watcher goes on under the new time; where two overlap, the later one alone moves the cursor.
    watching.cancel();
  });
  setCurrentDetails(
    `watching ${input.system} ${input.type}; a watcher that falls silent is replaced after ${input.takeoverSeconds} s`,
  );
  const { watchFeed } = proxyActivities<FeedActivities>({
    startToCloseTimeout: '26 hours',
    heartbeatTimeout: input.takeoverSeconds * 1000,
    retry: { initialInterval: '1 second', backoffCoefficient: 1 },
    summary: `watch ${input.system} ${input.type}`,
  });
  try {
    await watching.run(() => watchFeed(input));
  } catch (error) {
    if (!isCancellation(error) || takeoverSeconds === input.takeoverSeconds) throw error;
  }
  await continueAsNew<typeof feed>({ ...input, takeoverSeconds });
}
