import {
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowHandle,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { Flow } from '../flows/flow.ts';
import type { Installation } from '../flows/installation.ts';
import { MESSAGES, SEARCH_ATTRIBUTES, WORKFLOWS } from '../flows/names.ts';
import type { LinkRecord } from '../workflows/contract.ts';
import type { Message } from '../workflows/core/receive.ts';
import type { LinkState } from '../workflows/core/state.ts';
import { stateOf } from '../workflows/linkRecord.ts';
import { rulesOf } from './observation.ts';
import { LinkRefuses, type Messenger } from './ports.ts';

/** Status codes of gRPC. */
const [INVALID_ARGUMENT, RESOURCE_EXHAUSTED] = [3, 8];

const key = (name: string): ReturnType<typeof defineSearchAttributeKey<'KEYWORD'>> =>
  defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
const KEYS = {
  flow: key(SEARCH_ATTRIBUTES.flow),
  status: key(SEARCH_ATTRIBUTES.status),
  sourceId: key(SEARCH_ATTRIBUTES.sourceId),
  targetId: key(SEARCH_ATTRIBUTES.targetId),
};

/** Where links live: the installation, and whose systems it keeps in step. */
export interface Home {
  readonly client: Client;
  readonly installation: Installation;
  readonly world: string | undefined;
}

/** Reaches link workflows through a Temporal client. */
export function temporalMessenger(home: Home): Messenger {
  const handleOf = (flow: string, sourceId: string): WorkflowHandle =>
    home.client.workflow.getHandle(home.installation.linkWorkflowId(flow, sourceId));
  return {
    start: (flow, record) => startLink(home, flow, record),
    async startTold(flow, record, message) {
      const told = { signal: MESSAGES.observed, signalArgs: [{ ...message, rules: rulesOf(flow) }] };
      const start = linkStart(home, flow, record);
      await home.client.workflow.signalWithStart(WORKFLOWS.link, { ...start, ...told }).catch((error: unknown) => {
        throw ofOneLink(error);
      });
    },
    signalObserved({ flow, sourceId, knownRules }, message) {
      const rules = rulesOf(flow);
      const handle = handleOf(flow.name, sourceId);
      return delivered(handle.signal(MESSAGES.observed, knownRules === rules.hash ? message : { ...message, rules }));
    },
    signalRetry: (link) => steerLink(home, link, { kind: 'retry' }),
    signalVanished: (link, side, approved) =>
      delivered(
        handleOf(link.flow, link.sourceId).signal(MESSAGES.vanished, { side, ...(approved === true ? { approved } : {}) }),
      ),
  };
}

/** How the workflow of a link is started; it goes on from what its record says. */
export function linkStart({ installation, world }: Omit<Home, 'client'>, flow: Flow, record: LinkRecord): LinkStart {
  const state: LinkState = { ...stateOf(record, rulesOf(flow)), ...(world === undefined ? {} : { world }) };
  const { names } = state.rules;
  return {
    workflowId: installation.linkWorkflowId(flow.name, record.sourceId),
    taskQueue: installation.queue,
    args: [state],
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
  };
}

type LinkStart = Required<Pick<WorkflowStartOptions, 'workflowId' | 'taskQueue'>> &
  Pick<WorkflowStartOptions, 'staticSummary' | 'memo' | 'typedSearchAttributes'> & { args: [LinkState] };

/** Starts the workflow of a link; false where it runs already. */
export async function startLink(home: Home, flow: Flow, record: LinkRecord): Promise<boolean> {
  try {
    await home.client.workflow.start(WORKFLOWS.link, { ...linkStart(home, flow, record), workflowIdConflictPolicy: 'FAIL' });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw ofOneLink(error);
  }
}

/** A person's request to a running link; false where no such workflow runs. */
export function steerLink(
  { client, installation }: Omit<Home, 'world'>,
  link: { readonly flow: string; readonly sourceId: string },
  request: Exclude<Message, { kind: 'observed' | 'vanished' }>,
): Promise<boolean> {
  return delivered(
    client.workflow.getHandle(installation.linkWorkflowId(link.flow, link.sourceId)).signal(MESSAGES.steer, request),
  );
}

async function delivered(signal: Promise<void>): Promise<boolean> {
  try {
    await signal;
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw ofOneLink(error);
  }
}

/** What Temporal refuses for the sake of one workflow: too many signals, too long a history, too large a message. */
function ofOneLink(error: unknown): unknown {
  const cause = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : error;
  if (!isGrpcServiceError(cause)) return error;
  const code = Number(cause.code);
  // Other arguments may be invalid for all, a search attribute that the namespace lacks for instance.
  const full = code === INVALID_ARGUMENT && /\b(limit|exceed\w*)\b/i.test(cause.details);
  const busy = code === RESOURCE_EXHAUSTED && /workflow is busy/i.test(cause.details);
  return full || busy ? new LinkRefuses('its link takes no message for now', { cause: error }) : error;
}
