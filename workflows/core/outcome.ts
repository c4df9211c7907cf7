import { initialBase } from '../../flows/initialBase.ts';
import { across, SIDES, type Side } from '../../flows/side.ts';
import { sameValues, type Values } from '../../flows/values.ts';
import { hasLasted, isBelievedGone, missed } from './absence.ts';
import { answered, changeRules, observe } from './observe.ts';
import { blockedStatus } from './lifecycle.ts';
import type { Step } from './step.ts';
import { forgetSent, noteSent } from './sent.ts';
import { changeVerdict, rebase, withStatus } from './transitions.ts';
import type { Block, LinkState, Observation, Rules } from './state.ts';

/** What a direct read found. `unsure`: the system says "gone" of so many that nothing is believed of it for now. */
export type Found = Observation | 'gone' | 'unsure';

/**
 * What became of a step. Facts alone; texts of refusals stay in the store. `news`: what the store had seen besides, of
 * which nobody had told the link. `rules`: the worker's own, where the link knows others: by these it has read.
 * `unanswered`: an attempt at this write may have got through, although nobody was told.
 */
export type Outcome = {
  readonly news?: Partial<Record<Side, Observation>>;
  readonly rules?: Rules;
  readonly unanswered?: true;
} & Result;

type Result =
  | {
      readonly kind: 'created';
      readonly id: string;
      readonly seen: Observation;
      readonly base?: Values;
      readonly adopted: boolean;
      /** Ours, but found and not just made: what it shows may be what the source was then, not what it is now. */
      readonly found?: boolean;
      /** An existing record was linked because it matches. */
      readonly matched?: boolean;
    }
  /** `base`: the answer's values, where `seen` is newer than the answer. */
  | { readonly kind: 'written'; readonly seen: Observation; readonly base?: Values }
  /** The condition did not hold: what stands on both sides now. Nothing was written. */
  | { readonly kind: 'contended'; readonly found: Partial<Record<Side, Found>>; readonly revision?: number }
  | { readonly kind: 'read'; readonly found: Partial<Record<Side, Found>>; readonly revision?: number }
  /** `before`: somebody else had deleted it already. */
  | { readonly kind: 'removed'; readonly before?: boolean }
  | { readonly kind: 'stored' }
  /** `revision`: under which it was stored, where the step had none of its own. */
  | {
      readonly kind: 'refused';
      readonly side: Side;
      readonly code: string;
      readonly properties: readonly string[];
      readonly revision?: number;
    };

function applyFound(state: LinkState, found: Partial<Record<Side, Found>>, now: number): LinkState {
  if (state.ended === 'source gone') return revived(state, found, now);
  let next = state;
  for (const side of SIDES) {
    const what = found[side];
    if (what === undefined) continue;
    if (what !== 'gone' && what !== 'unsure') {
      next = observe(next, { side, seen: what, direct: true });
      continue;
    }
    const before = next[side].gone;
    // What is believed gone stays so until it is found.
    const known = before !== null && isBelievedGone(before);
    const gone = known ? before : missed(what, before, now);
    next = { ...next, [side]: { ...next[side], doubt: false, gone } };
    // A refusal of a value does not outlive the record that it is about.
    if (!known && isBelievedGone(gone)) next = { ...next, block: null };
  }
  return next;
}

/**
 * A record that was believed gone was seen again, and read: only a read that finds it revives the link. Where its partner is
 * not there it is asked for again, for as long as any 404 must last, before a person is told.
 */
function revived(state: LinkState, found: Partial<Record<Side, Found>>, now: number): LinkState {
  const { source, target } = found;
  if (state.final === true || source === undefined || typeof source === 'string')
    return { ...state, source: { ...state.source, doubt: false } };
  if (target === 'gone' || target === 'unsure') {
    const gone = missed(target, state.target.gone, now);
    if (!hasLasted(gone)) return { ...state, target: { ...state.target, gone } };
  }
  const last = { what: `the ${state.rules.names.source} was believed gone and is there after all`, at: now };
  let next: LinkState = {
    ...withStatus(state, { now, status: state.target.id === null ? 'linking' : 'in-step' }),
    last,
    stored: false,
  };
  const { gone: _, older: __, ...side } = next.source;
  next = observe({ ...next, source: { ...side, seen: null, gone: null } }, { side: 'source', seen: source, direct: true });
  if (target === undefined) return next;
  if (typeof target !== 'string') return observe(next, { side: 'target', seen: target, direct: true });
  const block: Block = { code: 'partner-gone', side: 'target', properties: [], at: now };
  return { ...withStatus(next, { now, status: 'blocked' }), block, target: { ...next.target, gone: null } };
}

/** A step, and what became of it by `now` (ms). */
interface Become {
  readonly step: Step;
  readonly outcome: Outcome;
  readonly now: number;
}

interface Of<S extends Step['kind'], O extends Outcome['kind']> extends Become {
  readonly step: Extract<Step, { kind: S }>;
  readonly outcome: Extract<Outcome, { kind: O }>;
}

/** Applies what became of a step. The base of the written side is the answer's value, never what was sent. */
export function applyOutcome(state: LinkState, { step, outcome, now }: Become): LinkState {
  // What other rules leave out was not read, which is not the same as empty.
  const before = outcome.rules ? changeRules(state, outcome.rules) : state;
  const known = outcome.unanswered && step.kind === 'write' ? noteSent(before, step, now) : before;
  let next = applyResult(known, { step, outcome, now });
  for (const side of SIDES) {
    const seen = outcome.news?.[side];
    if (!seen || next[side].id === null) continue;
    // Seen some time ago: it says nothing against reads that missed the record since.
    const { gone } = next[side];
    next = observe(next, { side, seen });
    next = { ...next, [side]: { ...next[side], gone } };
  }
  return next;
}

function applyResult(before: LinkState, { step, outcome, now }: Become): LinkState {
  // A person's choice is tried once.
  const { chosen, ...rest } = before;
  const state: LinkState = chosen !== undefined && step.kind === 'create' && outcome.kind !== 'contended' ? rest : before;
  switch (outcome.kind) {
    case 'created':
      return step.kind === 'create' ? created(state, { step, outcome, now }) : state;
    case 'written':
      return step.kind === 'write' ? answeredWrite(state, { step, outcome, now }) : state;
    case 'contended':
    case 'read':
      // A store that is ahead (Temporal was restored from a backup) sets the count.
      return applyFound({ ...state, revision: Math.max(state.revision, outcome.revision ?? 0) }, outcome.found, now);
    case 'removed': {
      if (step.kind !== 'remove') return state;
      const { names } = state.rules;
      const mine = outcome.before !== true;
      const what = `the ${names[across(step.side)]} was deleted, and the ${names[step.side]} ${mine ? 'with it' : 'before'}`;
      const last = { what, at: now };
      return { ...withStatus(state, { now, status: 'ended', ended: 'source gone' }), ...(mine ? { final: true } : {}), last };
    }
    case 'stored':
      return committed(state);
    case 'refused':
      return refused(state, { step, outcome, now });
  }
}

function created(state: LinkState, { step, outcome, now }: Of<'create', 'created'>): LinkState {
  let next: LinkState = { ...state, target: { ...state.target, id: outcome.id }, block: null };
  next = observe(next, { side: 'target', seen: outcome.seen });
  const how = outcome.matched ? 'matched' : outcome.adopted ? 'adopted' : outcome.found ? 'found' : 'made';
  const values = {
    source: next.source.seen?.values ?? {},
    target: outcome.matched ? (next.target.seen?.values ?? {}) : (outcome.base ?? outcome.seen.values),
  };
  const base = initialBase(state.rules.pairs, values, how);
  for (const side of SIDES)
    for (const [property, value] of Object.entries(base[side])) next = rebase(next, { side, property, value });
  const what = outcome.matched ? `linked with the ${state.rules.names.target} that matches` : step.what;
  // What matched may still differ: in step once it was merged.
  const status = outcome.matched ? state.status : step.status;
  return committed({ ...withStatus(next, { now, status }), last: { what, at: now } });
}

function answeredWrite(state: LinkState, { step, outcome, now }: Of<'write', 'written'>): LinkState {
  const expected = { ...state[step.side].seen?.values };
  const written = step.assignments.map(({ property }) => property);
  let next = answered(forgetSent({ ...state, block: null }, step.side, written), step.side, outcome.seen);
  for (const assignment of step.assignments) {
    const value = (outcome.base ?? outcome.seen.values)[assignment.property] ?? null;
    expected[assignment.property] = value;
    next = rebase(next, { side: step.side, property: assignment.property, value });
    if (assignment.from)
      next = rebase(next, { side: across(step.side), property: assignment.from.property, value: assignment.from.value });
    else next = changeVerdict(next, { side: step.side, property: assignment.property }, (done) => [...done, step.side]);
  }
  // A refusal of the other side stands, unless the answer shows an edit, or what was refused there has another value now.
  const stands = sameValues(expected, outcome.seen.values) && !isAnswered(state, step);
  const block = step.status === 'blocked' && stands ? state.block : null;
  const done = committed({ ...withStatus({ ...next, block }, { now, status: step.status }), last: { what: step.what, at: now } });
  // Until its clock is past them again, pages from before its system went back may still come.
  const { back } = next[step.side];
  const behind = back !== undefined && outcome.seen.version <= back;
  return behind ? { ...done, [step.side]: { ...done[step.side], back } } : done;
}

/** Whether a write brings the very value by which a refusal of the other side may be over. */
function isAnswered({ block, rules }: LinkState, { side, assignments }: Extract<Step, { kind: 'write' }>): boolean {
  const refusedThere = (property: string): boolean =>
    rules.pairs.some((pair) => pair[side] === property && block?.properties.includes(pair[across(side)]) === true);
  return block?.side === across(side) && assignments.some(({ property }) => refusedThere(property));
}

function refused(state: LinkState, { step, outcome, now }: Of<Step['kind'], 'refused'>): LinkState {
  const { code, side, properties, revision = 0 } = outcome;
  const both = state.block !== null && state.block.side !== side;
  const read = step.kind === 'read' || step.kind === 'confirm';
  const block: Block = { code, side, properties, at: now, ...(read ? { read } : {}), ...(both ? { both } : {}) };
  const counted = { ...heldBack(state, step), revision: Math.max(state.revision, revision) };
  const ended = code === 'flow-paused' ? state.ended : null;
  const next = withStatus(counted, { now, status: blockedStatus(outcome), ended });
  // A pause stops an activity before it stores anything.
  return code === 'flow-paused' ? { ...next, stored: false, block } : { ...committed(next), block };
}

/** A deletion that did not come about is tried again only where its reason still stands: the other record may be back. */
function heldBack(state: LinkState, step: Step): LinkState {
  if (step.kind !== 'remove') return state;
  const gone = across(step.side);
  return { ...state, [gone]: { ...state[gone], doubt: true } };
}

/** The store holds base, status and what went back; a person's approval was for this once. */
function committed(before: LinkState): LinkState {
  const { approved: _, recreates, ...state } = before;
  const { back: __, ...source } = state.source;
  const { back: ___, ...target } = state.target;
  return { ...state, source, target, stored: true, ...(recreates === true && target.id === null ? { recreates } : {}) };
}
