import { continueAsNew, proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { FeedActivities, FeedInput } from './contract.ts';

/**
 * One feed watcher. The polling happens inside one heartbeating activity, so that an idle feed writes no history; the
 * workflow only makes sure that there is always exactly one.
 */
export async function feed(input: FeedInput): Promise<void> {
  setCurrentDetails(
    `watching ${input.system} ${input.type}; a watcher that falls silent is replaced after ${input.takeoverSeconds} s`,
  );
  const { watchFeed } = proxyActivities<FeedActivities>({
    startToCloseTimeout: '26 hours',
    heartbeatTimeout: input.takeoverSeconds * 1000,
    retry: { initialInterval: '1 second', backoffCoefficient: 1 },
    summary: `watch ${input.system} ${input.type}`,
  });
  await watchFeed(input);
  await continueAsNew<typeof feed>(input);
}
