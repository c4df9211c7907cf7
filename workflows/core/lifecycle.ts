import { conditionsHold } from '../../flows/valuesMatch.ts';
import { convert } from '../../flows/convert.ts';
import { across, SIDES, type Side } from '../../flows/side.ts';
import { isNoValue, sameValue, type Value, type Values } from '../../flows/values.ts';
import { merge, type Assignment } from './merge.ts';
import { isWaiting, type EndReason, type LinkState, type SideState, type Status } from './state.ts';

/** What a link does next. Steps that write to the store carry the revision under which they do. */
export type Step =
  | {
      readonly kind: 'create';
      readonly revision: number;
      readonly values: Values;
      readonly status: Status;
      readonly what: string;
    }
  | {
      readonly kind: 'write';
      readonly revision: number;
      readonly side: Side;
      readonly assignments: readonly Assignment[];
      readonly status: Status;
      readonly what: string;
    }
  | { readonly kind: 'remove'; readonly revision: number; readonly side: Side }
  | { readonly kind: 'read'; readonly sides: readonly Side[] }
  | { readonly kind: 'confirm'; readonly side: Side }
  | { readonly kind: 'store'; readonly revision: number }
  | { readonly kind: 'wait'; readonly until: number | null }
  | { readonly kind: 'close' };

/** A blocked link tries again once a day (ms). */
export const BLOCK_RETRY_MS = 24 * 3600 * 1000;
/** Time between the two direct reads that a deletion takes (ms). */
export const GONE_APART_MS = 6000;
const GONE_READS = 2;

/** The state with that status since `now`; unchanged where it stands already. */
export function withStatus(state: LinkState, now: number, status: Status, ended: EndReason | null = null): LinkState {
  if (state.status === status && state.ended === ended) return state;
  return { ...state, status, ended, statusAt: now, stored: false };
}

/** Sets the base of one property; `since` is forgotten where the value stands at its base. */
export function rebase(state: LinkState, side: Side, property: string, value: Value): LinkState {
  const now = state[side];
  const { [property]: _, ...since } = now.since;
  const stands = sameValue(now.seen?.values[property], value);
  return { ...state, [side]: { ...now, base: { ...now.base, [property]: value }, since: stands ? since : now.since } };
}

/** Moves the base of pairs on which both sides agree, and closes verdicts whose values stand on both sides. */
function settle(state: LinkState): LinkState {
  let next = state;
  for (const pair of merge(state).agreed) {
    for (const side of SIDES) next = rebase(next, side, pair[side], next[side].seen?.values[pair[side]] ?? null);
    next = { ...next, stored: false };
  }
  for (const pair of next.rules.pairs) {
    let verdict = next.verdicts[pair.source];
    if (!verdict) continue;
    for (const side of SIDES) {
      const value: Value = next[side].seen?.values[pair[side]] ?? null;
      if (verdict.done.includes(side) || !sameValue(verdict[side], value)) continue;
      verdict = { ...verdict, done: [...verdict.done, side] };
      next = { ...rebase(next, side, pair[side], value), stored: false };
    }
    const { [pair.source]: _, ...open } = next.verdicts;
    next = { ...next, verdicts: verdict.done.length === SIDES.length ? open : { ...open, [pair.source]: verdict } };
  }
  return next;
}

/** What a new target record is created with. */
export function creationValues(state: LinkState): { values: Values; unconvertible: string | null } {
  const values: Record<string, Value> = { ...state.rules.create };
  const source = state.source.seen?.values ?? {};
  for (const pair of state.rules.pairs) {
    if (pair.direction === 'toSource' || !conditionsHold(pair, { source, target: values })) continue;
    try {
      const value = convert(state.source.seen?.values[pair.source], pair.type);
      if (!isNoValue(value)) values[pair.target] = value;
    } catch {
      return { values, unconvertible: pair.source };
    }
  }
  return { values, unconvertible: null };
}

function idle(state: LinkState, until: number | null): { state: LinkState; step: Step } {
  if (state.stored) return { state, step: { kind: 'wait', until } };
  const revision = state.revision + 1;
  return { state: { ...state, revision }, step: { kind: 'store', revision } };
}

function blockOn(state: LinkState, side: Side, property: string, now: number): { state: LinkState; step: Step } {
  const block = { code: 'type', side, properties: [property], at: now };
  return idle(withStatus({ ...state, block, stored: false }, now, 'blocked'), now + BLOCK_RETRY_MS);
}

/** Decides what a link does next at `now` (ms). Pure: the same state and instant give the same step. */
export function advance(before: LinkState, now: number): { state: LinkState; step: Step } {
  let state = before;
  if (state.ended === 'source gone') return state.stored ? { state, step: { kind: 'close' } } : idle(state, null);
  if (state.paused) return idle(withStatus(state, now, 'paused', state.ended), null);
  if (state.ended === 'unlinked by hand') return idle(withStatus(state, now, 'ended', state.ended), null);

  // Held back because very many would go the same way: a person approves, nothing else gets past.
  if (state.block?.code === 'held' && now < state.block.at + BLOCK_RETRY_MS)
    return idle(withStatus(state, now, 'blocked'), state.block.at + BLOCK_RETRY_MS);

  for (const side of SIDES) {
    const gone = state[side].gone;
    if (!gone) continue;
    if (gone.reads >= GONE_READS) {
      if (
        side === 'source' &&
        state.rules.onSourceDeleted === 'delete' &&
        state.target.id !== null &&
        state.ended !== 'target gone'
      )
        return {
          state: { ...state, revision: state.revision + 1 },
          step: { kind: 'remove', revision: state.revision + 1, side: 'target' },
        };
      if (side === 'target' && state.rules.onTargetDeleted === 'delete' && state.ended !== 'target gone')
        return {
          state: { ...state, revision: state.revision + 1 },
          step: { kind: 'remove', revision: state.revision + 1, side: 'source' },
        };
      if (side === 'target' && state.rules.onTargetDeleted === 'recreate') {
        state = resetTarget(state, now);
        continue;
      }
      const what = side === 'source' ? 'the source record was deleted' : 'the target record was deleted';
      const last = state.ended === null ? { what, at: now } : state.last;
      const ended = withStatus({ ...state, block: null, last }, now, 'ended', side === 'source' ? 'source gone' : 'target gone');
      if (side === 'source') return ended.stored ? { state: ended, step: { kind: 'close' } } : idle(ended, null);
      return idle(ended, null);
    }
    return gone.nextAt <= now ? { state, step: { kind: 'confirm', side } } : idle(state, gone.nextAt);
  }
  // Gone by two reads, yet seen again: those reads lied.
  if (state.ended === 'target gone') state = withStatus(state, now, 'in-step');

  const { source, target } = state;
  const doubted = SIDES.filter((side) => state[side].id !== null && (state[side].doubt || (side === 'source' && !source.seen)));
  if (doubted.length > 0) return { state, step: { kind: 'read', sides: doubted } };
  if (source.seen?.inScope === false || target.seen?.inScope === false) {
    const last = state.ended === 'out of scope' ? state.last : { what: 'a record left the scope of the flow', at: now };
    return idle(withStatus({ ...state, block: null, last }, now, 'ended', 'out of scope'), null);
  }
  if (state.ended === 'out of scope')
    state = withStatus(
      { ...state, last: { what: 'the record came back into scope', at: now } },
      now,
      target.id === null ? 'linking' : 'in-step',
    );
  if (state.block) {
    if (now < state.block.at + BLOCK_RETRY_MS)
      return idle(withStatus(state, now, isWaiting(state.block) ? 'linking' : 'blocked'), state.block.at + BLOCK_RETRY_MS);
    state = { ...state, block: null, stored: false };
  }
  if (target.id === null) {
    const { values, unconvertible } = creationValues(state);
    if (unconvertible !== null) return blockOn(state, 'source', unconvertible, now);
    const revision = state.revision + 1;
    return {
      state: { ...state, revision },
      step: { kind: 'create', revision, values, status: 'in-step', what: `the ${state.rules.names.target} was created` },
    };
  }
  if (!target.seen) return { state, step: { kind: 'read', sides: ['target'] } };

  state = settle(state);
  const { writes, asks, unconvertible } = merge(state);
  const status: Status = asks.length > 0 ? 'conflict' : 'in-step';
  if (asks.join() !== state.conflicts.join()) state = { ...state, conflicts: asks, stored: false };
  for (const side of ['target', 'source'] as const) {
    if (writes[side].length === 0) continue;
    const revision = state.revision + 1;
    const properties = writes[side].map((each) => each.property).join(', ');
    const what = `${properties}, from ${state.rules.names[across(side)]} to ${state.rules.names[side]}`;
    return { state: { ...state, revision }, step: { kind: 'write', revision, side, assignments: writes[side], status, what } };
  }
  if (unconvertible) return blockOn(state, unconvertible.side, unconvertible.property, now);
  return idle(withStatus(state, now, status), null);
}

/** Forgets the target, so that a new one is created under another key. */
export function resetTarget(state: LinkState, now: number): LinkState {
  const target: SideState = { id: null, seen: null, base: {}, since: {}, doubt: false, gone: null };
  const source = { ...state.source, base: {}, gone: null };
  return withStatus(
    { ...state, source, target, incarnation: state.incarnation + 1, block: null, verdicts: {}, conflicts: [], stored: false },
    now,
    'linking',
  );
}
