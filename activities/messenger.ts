import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { Flow } from '../flows/flow.ts';
import { linkWorkflowId, MESSAGES, SEARCH_ATTRIBUTES, TASK_QUEUE, WORKFLOWS } from '../flows/names.ts';
import type { LinkRecord } from '../workflows/contract.ts';
import { stateOf } from '../workflows/record.ts';
import { rulesOf } from './observation.ts';
import type { Messenger } from './ports.ts';

const key = (name: string): ReturnType<typeof defineSearchAttributeKey<'KEYWORD'>> =>
  defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
const KEYS = {
  flow: key(SEARCH_ATTRIBUTES.flow),
  status: key(SEARCH_ATTRIBUTES.status),
  sourceId: key(SEARCH_ATTRIBUTES.sourceId),
  targetId: key(SEARCH_ATTRIBUTES.targetId),
};

/** Reaches link workflows through a Temporal client. */
export function temporalMessenger(client: Client): Messenger {
  return {
    start: (flow, record) => startLink(client, flow, record),
    signalObserved(flow, sourceId, message, knownRules) {
      const rules = rulesOf(flow);
      const handle = client.workflow.getHandle(linkWorkflowId(flow.name, sourceId));
      return delivered(handle.signal(MESSAGES.observed, knownRules === rules.hash ? message : { ...message, rules }));
    },
    signalRetry: (link) =>
      delivered(client.workflow.getHandle(linkWorkflowId(link.flow, link.sourceId)).signal(MESSAGES.steer, { kind: 'retry' })),
    signalVanished: (link, side) =>
      delivered(client.workflow.getHandle(linkWorkflowId(link.flow, link.sourceId)).signal(MESSAGES.vanished, { side })),
  };
}

/** Starts the workflow of a link; false where it runs already. */
export async function startLink(client: Client, flow: Flow, record: LinkRecord): Promise<boolean> {
  const state = stateOf(record, rulesOf(flow));
  const { names } = state.rules;
  try {
    await client.workflow.start(WORKFLOWS.link, {
      workflowId: linkWorkflowId(flow.name, record.sourceId),
      taskQueue: TASK_QUEUE,
      args: [state],
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: `${names.source} ${record.sourceId} with a ${names.target}`,
      memo: {
        pair: `${names.source} ${record.sourceId} <-> ${names.target} ${record.targetId ?? '(none yet)'}`,
        status: record.status,
      },
      typedSearchAttributes: [
        { key: KEYS.flow, value: flow.name },
        { key: KEYS.status, value: record.status },
        { key: KEYS.sourceId, value: record.sourceId },
        ...(record.targetId === null ? [] : [{ key: KEYS.targetId, value: record.targetId }]),
      ],
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

async function delivered(signal: Promise<void>): Promise<boolean> {
  try {
    await signal;
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
