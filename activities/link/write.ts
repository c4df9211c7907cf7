import { SIDES, type Side } from '../../flows/side.ts';
import { isNoValue, sameValues } from '../../flows/values.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import type { Assignment } from '../../workflows/core/merge.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Snapshot } from '../../connectors/connector.ts';
import type { LinkDocument } from '../../store/documents.ts';
import { hasProperties, observationOf } from '../observation.ts';
import type { Attempt } from '../ports.ts';
import { unplanned, type LinkContext } from './context.ts';
import { changesTo, finishWrite } from './finishWrite.ts';
import { sending, type PlannedWrite } from './plannedWrite.ts';
import { recoverWrite } from './recoverWrite.ts';

/**
 * What a write overwrites is noted with its answer. An attempt that never got so far may have written all the same, and
 * what it overwrote may not be seen again: the next one notes it before anything else, as never answered.
 */
export async function noteOverwritten(
  context: LinkContext,
  { link, side, assignments }: Pick<PlannedWrite, 'link' | 'side' | 'assignments'>,
  attempt: Attempt,
): Promise<void> {
  if (attempt.number === 1) return;
  const changes = changesTo({ assignments }, (each) => each.value);
  await context.remember({ link, side, changes, attempt, unanswered: true });
}

/** An earlier attempt may have written without an answer: where this one cannot tell, the link has to know. */
export const orUnanswered = (outcome: Outcome, attempts: number): Outcome =>
  attempts === 1 || outcome.kind === 'written' ? outcome : { ...outcome, unanswered: true };

/** Writes one side on the condition that it still holds what was seen: replays what is stored, sends, recovers, finishes. */
export async function writeRecord(
  context: LinkContext,
  { link, side, assignments }: { readonly link: LinkRecord; readonly side: Side; readonly assignments: readonly Assignment[] },
  attempt: Attempt,
): Promise<Outcome> {
  const planned = link.seen[side];
  if (!planned) throw new Error('a write needs an observation');
  const flow = context.flowOf(link);
  const system = context.connectorOf(flow, side);
  const written = assignments.map((each) => each.property);
  const write: PlannedWrite = { context, link, side, assignments, written, planned, flow, system, attempt };

  const earlier = await replay(write);
  if ('outcome' in earlier) return earlier.outcome;
  await noteOverwritten(context, write, attempt);
  // Planned by a worker whose flow has more properties: the link goes on by the rules of this one.
  if (!hasProperties(flow, side, written)) return { kind: 'contended', found: {} };
  const held = await holdBack(write);
  if (held) return held;
  const newest = newestSeen(write, earlier.stored);
  // The feed saw an edit that the plan does not know: plan again, without a call.
  if (!sameValues(newest.values, planned.values) || newest.inScope !== planned.inScope)
    return { kind: 'contended', found: { [side]: newest } };

  const send = sending(write, newest);
  let answer: Snapshot;
  try {
    answer = await send(false);
  } catch (error) {
    if (!(error instanceof SystemError) || error.retryable) throw error;
    return recoverWrite({ ...write, newest }, send, error);
  }
  return finishWrite({ ...write, newest }, observationOf(flow, side, answer));
}

/** What another attempt has done already; else what the store says of the link. */
async function replay({
  context,
  link,
  side,
  written,
  planned,
  system,
  attempt,
}: PlannedWrite): Promise<{ readonly outcome: Outcome } | { readonly stored: LinkDocument | null }> {
  const { readSides, loadStored, replayStored } = context;
  // A first try need not ask the store where values are tested: its condition fails where anybody has written since. An
  // ETag moves with every edit, mapped or not: it is taken from the newest version that the feed or the link has seen.
  if (attempt.number === 1 && system.features().conditional === 'test' && planned.scope === undefined) return { stored: null };
  const { stored, done, ahead } = await loadStored(link);
  if (ahead) {
    const found = await readSides(link, { sides: SIDES, attempt });
    return { outcome: { kind: 'contended', found, revision: stored?.revision ?? 0 } };
  }
  return stored && done ? { outcome: replayStored(link, stored, { side, written }) } : { stored };
}

/** What the plan of this start says nothing of, and what would blank or make equal very many records, is not written. */
async function holdBack({ context, link, side, assignments, written }: PlannedWrite): Promise<Outcome | null> {
  const { allowance } = context.deps;
  const { flow, sourceId } = link;
  if (allowance && !assignments.every(({ property, value }) => allowance.change({ flow, sourceId, side, property, value })))
    return unplanned(context, { link, side, written });
  const overwrites = assignments.filter((each) => !isNoValue(each.expected));
  const blanks = overwrites.some((each) => isNoValue(each.value));
  const changes = [
    ...(blanks ? ['blank' as const] : []),
    ...overwrites.filter((each) => !isNoValue(each.value)).map(({ property, value }) => ({ side, property, value })),
  ];
  for (const change of changes) {
    const held = await context.guarded({ link, side, change });
    if (held) return held;
  }
  return null;
}

/** The newest that the store or the link has seen of the record. */
function newestSeen({ link, side, planned }: PlannedWrite, stored: LinkDocument | null): PlannedWrite['planned'] {
  const newest = stored?.seen[side];
  // What the system went back behind is not believed any more, although the store may still have it.
  return newest && newest.version > planned.version && newest.version > (link.back?.[side] ?? '') ? newest : planned;
}
