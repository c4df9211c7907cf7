import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { Flow } from '../flows/flow.ts';
import { linkWorkflowId, MESSAGES, SEARCH_ATTRIBUTES, TASK_QUEUE, WORKFLOWS } from '../flows/names.ts';
import type { LinkRecord } from '../workflows/contract.ts';
import type { Instants, LinkState, Observation } from '../workflows/core/state.ts';
import { rulesOf } from './observation.ts';
import type { Messenger } from './ports.ts';
import type { Side } from '../flows/side.ts';

const key = (name: string): ReturnType<typeof defineSearchAttributeKey<'KEYWORD'>> =>
  defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
const KEYS = {
  flow: key(SEARCH_ATTRIBUTES.flow),
  status: key(SEARCH_ATTRIBUTES.status),
  sourceId: key(SEARCH_ATTRIBUTES.sourceId),
  targetId: key(SEARCH_ATTRIBUTES.targetId),
};

/** A record that was found gone by all the reads that it takes. */
const GONE = { reads: 2, nextAt: 0 } as const;

/** A link's state as its record in the store says; for a link that is new, or whose workflow was lost. */
export function stateOf(flow: Flow, record: LinkRecord): LinkState {
  const side = (which: Side, id: string | null): LinkState['source'] => {
    const seen = record.seen[which];
    const since: Record<string, Instants> = seen
      ? Object.fromEntries(Object.keys(seen.values).map((property) => [property, seen.at]))
      : {};
    const gone = record.ended === `${which} gone` ? GONE : null;
    return { id, seen, base: record.base[which], since, doubt: false, gone };
  };
  return {
    flow: flow.name,
    rules: rulesOf(flow),
    revision: record.revision,
    incarnation: record.incarnation,
    source: side('source', record.sourceId),
    target: side('target', record.targetId),
    status: record.status,
    statusAt: record.statusAt,
    ended: record.ended,
    paused: record.status === 'paused',
    block: record.block && {
      code: record.block.code,
      side: record.block.side,
      properties: record.block.properties,
      at: record.block.at,
    },
    verdicts: {},
    conflicts: record.conflicts,
    stored: true,
    last: record.last,
  };
}

/** The record of a link that nothing is known of but its source. */
export function newRecord(flow: Flow, sourceId: string, seen: Observation | null, now: number): LinkRecord {
  return {
    flow: flow.name,
    sourceId,
    targetId: null,
    revision: 0,
    incarnation: 1,
    rules: rulesOf(flow).hash,
    status: 'linking',
    statusAt: now,
    ended: null,
    block: null,
    conflicts: [],
    last: null,
    base: { source: {}, target: {} },
    seen: { source: seen, target: null },
  };
}

/** Reaches link workflows through a Temporal client. */
export function temporalMessenger(client: Client): Messenger {
  return {
    start: (flow, record) => startLink(client, flow, record),
    signalObserved(flow, sourceId, told, knownRules) {
      const rules = rulesOf(flow);
      const handle = client.workflow.getHandle(linkWorkflowId(flow.name, sourceId));
      return delivered(handle.signal(MESSAGES.observed, knownRules === rules.hash ? told : { ...told, rules }));
    },
    signalRetry: (link) =>
      delivered(client.workflow.getHandle(linkWorkflowId(link.flow, link.sourceId)).signal(MESSAGES.steer, { kind: 'retry' })),
    signalVanished: (link, side) =>
      delivered(client.workflow.getHandle(linkWorkflowId(link.flow, link.sourceId)).signal(MESSAGES.vanished, { side })),
  };
}

/** Starts the workflow of a link; false where it runs already. */
export async function startLink(client: Client, flow: Flow, record: LinkRecord): Promise<boolean> {
  const state = stateOf(flow, record);
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
