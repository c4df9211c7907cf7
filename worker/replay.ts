import { WorkflowNotFoundError, type WorkflowExecutionInfo } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import type { Home } from '../activities/messenger.ts';
import { withBundle } from './bundle.ts';
import { begunBefore, limitedTo, runningOf } from './runningWorkflows.ts';

/** Ages of histories among which the oldest are looked for, oldest first: no list comes oldest first (ms). */
const HOUR = 3600_000;
const AGES = [1000 * 24, 365 * 24, 180 * 24, 90 * 24, 30 * 24, 7 * 24, 24, 6, 1, 1 / 6].map((hours) => hours * HOUR);

/** What came of a replay of running workflows in this build. */
export interface Replayed {
  /** How many histories, by the status of their links; feeds by themselves. */
  readonly replayed: Readonly<Record<string, number>>;
  /** Those that would stand still under this build. */
  readonly broken: readonly { readonly workflowId: string; readonly runId: string; readonly why: string }[];
}

type Run = Pick<WorkflowExecutionInfo, 'workflowId' | 'runId'>;

/** Replays histories of running links, some of every status, oldest and newest, and of feeds in this build's workflows. */
export async function replayRunning(
  { client, installation: { queue } }: Pick<Home, 'client' | 'installation'>,
  { statuses, each, onProgress }: { statuses: readonly string[]; each: number; onProgress?: ((n: number) => void) | undefined },
): Promise<Replayed> {
  const runs = new Map<string, Run>();
  const take = async (query: string, most: number): Promise<number> => {
    let taken = 0;
    for await (const { workflowId, runId } of client.workflow.list({ query, pageSize: most })) {
      if (taken++ >= most) break;
      runs.set(workflowId, { workflowId, runId });
    }
    return Math.min(taken, most);
  };
  const replayed: Record<string, number> = {};
  const sampled = async (name: string, take1: () => Promise<void>): Promise<void> => {
    const before = runs.size;
    await take1();
    replayed[name] = runs.size - before;
  };
  // Before the first worker a namespace does not know the attribute by which links are told apart.
  const { count } = await client.workflow.count(runningOf('link', queue));
  for (const status of count === 0 ? [] : statuses)
    await sampled(status, async () => {
      const query = runningOf('link', queue, limitedTo('status', status));
      await take(query, each);
      for (const age of AGES) {
        const old = runningOf('link', queue, limitedTo('status', status), begunBefore(new Date(Date.now() - age)));
        if ((await take(old, each)) > 0) break;
      }
    });
  await sampled('feeds', async () => void (await take(runningOf('feed', queue), 100)));

  async function* histories() {
    let n = 0;
    for (const { workflowId, runId } of runs.values())
      try {
        const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
        onProgress?.(++n);
        yield { workflowId, history };
      } catch (error) {
        // Gone meanwhile.
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
  }
  const broken: { workflowId: string; runId: string; why: string }[] = [];
  await withBundle(async (codePath) => {
    for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: { codePath } }, histories()))
      if (error) broken.push({ workflowId, runId: runs.get(workflowId)?.runId ?? '', why: plainly(error.message) });
  });
  return { replayed, broken };
}

/** What differs, without the wrapping of those who report it. */
const plainly = (message: string): string => /\[TMPRL\d+\] ([^"]+)/.exec(message)?.[1] ?? message.split('\n')[0] ?? '';
