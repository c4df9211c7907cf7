import type { Client } from '@temporalio/client';
import { troubleSaid, type Trouble } from '../flows/faults.ts';
import type { Installation } from '../flows/installation.ts';
import { pollersOf } from './pollers.ts';
import { runningOf } from './runningWorkflows.ts';

/** A worker asks for tasks at least once a minute; one that has not for so long is not there (ms). */
const POLLED_WITHIN_MS = 90_000;
/** A workflow task that fails is tried again; from so many tries on it is more than a worker that went away. */
const TRIES = 3;
/** Where the server does not list such workflows, so many links that it lists first are looked at. */
const LOOKED_AT = 20;
/** Temporal's own attribute: set from the fifth failure in a row on. */
const FAILING = "TemporalReportedProblems = 'category=WorkflowTaskFailed'";

/**
 * Links that nobody carries on: no worker asks for their tasks, or their workflow tasks keep failing. A handful of calls,
 * however many links there are.
 */
export async function tendingTroubles(client: Client, installation: Installation): Promise<Trouble[]> {
  const [unserved, failing] = await Promise.all([noWorker(client, installation), tasksThatFail(client, installation)]);
  return [...unserved, ...failing];
}

async function noWorker(client: Client, { queue }: Installation): Promise<Trouble[]> {
  const pollers = await Promise.all((['workflow', 'activity'] as const).map((kind) => pollersOf(client, queue, kind)));
  const lastAsked = pollers.map((each) => Math.max(0, ...each.map(({ at }) => at)));
  const last = Math.min(...lastAsked);
  if (last > Date.now() - POLLED_WITHIN_MS) return [];
  const sentence = `no worker serves the task queue "${queue}": links and feeds wait`;
  return [troubleSaid('no-worker', { what: 'Temporal', sentence, since: last === 0 ? null : last })];
}

async function tasksThatFail(client: Client, { queue }: Installation): Promise<Trouble[]> {
  const links = await failingByAttribute(client, queue).catch(() => failingAmongFirst(client, queue));
  if (links.count === 0 || links.example === undefined) return [];
  const what = `${links.count} ${links.count === 1 ? 'link' : 'links'}`;
  const sentence = `the workflow tasks of ${links.atLeast ? 'at least ' : ''}${what} keep failing, as those of ${links.example}`;
  return [troubleSaid('task-fails', { what, sentence, since: null })];
}

interface Failing {
  readonly count: number;
  readonly example: string | undefined;
  readonly atLeast: boolean;
}

async function failingByAttribute(client: Client, queue: string): Promise<Failing> {
  const query = runningOf('link', queue, FAILING);
  const { count } = await client.workflow.count(query);
  if (count === 0) return { ...(await failingAmongFirst(client, queue)), atLeast: true };
  for await (const { workflowId } of client.workflow.list({ query, pageSize: 1 }))
    return { count, example: workflowId, atLeast: false };
  return { count: 0, example: undefined, atLeast: false };
}

/** Servers before 1.30 don't list them; newer ones do after some minutes. */
async function failingAmongFirst(client: Client, queue: string): Promise<Failing> {
  const {
    workflowService,
    options: { namespace },
  } = client;
  const ids: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query: runningOf('link', queue), pageSize: LOOKED_AT }))
    if (ids.push(workflowId) === LOOKED_AT) break;
  const tries = await Promise.all(
    ids.map(async (workflowId) => {
      const { pendingWorkflowTask } = await workflowService.describeWorkflowExecution({ namespace, execution: { workflowId } });
      return pendingWorkflowTask?.attempt ?? 0;
    }),
  );
  const failing = ids.filter((_, i) => (tries[i] ?? 0) >= TRIES);
  return { count: failing.length, example: failing[0], atLeast: true };
}
