import type { Client } from '@temporalio/client';

/** TASK_QUEUE_TYPE_…; its enum comes in a CommonJS package that has no names to import. */
const TASK_QUEUES = { workflow: 1, activity: 2 } as const;

/** A worker that asks for the tasks of a queue, and when it last did (ms). */
export interface Poller {
  readonly identity: string;
  readonly at: number;
}

/** Who asks for the tasks of a queue, as Temporal remembers it for some minutes. */
export async function pollersOf(
  { workflowService, options: { namespace } }: Pick<Client, 'workflowService' | 'options'>,
  queue: string,
  kind: keyof typeof TASK_QUEUES,
): Promise<Poller[]> {
  const { pollers } = await workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType: TASK_QUEUES[kind],
  });
  return (pollers ?? []).map(({ identity, lastAccessTime }) => ({
    identity: identity ?? '',
    at: 1000 * Number(lastAccessTime?.seconds ?? 0),
  }));
}
