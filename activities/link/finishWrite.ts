import { linkKey } from '../../flows/names.ts';
import { across } from '../../flows/side.ts';
import type { Value } from '../../flows/values.ts';
import type { Assignment } from '../../workflows/core/merge.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import type { Observation } from '../../workflows/core/state.ts';
import type { PropertyChange } from './context.ts';
import type { PlannedWrite } from './plannedWrite.ts';

/** The write stands: history, then the link with its new base, in one document each. */
export async function finishWrite(write: PlannedWrite, observation: Observation): Promise<Outcome> {
  const { context, link, side, assignments, written, attempt } = write;
  const { store, log } = context.deps;
  const answered = (each: Assignment): Value => observation.values[each.property] ?? null;
  await context.remember({ link, side, changes: changesTo(write, answered), attempt });
  const base = { source: { ...link.base.source }, target: { ...link.base.target } };
  for (const each of assignments) {
    base[side][each.property] = answered(each);
    if (each.from) base[across(side)][each.from.property] = each.from.value;
  }
  log.info(
    {
      event: 'written',
      flow: link.flow,
      sourceId: link.sourceId,
      side,
      properties: written,
      attempt: attempt.number,
    },
    'a record was written',
  );
  countCarried(write);
  // The answer shows what stands there now, also where the system's clock went back.
  const before = (write.newest ?? link.seen[side])?.version ?? '';
  const back = observation.version < before ? { back: { ...link.back, [side]: before } } : {};
  // The other side's refusal stands, and so does its text.
  const text = link.block ? ((await store.links.byKey(linkKey(link.flow, link.sourceId)))?.block?.text ?? null) : null;
  const outcome = await context.commit({
    link: { ...link, base, seen: { ...link.seen, [side]: observation }, ...back },
    outcome: { kind: 'written', seen: observation },
    side,
    written,
    text,
  });
  return outcome.kind === 'written' ? outcome : { ...outcome, unanswered: true };
}

/** What a write changes, as the history keeps it; `after` says what stands there then. */
export const changesTo = (
  { assignments }: Pick<PlannedWrite, 'assignments'>,
  after: (each: Assignment) => Value,
): PropertyChange[] =>
  assignments.map((each) => ({
    property: each.property,
    why: each.why,
    before: each.expected,
    after: after(each),
    ...(each.instants ? { instants: each.instants } : {}),
  }));

/** How long an edit took, from the stamp of its record. The first comparison of two records that were there before is none. */
function countCarried({ context, link, side, assignments }: PlannedWrite): void {
  const { meter, time } = context.deps;
  const edited = link.seen[across(side)];
  if (!edited || !assignments.every(({ why, property }) => why === 'edited' && property in link.base[side])) return;
  const [low, high] = edited.at;
  meter?.carried({ flow: link.flow, side, seconds: Math.max(0, time.now() - (low + high) / 2) / 1000 });
}
