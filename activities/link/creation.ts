import { neededFields, type Flow } from '../../flows/flow.ts';
import { linkKey } from '../../flows/names.ts';
import type { Values } from '../../flows/values.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import type { CallOptions, Connector, CreateRequest, Snapshot } from '../../connectors/connector.ts';
import type { CreationNote, LinkDocument } from '../../store/documents.ts';
import type { Attempt } from '../ports.ts';
import type { LinkContext } from './context.ts';

/** A link that is blocked over several candidates looks for them so long before the block (ms). */
const AMBIGUOUS_SLACK_MS = 3600_000;

/** All that is known as a target record is created; each phase takes it from the one before. */
export interface Creation {
  readonly context: LinkContext;
  readonly link: LinkRecord;
  readonly flow: Flow;
  readonly system: Connector;
  readonly request: CreateRequest;
  readonly attempt: Attempt;
  readonly options: CallOptions;
  readonly stored: LinkDocument | null;
  /** What the attempts before have noted, for this incarnation of the target. */
  readonly note: CreationNote | null;
  /** An earlier answer may be lost while its record is there; since when it may be (ms). */
  readonly lost: boolean;
  readonly lostSince: number;
  /** The record that the plan has found there. */
  readonly planned: string | undefined;
}

/** The record, made just now or found; or why there is none. */
export type Sent = Made | { readonly refusal: Outcome };

/** A record of the link's own. */
export interface Made {
  readonly record: Snapshot;
  readonly found: boolean;
  /** What the create itself was answered with, where the record may have been edited since. */
  readonly answer?: Snapshot;
}

/** Whether the system itself refuses, or recognises, a second try. */
export const tellsTriesApart = (creation: Pick<Creation, 'system'>): boolean =>
  creation.system.features().idempotencyKey || hasUniqueName(creation);

/**
 * Whether whatever a try made is found by a name that no other record has. A key alone is known to the one activity that sends
 * it: where its workflow is lost, or it is held back, nobody sends that key again.
 */
export function hasUniqueName({ system }: Pick<Creation, 'system'>): boolean {
  const { externalId, uniqueExternalId } = system.features();
  return externalId && uniqueExternalId !== false;
}

/** Whether an earlier try may have made the record: its answer is not known. */
export const isPerhapsThere = ({ lost, note }: Creation): boolean => lost || (note?.tries ?? 0) > 0;

/** Puts together what is known before the first phase; `stored`: the store's word on the link, where it was asked. */
export function creationOf(
  context: LinkContext,
  { link, values, stored }: { readonly link: LinkRecord; readonly values: Values; readonly stored: LinkDocument | null },
  attempt: Attempt,
): Creation {
  const { deps } = context;
  const flow = context.flowOf(link);
  const unclear = stored?.block?.code === 'ambiguous' ? stored.block.at - AMBIGUOUS_SLACK_MS : null;
  const lost = attempt.number > 1 || unclear !== null;
  return {
    context,
    link,
    flow,
    system: context.connectorOf(flow, 'target'),
    request: {
      type: flow.target.type,
      values,
      fields: [...new Set([...neededFields(flow, 'target'), ...Object.keys(values)])],
      identity: {
        externalId: deps.installation.externalId(flow, link.sourceId),
        idempotencyKey: deps.installation.idempotencyKey(linkKey(link.flow, link.sourceId), link.incarnation, link.revision),
      },
    },
    attempt,
    options: { priority: 'write', signal: attempt.signal, again: lost },
    stored,
    note: stored?.creation?.incarnation === link.incarnation ? stored.creation : null,
    lost,
    lostSince: unclear ?? attempt.scheduledAt,
    planned: deps.allowance?.linkOf(link.flow, link.sourceId),
  };
}
