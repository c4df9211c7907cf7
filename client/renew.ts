import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Home } from '../activities/messenger.ts';
import { MESSAGES } from '../flows/names.ts';
import { begunBefore, limitedTo, runningOf } from '../worker/runningWorkflows.ts';

/** How `renew` goes about it. */
export interface RenewOptions {
  /** Only links of this flow. */
  readonly flow?: string | undefined;
  /** How many links are asked a second. Default 10. */
  readonly perSecond?: number | undefined;
  /** Only links whose history began before. Default now; the same instant again goes on where an earlier call was stopped. */
  readonly before?: Date | undefined;
  /** How long the last ones may take (ms). Default 30,000. */
  readonly patienceMs?: number | undefined;
  readonly onProgress?: ((asked: number, all: number) => void) | undefined;
}

/** What came of it: how many links were asked, and how many of them still have their old history. */
export interface Renewed {
  readonly before: string;
  readonly asked: number;
  readonly left: number;
}

/** Asks links, at a set rate, to continue as new. */
export async function renewLinks(
  { client, installation }: Pick<Home, 'client' | 'installation'>,
  { flow, perSecond = 10, before = new Date(), patienceMs = 30_000, onProgress }: RenewOptions,
): Promise<Renewed> {
  const query = runningOf(
    'link',
    installation.queue,
    begunBefore(before),
    ...(flow === undefined ? [] : [limitedTo('flow', flow)]),
  );
  const count = async (): Promise<number> => (await client.workflow.count(query)).count;
  const all = await count();
  const began = Date.now();
  let asked = 0;
  for await (const { workflowId } of client.workflow.list({ query })) {
    await sleep(Math.max(0, began + (asked * 1000) / perSecond - Date.now()));
    await client.workflow
      .getHandle(workflowId)
      .signal(MESSAGES.renew)
      .catch((error: unknown) => {
        // Closed meanwhile.
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
    onProgress?.(++asked, Math.max(asked, all));
  }
  let left = await count();
  for (const end = Date.now() + patienceMs; left > 0 && Date.now() < end; left = await count()) await sleep(200);
  return { before: before.toISOString(), asked, left };
}
