import { conditionsHold } from '../../flows/valuesMatch.ts';
import { convert } from '../../flows/convert.ts';
import { across, SIDES, type Side } from '../../flows/side.ts';
import { isNoValue, sameValue, type Value, type Values } from '../../flows/values.ts';
import { GONE_UNANNOUNCED_MS, isBelievedGone } from './absence.ts';
import { merge } from './merge.ts';
import { isWaiting, type Block, type LinkState, type Status } from './state.ts';
import { idle, underRevision, type Decision } from './step.ts';
import { rebase, resetTarget, withStatus } from './transitions.ts';

/** One phase of a link: it decides, or hands the state on to the next. Pure. */
type Phase = (state: LinkState, now: number) => Decision | LinkState;

/** A blocked link tries again once a day (ms). */
export const BLOCK_RETRY_MS = 24 * 3600 * 1000;
/** Somebody resumes a flow that is paused; should that go unnoticed, its links look so often (ms). */
const PAUSE_RETRY_MS = 3600 * 1000;

const triedAgainAt = ({ code, at }: Block): number => at + (code === 'flow-paused' ? PAUSE_RETRY_MS : BLOCK_RETRY_MS);
const isStanding = (refusal: Block, now: number): boolean => now < triedAgainAt(refusal);
/** What a person holds back, or a brake: nothing else gets past, not even a read. */
const holdsAll = ({ code }: Block): boolean => code === 'held' || code === 'flow-paused';
/** Whether the other side goes on: a plain refusal of a value concerns the side that takes it. */
const holdsOneSide = ({ code, both }: Block): boolean =>
  both !== true && (code === 'type' || code === 'unstored' || /^\d+$/.test(code));
/** The side to which nothing is written while a block stands; `type` names the side whose value cannot be carried. */
const blockedSide = ({ code, side }: Block): Side => (code === 'type' ? across(side) : side);

/** The status of a link that something stands in the way of. */
export const blockedStatus = ({ code }: Pick<Block, 'code'>): Status =>
  isWaiting({ code }) ? 'linking' : code === 'flow-paused' ? 'paused' : 'blocked';
const waitBlocked = (state: LinkState, refusal: Block, now: number): Decision =>
  idle(withStatus(state, { now, status: blockedStatus(refusal), ended: state.ended }), triedAgainAt(refusal));

/** Ended, paused, unlinked, held back: whether anything may happen at all. */
const ending: Phase = (state, now) => {
  if (state.ended === 'source gone') {
    // Seen again: a direct read of both sides decides whether the link goes on. A deletion that Tandem made is final.
    if (state.source.doubt && state.final !== true) {
      const { gone } = state.target;
      if (gone !== null && gone.nextAt > now) return idle(state, gone.nextAt);
      return { state, step: { kind: 'read', sides: lookedAt(state) } };
    }
    return state.stored ? { state, step: { kind: 'close' } } : idle(state, null);
  }
  if (state.paused) return idle(withStatus(state, { now, status: 'paused', ended: state.ended }), null);
  if (state.ended === 'unlinked by hand') return idle(withStatus(state, { now, status: 'ended', ended: state.ended }), null);
  if (state.block && isStanding(state.block, now) && holdsAll(state.block)) return waitBlocked(state, state.block, now);
  return state;
};

/** Nothing pauses it any more, whatever it waits for now. */
function awake(state: LinkState, now: number): LinkState {
  if (state.status !== 'paused') return state;
  const { ended } = state;
  const status = ended !== null ? 'ended' : state.target.id === null ? 'linking' : 'in-step';
  return withStatus(state, { now, status, ended });
}

const lookedAt = (state: LinkState): readonly Side[] => SIDES.filter((side) => state[side].id !== null);

/** A record that reads have missed: read again, or believed gone and dealt with as the flow says. */
const deletion: Phase = (before, now) => {
  let state = before;
  const { block: refusal } = state;
  // A target that cannot be read, a merged one for instance, keeps no source alive. Not the other way round as well: two
  // sides that refuse would be asked in turn, without a pause.
  const isFree = refusal?.side === 'target' && state.source.gone !== null;
  if (refusal?.read === true && !isFree && isStanding(refusal, now)) return waitBlocked(state, refusal, now);
  for (const side of SIDES) {
    const { gone } = state[side];
    if (!gone) continue;
    // Somebody asked for a record that nobody has ever seen: nothing could be lost by believing the read, nothing is kept.
    const neverSeen = side === 'source' && state.source.seen === null && state.target.id === null && state.revision === 0;
    if (neverSeen && gone.reads > 0)
      return {
        state: { ...withStatus(state, { now, status: 'ended', ended: 'source gone' }), stored: true },
        step: { kind: 'close' },
      };
    if (!isBelievedGone(gone)) {
      if (gone.nextAt > now) return idle(awake(state, now), gone.nextAt);
      const announced = gone.since === undefined;
      const list = !announced && gone.listed !== true && now - (gone.since ?? now) >= GONE_UNANNOUNCED_MS;
      return { state, step: { kind: 'confirm', side, ...(announced ? { announced } : {}), ...(list ? { list } : {}) } };
    }
    if (side === 'target' && state.ended !== 'target gone' && state.rules.onTargetDeleted === 'recreate') {
      state = { ...resetTarget(state, now), recreates: true };
      continue;
    }
    return believed(state, side, now);
  }
  // Gone by all reads that it takes, yet seen again: those reads lied.
  return state.ended === 'target gone' ? withStatus(state, { now, status: 'in-step' }) : state;
};

function believed(state: LinkState, side: Side, now: number): Decision {
  const { onSourceDeleted, onTargetDeleted } = state.rules;
  const other = across(side);
  const deletes = (side === 'source' ? onSourceDeleted : onTargetDeleted) === 'delete';
  if (deletes && state[other].id !== null && state.ended !== 'target gone') {
    // Refused: tried again as any refusal is, and not before.
    if (state.block && isStanding(state.block, now)) return waitBlocked(state, state.block, now);
    if (state[side].doubt) return { state: { ...state, block: null }, step: { kind: 'read', sides: [side] } };
    return underRevision({ ...state, block: null }, (revision) => ({ kind: 'remove', revision, side: other }));
  }
  if (state.ended === 'target gone' && state.target.doubt) return { state, step: { kind: 'read', sides: ['target'] } };
  const what = side === 'source' ? 'the source record was deleted' : 'the target record was deleted';
  const last = state.ended === null ? { what, at: now } : state.last;
  const ended = withStatus(
    { ...state, block: null, last },
    { now, status: 'ended', ended: side === 'source' ? 'source gone' : 'target gone' },
  );
  if (side === 'source' && ended.stored) return { state: ended, step: { kind: 'close' } };
  return idle(ended, null);
}

/** What must be read directly before anything is decided on it. */
const reading: Phase = (state) => {
  const doubted = SIDES.filter(
    (side) => state[side].id !== null && (state[side].doubt || (side === 'source' && !state.source.seen)),
  );
  return doubted.length > 0 ? { state, step: { kind: 'read', sides: doubted } } : state;
};

/** Out of scope a link rests; it goes on once both records are in scope again. */
const scope: Phase = (state, now) => {
  if (state.source.seen?.inScope === false || state.target.seen?.inScope === false) {
    const last = state.ended === 'out of scope' ? state.last : { what: 'a record left the scope of the flow', at: now };
    return idle(withStatus({ ...state, block: null, last }, { now, status: 'ended', ended: 'out of scope' }), null);
  }
  if (state.ended !== 'out of scope') return state;
  const last = { what: 'the record came back into scope', at: now };
  return withStatus({ ...state, last }, { now, status: state.target.id === null ? 'linking' : 'in-step' });
};

/** A refusal stands for a day, an edit or a request; one that concerns a single side lets the other go on. */
const block: Phase = (state, now) => {
  if (!state.block) return state;
  if (!isStanding(state.block, now)) {
    const partner = state.block.code === 'partner-gone' ? { target: { ...state.target, doubt: true } } : {};
    const freed = { ...state, ...partner, block: null, stored: false };
    return 'target' in partner ? { state: freed, step: { kind: 'read', sides: ['target'] } } : freed;
  }
  if (state.target.id !== null && holdsOneSide(state.block)) return state;
  return waitBlocked(state, state.block, now);
};

/** A link without a target gets one. */
const creation: Phase = (state, now) => {
  if (state.target.id === null) {
    const { values, unconvertible } = creationValues(state);
    if (unconvertible !== null) return blockOn(state, { side: 'source', property: unconvertible, now });
    const what = `the ${state.rules.names.target} was created`;
    return underRevision(state, (revision) => ({ kind: 'create', revision, values, status: 'in-step', what }));
  }
  return state.target.seen ? state : { state, step: { kind: 'read', sides: ['target'] } };
};

/** Both records are there and seen: what differs is carried, side by side. */
function merging(before: LinkState, now: number, fills = true): Decision {
  let state = settle(before, fills);
  const { writes, asks, unconvertible } = merge(state, fills);
  const blocked = state.block && blockedSide(state.block);
  const status: Status = blocked ? 'blocked' : asks.length > 0 ? 'conflict' : 'in-step';
  if (asks.join() !== state.conflicts.join()) state = { ...state, conflicts: asks, stored: false };
  for (const side of ['target', 'source'] as const) {
    const assignments = writes[side];
    if (assignments.length === 0 || side === blocked) continue;
    const properties = assignments.map((each) => each.property).join(', ');
    const what = `${properties}, from ${state.rules.names[across(side)]} to ${state.rules.names[side]}`;
    return underRevision(state, (revision) => ({ kind: 'write', revision, side, assignments, status, what }));
  }
  if (unconvertible && blocked !== across(unconvertible.side))
    return blockOn(state, { side: unconvertible.side, property: unconvertible.property, now });
  const standing = state.block;
  return standing ? waitBlocked(state, standing, now) : idle(withStatus(state, { now, status }), null);
}

function blockOn(
  state: LinkState,
  { side, property, now }: { readonly side: Side; readonly property: string; readonly now: number },
): Decision {
  const both = state.block !== null && blockedSide(state.block) === side;
  const refusal = { code: 'type', side, properties: [property], at: now, ...(both ? { both } : {}) };
  return idle(withStatus({ ...state, block: refusal, stored: false }, { now, status: 'blocked' }), now + BLOCK_RETRY_MS);
}

/** Moves the base of pairs on which both sides agree, and closes verdicts whose values stand on both sides. */
function settle(state: LinkState, fills: boolean): LinkState {
  let next = state;
  for (const pair of merge(state, fills).agreed) {
    for (const side of SIDES)
      next = rebase(next, { side, property: pair[side], value: next[side].seen?.values[pair[side]] ?? null });
    next = { ...next, stored: false };
  }
  for (const pair of next.rules.pairs) {
    let verdict = next.verdicts[pair.source];
    if (!verdict) continue;
    for (const side of SIDES) {
      const value: Value = next[side].seen?.values[pair[side]] ?? null;
      if (verdict.done.includes(side) || !sameValue(verdict[side], value)) continue;
      verdict = { ...verdict, done: [...verdict.done, side] };
      next = { ...rebase(next, { side, property: pair[side], value }), stored: false };
    }
    const { [pair.source]: _, ...open } = next.verdicts;
    next = { ...next, verdicts: verdict.done.length === SIDES.length ? open : { ...open, [pair.source]: verdict } };
  }
  return next;
}

/** What a new target record is created with. */
function creationValues(state: LinkState): { values: Values; unconvertible: string | null } {
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

/** What is looked at, in this order, until one decides; docs/link-lifecycle.md draws it. */
const PHASES: readonly Phase[] = [ending, deletion, reading, scope, block, creation];

/** Decides what a link does next at `now` (ms). Pure: the same state and instant give the same step. `fills`: see merge. */
export function advance(before: LinkState, now: number, fills = true): Decision {
  let state = before;
  for (const phase of PHASES) {
    const next = phase(state, now);
    if ('step' in next) return next;
    state = next;
  }
  return merging(state, now, fills);
}
