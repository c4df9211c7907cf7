/**
 * Where version 0.1.0 decided otherwise. A history that began under it goes on as it began; from its first live step on,
 * and in every new run, a link decides as this version does. This file goes once the last link of 0.1.0 has been renewed.
 */
import { patched } from '@temporalio/workflow';
import { PATCHES } from '../flows/names.ts';
import { initialBase } from '../flows/initialBase.ts';
import { across, SIDES } from '../flows/side.ts';
import { GONE_APART_MS, isBelievedGone } from './core/absence.ts';
import { advance } from './core/lifecycle.ts';
import { observe } from './core/observe.ts';
import { applyOutcome, type Outcome } from './core/outcome.ts';
import { receive, type Message } from './core/receive.ts';
import type { LinkState, SideState } from './core/state.ts';
import { idle, type Decision, type Step } from './core/step.ts';
import { rebase } from './core/transitions.ts';

/** A record that an unannounced 404, or a read that shows an older version, leaves in doubt; 0.1.0 believed the one and ignored the other. */
const isPatient = ({ gone, older }: SideState): boolean => gone?.since !== undefined || older !== undefined;

function impatient(side: SideState, now: number): SideState {
  const { older, gone, ...rest } = side;
  if (older !== undefined) return { ...rest, doubt: false, gone: null };
  return { ...rest, gone: gone && { reads: gone.reads, nextAt: now + GONE_APART_MS } };
}

/** Decides what comes next: of a pair that never agreed, 0.1.0 let a side without a value win. */
export function decided(state: LinkState, now: number): Decision {
  const next = advance(state, now);
  const missed = SIDES.map((side) => state[side].gone).find((gone) => gone !== null && !isBelievedGone(gone));
  // 0.1.0 noted nothing of a link that was let go while one of its records was missed.
  const wakes = state.status === 'paused' && next.state.status !== 'paused' && missed && missed.nextAt > now;
  if (wakes && !patched(PATCHES.patience)) return idle(state, missed.nextAt);
  const before = advance(state, now, false);
  return JSON.stringify(next.step) === JSON.stringify(before.step) || patched(PATCHES.neverAgreed) ? next : before;
}

/** 0.1.0 took a pair whose condition did not hold for agreed. */
function agreedOnAll(state: LinkState, outcome: Extract<Outcome, { kind: 'created' }>): LinkState {
  const how = outcome.adopted ? 'adopted' : outcome.found === true ? 'found' : 'made';
  const values = { source: state.source.seen?.values ?? {}, target: outcome.base ?? outcome.seen.values };
  const pairs = state.rules.pairs.map((pair) => {
    const { when: _, ...always } = pair;
    return always;
  });
  const base = outcome.matched === true ? { source: {}, target: {} } : initialBase(pairs, values, how);
  let next = state;
  for (const side of SIDES)
    for (const [property, value] of Object.entries(base[side]))
      if (!(property in next[side].base)) next = rebase(next, { side, property, value });
  return next;
}

/** Applies what became of a step. */
export function concluded(
  state: LinkState,
  become: { readonly step: Step; readonly outcome: Outcome; readonly now: number },
): LinkState {
  let next = applyOutcome(state, become);
  if (become.step.kind === 'create' && become.outcome.kind === 'created') {
    const all = agreedOnAll(next, become.outcome);
    if (all !== next && !patched(PATCHES.neverAgreed)) next = all;
  }
  const { news = {} } = become.outcome;
  const missed = SIDES.filter((side) => news[side] && next[side].gone);
  // 0.1.0 let what had been seen earlier revive a record that reads had missed since.
  if (missed.length > 0 && !patched(PATCHES.neverAgreed))
    next = { ...next, ...Object.fromEntries(missed.map((side) => [side, { ...next[side], gone: null }])) };
  const refusedRemoval = become.step.kind === 'remove' && become.outcome.kind === 'refused' ? across(become.step.side) : null;
  const patient = SIDES.filter((side) => isPatient(next[side]));
  if ((refusedRemoval === null && patient.length === 0) || patched(PATCHES.patience)) return next;
  return {
    ...next,
    // Asked again at once.
    block: refusedRemoval === null ? next.block : null,
    ...Object.fromEntries(patient.map((side) => [side, impatient(next[side], become.now)])),
    ...(refusedRemoval === null ? {} : { [refusedRemoval]: { ...next[refusedRemoval], doubt: false } }),
  };
}

/** Applies one message. */
export function heard(state: LinkState, message: Message, now: number): LinkState {
  const next = receive(state, message, now);
  const revives = message.kind === 'observed' && message.side === 'target' && state.ended === 'target gone';
  if (!revives || !next.target.doubt || state.target.doubt || patched(PATCHES.patience)) return next;
  return observe({ ...next, target: { ...next.target, doubt: false } }, { side: 'target', seen: message.seen });
}
