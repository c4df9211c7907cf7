import { initialBase } from '../../flows/initialBase.ts';
import { across, SIDES, type Side } from '../../flows/side.ts';
import type { Values } from '../../flows/values.ts';
import { GONE_APART_MS, rebase, withStatus, type Step } from './lifecycle.ts';
import { observe, suspectGone } from './observe.ts';
import { isWaiting, type LinkState, type Observation } from './state.ts';

/** What a direct read found. */
export type Found = Observation | 'gone';

/**
 * What became of a step. Facts alone; texts of refusals stay in the store. `news`: what the store had seen besides, of
 * which nobody had told the link.
 */
export type Outcome = { readonly news?: Partial<Record<Side, Observation>> } & Result;

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
  | { readonly kind: 'removed' }
  | { readonly kind: 'stored' }
  | { readonly kind: 'refused'; readonly side: Side; readonly code: string; readonly properties: readonly string[] };

function applyFound(state: LinkState, found: Partial<Record<Side, Found>>, now: number): LinkState {
  let next = state;
  for (const side of SIDES) {
    const what = found[side];
    if (what === undefined) continue;
    if (what !== 'gone') {
      next = observe(next, side, what, true);
      continue;
    }
    next = suspectGone(next, side, now);
    const reads = (next[side].gone?.reads ?? 0) + 1;
    next = { ...next, [side]: { ...next[side], doubt: false, gone: { reads, nextAt: now + GONE_APART_MS } } };
  }
  return next;
}

/** Applies what became of a step. The base of the written side is the answer's value, never what was sent. */
export function applyOutcome(state: LinkState, step: Step, outcome: Outcome, now: number): LinkState {
  let next = applyResult(state, step, outcome, now);
  for (const side of SIDES) {
    const seen = outcome.news?.[side];
    if (seen && next[side].id !== null) next = observe(next, side, seen);
  }
  return next;
}

function applyResult(before: LinkState, step: Step, outcome: Outcome, now: number): LinkState {
  // A person's choice is tried once.
  const { chosen, ...rest } = before;
  const state: LinkState = chosen !== undefined && step.kind === 'create' && outcome.kind !== 'contended' ? rest : before;
  switch (outcome.kind) {
    case 'created': {
      if (step.kind !== 'create') return state;
      let next: LinkState = { ...state, target: { ...state.target, id: outcome.id }, block: null };
      next = observe(next, 'target', outcome.seen);
      const how = outcome.matched ? 'matched' : outcome.adopted ? 'adopted' : outcome.found ? 'found' : 'made';
      const values = {
        source: next.source.seen?.values ?? {},
        target: outcome.matched ? (next.target.seen?.values ?? {}) : (outcome.base ?? outcome.seen.values),
      };
      const base = initialBase(state.rules.pairs, values, how);
      for (const side of SIDES)
        for (const [property, value] of Object.entries(base[side])) next = rebase(next, side, property, value);
      const what = outcome.matched ? `linked with the ${state.rules.names.target} that matches` : step.what;
      // What matched may still differ: in step once it was merged.
      return { ...withStatus(next, now, outcome.matched ? state.status : step.status), stored: true, last: { what, at: now } };
    }
    case 'written': {
      if (step.kind !== 'write') return state;
      let next = observe({ ...state, block: null }, step.side, outcome.seen);
      for (const assignment of step.assignments) {
        next = rebase(next, step.side, assignment.property, (outcome.base ?? outcome.seen.values)[assignment.property] ?? null);
        if (assignment.from) next = rebase(next, across(step.side), assignment.from.property, assignment.from.value);
        else next = markVerdictDone(next, step.side, assignment.property);
      }
      return { ...withStatus(next, now, step.status), stored: true, last: { what: step.what, at: now } };
    }
    case 'contended':
    case 'read':
      // A store that is ahead (Temporal was restored from a backup) sets the count.
      return applyFound({ ...state, revision: Math.max(state.revision, outcome.revision ?? 0) }, outcome.found, now);
    case 'removed':
      if (step.kind !== 'remove') return state;
      return {
        ...withStatus(state, now, 'ended', 'source gone'),
        last: {
          what: `the ${state.rules.names[across(step.side)]} was deleted, and the ${state.rules.names[step.side]} with it`,
          at: now,
        },
      };
    case 'stored':
      return { ...state, stored: true };
    case 'refused':
      return {
        ...withStatus(state, now, isWaiting(outcome) ? 'linking' : 'blocked'),
        stored: true,
        block: { code: outcome.code, side: outcome.side, properties: outcome.properties, at: now },
      };
  }
}

function markVerdictDone(state: LinkState, side: Side, property: string): LinkState {
  const pair = state.rules.pairs.find((each) => each[side] === property);
  const verdict = pair && state.verdicts[pair.source];
  if (!pair || !verdict) return state;
  return { ...state, verdicts: { ...state.verdicts, [pair.source]: { ...verdict, done: [...verdict.done, side] } } };
}
