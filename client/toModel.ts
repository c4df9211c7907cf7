import type { Flow } from '../flows/flow.ts';
import type { Installation } from '../flows/installation.ts';
import { reasonOf } from '../flows/reasons.ts';
import type { Side } from '../flows/side.ts';
import type { ChangeEventDocument } from '../store/changes.ts';
import type { HistoryDocument, LinkDocument } from '../store/documents.ts';
import type { Change, ChangeEvent, Link, LinkDetails } from './model.ts';

const iso = (at: number | Date): string => new Date(at).toISOString();

/** A link as callers are given it. */
export function plainLink(link: LinkDocument): Link {
  const { flow, sourceId, targetId, status, ended, conflicts, revision, block, last } = link;
  return {
    flow,
    sourceId,
    targetId,
    status,
    statusSince: iso(link.statusAt),
    ended,
    block: block && {
      code: block.code,
      side: block.side,
      properties: [...block.properties],
      text: block.text,
      ...explained(block.code),
      since: iso(block.at),
    },
    conflicts: [...conflicts],
    last: last && { what: last.what, at: iso(last.at) },
    revision,
  };
}

function explained(code: string): { meaning: string; advice: string } {
  const { meaning, advice } = reasonOf(code);
  return { meaning, advice };
}

/** A link with both records and its changes, as callers are given it. */
export function plainDetails({
  flow,
  installation,
  link,
  changes,
}: {
  readonly flow: Flow;
  readonly installation: Installation;
  readonly link: LinkDocument;
  readonly changes: readonly HistoryDocument[];
}): LinkDetails {
  const record = (side: Side): LinkDetails['source'] => ({
    id: side === 'source' ? link.sourceId : link.targetId,
    type: flow[side].type,
    system: flow[side].system,
    changedAt: link.seen[side]?.instant ?? null,
    values: { ...link.seen[side]?.values },
    base: { ...link.base[side] },
  });
  return {
    ...plainLink(link),
    source: record('source'),
    target: record('target'),
    history: changes.map((change) => plainChange(link.sourceId, change)),
    workflowId: installation.linkWorkflowId(link.flow, link.sourceId),
  };
}

/** A change as callers are given it. */
export function plainChange(sourceId: string, change: HistoryDocument): Change {
  const { _id: key, link, flow, side, property, why, before, after, unanswered = false } = change;
  const id = key.slice(link.length + 1);
  return { id, flow, sourceId, at: iso(change.at), side, property, why, before, after, unanswered };
}

/** An event as callers are given it. */
export function plainEvent({ _id: seq, key: id, at, ...event }: ChangeEventDocument): ChangeEvent {
  return { seq, id, at: iso(at), ...event };
}
