import { neededFields, scopeOf } from '../../flows/flow.ts';
import { linkKey } from '../../flows/names.ts';
import { across, SIDES, type Side } from '../../flows/side.ts';
import { isNoValue, sameValue, sameValues, type Value } from '../../flows/values.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import type { Assignment } from '../../workflows/core/merge.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import type { Observation } from '../../workflows/core/state.ts';
import { observationOf } from '../observation.ts';
import type { Attempt } from '../ports.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { WriteCondition, Snapshot } from '../../connectors/connector.ts';
import { blamed, codeOf, unplanned, type PropertyChange, type LinkContext } from './context.ts';

interface Write {
  readonly link: LinkRecord;
  readonly side: Side;
  readonly assignments: readonly Assignment[];
}

/** Writes one side on the condition that it still holds what was seen. */
export async function writeRecord(context: LinkContext, { link, side, assignments }: Write, attempt: Attempt): Promise<Outcome> {
  const { deps, flowOf, connectorOf, idOf, readSides, missed, lag, loadStored, replayStored, commit, refuse, remember, guarded } =
    context;
  const flow = flowOf(link);
  const connector = connectorOf(flow, side);
  const id = idOf(link, side);
  const fields = neededFields(flow, side);
  const planned = link.seen[side];
  if (!planned) throw new Error('a write needs an observation');

  const written = assignments.map((each) => each.property);
  // A first try need not ask the store where values are tested: its condition fails where anybody has written since. An
  // ETag moves with every edit, mapped or not: it is taken from the newest version that the feed or the link has seen.
  const safe = attempt.number === 1 && connector.features().conditional === 'test' && planned.scope === undefined;
  const { stored, done, ahead } = safe ? { stored: null, done: false, ahead: false } : await loadStored(link);
  if (ahead)
    return { kind: 'contended', found: await readSides(link, { sides: SIDES, attempt }), revision: stored?.revision ?? 0 };
  if (stored && done) return replayStored(link, stored, { side, written });
  // What a write overwrites is noted with its answer. An attempt that never got so far may have written all the same,
  // and what it overwrote may not be seen again: the next one notes it before anything else, as never answered.
  if (attempt.number > 1) await remember({ link, side, changes: changesTo((each) => each.value), attempt, unanswered: true });
  const { allowance } = deps;
  if (
    allowance &&
    !assignments.every((each) =>
      allowance.change({ flow: link.flow, sourceId: link.sourceId, side, property: each.property, value: each.value }),
    )
  )
    return unplanned(context, { link, side, written });
  const overwrites = assignments.filter((each) => !isNoValue(each.expected));
  const blanks = overwrites.some((each) => isNoValue(each.value));
  const changes = [
    ...(blanks ? ['blank' as const] : []),
    ...overwrites.filter((each) => !isNoValue(each.value)).map(({ property, value }) => ({ side, property, value })),
  ];
  for (const change of changes) {
    const held = await guarded({ link, side, change });
    if (held) return held;
  }
  const newest = stored?.seen[side];
  // What the system went back behind is not believed any more, although the store may still have it.
  const moved = newest && newest.version > planned.version && newest.version > (link.back?.[side] ?? '') ? newest : null;
  // The feed saw an edit that the plan does not know: plan again, without a call.
  if (moved && (!sameValues(moved.values, planned.values) || moved.inScope !== planned.inScope))
    return { kind: 'contended', found: { [side]: moved } };

  const set = Object.fromEntries(assignments.map((each) => [each.property, each.value]));
  const scopeSeen = (moved ?? planned).scope ?? {};
  const scope = scopeOf(flow, side).flatMap(({ property, equals }) => {
    const value = equals === undefined ? scopeSeen[property] : equals;
    return value === undefined ? [] : [[property, value] as const];
  });
  const condition: WriteCondition = {
    test: Object.fromEntries([...scope, ...assignments.map((each) => [each.property, each.expected] as const)]),
    etag: (moved ?? planned).etag,
    version: (moved ?? planned).version,
  };
  const options = { priority: 'write' as const, signal: attempt.signal, again: attempt.number > 1 };
  const update = (unconditional: boolean): Promise<Snapshot> =>
    connector.update({ type: flow[side].type, id, set, condition, fields }, { ...options, unconditional });

  let answer: Snapshot;
  try {
    answer = await update(false);
  } catch (error) {
    if (!(error instanceof SystemError) || error.retryable) throw error;
    // It was written, and what it overwrote will not be seen again.
    if (error.stands) await remember({ link, side, changes: changesTo((each) => each.value), attempt });
    if (error.failure === 'gone') return { kind: 'read', found: { [side]: await missed(link, { side, attempt }) } };
    if (error.failure !== 'contended') return refusedWith(error);
    return contended(error);
  }
  return finish(observationOf(flow, side, answer));

  /** A condition did not hold, or may not have: wait out the lag, read both sides, let the link merge again. */
  async function contended(refusal: SystemError): Promise<Outcome> {
    await deps.time.sleep(lag(flow), attempt.signal);
    const found = await readSides(link, { sides: SIDES, attempt });
    const now = found[side];
    if (now === undefined || typeof now === 'string') return { kind: 'contended', found };
    // The value that an earlier attempt sent: its answer was lost, its effect was not. What a system made of that value
    // cannot be told from a person's edit, and counts as one: a conflict, in which nothing is lost.
    const ours = assignments.every((each) => sameValue(each.value, now.values[each.property]));
    if (attempt.number > 1 && ours) return finish(now);
    const probe = connector.conditionProbe;
    if (!probe?.isDoubtful(refusal) || !isAsExpected(now)) return { kind: 'contended', found };

    // Everything looks as expected and yet it was refused: a stale replica, another rule, or no condition at all.
    await deps.time.sleep(probe.readsApartMs, attempt.signal);
    const second = await readSides(link, { sides: SIDES, attempt });
    const later = second[side];
    if (later === undefined || typeof later === 'string' || !isAsExpected(later)) return { kind: 'contended', found: second };
    for (const unconditional of [false, true]) {
      if (unconditional && !probe.isOpen()) break;
      try {
        const observation = observationOf(flow, side, await update(unconditional));
        if (unconditional) {
          await probe.settleMissing();
          deps.log.warn({ event: 'capability', system: connector.name, conditional: 'none' }, probe.warning);
        }
        return await finish(observation);
      } catch (error) {
        if (!(error instanceof SystemError) || error.retryable) throw error;
        refusal = error;
      }
    }
    return refusedWith(refusal);
  }

  /** Whether a record holds what this write expects; as the conditions have it: null is not the empty string. */
  function isAsExpected(now: Observation): boolean {
    return (
      now.inScope &&
      assignments.every((each) => JSON.stringify(each.expected) === JSON.stringify(now.values[each.property] ?? null))
    );
  }

  function refusedWith(error: SystemError): Promise<Outcome> {
    const properties = blamed(error, written);
    return refuse({ link, side, code: codeOf(error), properties, text: error.text, written });
  }

  function changesTo(after: (each: Assignment) => Value): PropertyChange[] {
    return assignments.map((each) => ({
      property: each.property,
      why: each.why,
      before: each.expected,
      after: after(each),
      ...(each.instants ? { instants: each.instants } : {}),
    }));
  }

  /** How long an edit took, from the stamp of its record. The first comparison of two records that were there before is none. */
  function countCarried(): void {
    const edited = link.seen[across(side)];
    if (!edited || !assignments.every(({ why, property }) => why === 'edited' && property in link.base[side])) return;
    const [low, high] = edited.at;
    deps.meter?.carried({ flow: link.flow, side, seconds: Math.max(0, deps.time.now() - (low + high) / 2) / 1000 });
  }

  /** The write stands: history, then the link with its new base, in one document each. */
  async function finish(observation: Observation): Promise<Outcome> {
    const after = (each: Assignment): Value => observation.values[each.property] ?? null;
    await remember({ link, side, changes: changesTo(after), attempt });
    const base = { source: { ...link.base.source }, target: { ...link.base.target } };
    for (const each of assignments) {
      base[side][each.property] = observation.values[each.property] ?? null;
      if (each.from) base[across(side)][each.from.property] = each.from.value;
    }
    deps.log.info(
      {
        event: 'written',
        flow: link.flow,
        sourceId: link.sourceId,
        side,
        properties: assignments.map((each) => each.property),
        attempt: attempt.number,
      },
      'a record was written',
    );
    countCarried();
    // The answer shows what stands there now, also where the system's clock went back.
    const before = link.seen[side]?.version ?? '';
    const back = observation.version < before ? { back: { ...link.back, [side]: before } } : {};
    // The other side's refusal stands, and so does its text.
    const text = link.block ? ((await deps.store.links.byKey(linkKey(link.flow, link.sourceId)))?.block?.text ?? null) : null;
    return commit({
      link: { ...link, base, seen: { ...link.seen, [side]: observation }, ...back },
      outcome: { kind: 'written', seen: observation },
      side,
      written,
      text,
    });
  }
}
