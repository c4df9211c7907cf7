import type { WorkerOptions } from '@temporalio/worker';

/** How every worker is set up; the bench gives its bare floor the same. */
export const WORKER_OPTIONS: Pick<
  WorkerOptions,
  | 'maxCachedWorkflows'
  | 'maxConcurrentActivityTaskExecutions'
  | 'shutdownGraceTime'
  | 'stickyQueueScheduleToStartTimeout'
  | 'workflowTaskPollerBehavior'
  | 'activityTaskPollerBehavior'
> = {
  maxCachedWorkflows: 500,
  maxConcurrentActivityTaskExecutions: 100,
  shutdownGraceTime: '20s',
  // A worker that was killed holds up a link's next task for so long.
  stickyQueueScheduleToStartTimeout: '2s',
  workflowTaskPollerBehavior: { type: 'autoscaling' },
  activityTaskPollerBehavior: { type: 'autoscaling' },
};
