/**
 * Where version 0.1.0 decided otherwise. A history that began under it goes on as it began; from its first live step on,
 * and in every new run, a link decides as this version does. This file goes once the last link of 0.1.0 has been renewed.
 */
import { patched } from '@temporalio/workflow';
import { PATCHES } from '../flows/names.ts';
import { SIDES } from '../flows/side.ts';
import { GONE_APART_MS } from './core/absence.ts';
import { observe } from './core/observe.ts';
import { applyOutcome, type Outcome } from './core/outcome.ts';
import { receive, type Message } from './core/receive.ts';
import type { LinkState, SideState } from './core/state.ts';
import type { Step } from './core/step.ts';

/** A record that an unannounced 404, or a read that shows an older version, leaves in doubt; 0.1.0 believed the one and ignored the other. */
const isPatient = ({ gone, older }: SideState): boolean => gone?.since !== undefined || older !== undefined;

function impatient(side: SideState, now: number): SideState {
  const { older, gone, ...rest } = side;
  if (older !== undefined) return { ...rest, doubt: false, gone: null };
  return { ...rest, gone: gone && { reads: gone.reads, nextAt: now + GONE_APART_MS } };
}

/** Applies what became of a step. */
export function concluded(
  state: LinkState,
  become: { readonly step: Step; readonly outcome: Outcome; readonly now: number },
): LinkState {
  const next = applyOutcome(state, become);
  const refusedRemoval = become.step.kind === 'remove' && become.outcome.kind === 'refused';
  const patient = SIDES.filter((side) => isPatient(next[side]));
  if ((!refusedRemoval && patient.length === 0) || patched(PATCHES.patience)) return next;
  return {
    ...next,
    // Asked again at once.
    block: refusedRemoval ? null : next.block,
    ...Object.fromEntries(patient.map((side) => [side, impatient(next[side], become.now)])),
  };
}

/** Applies one message. */
export function heard(state: LinkState, message: Message, now: number): LinkState {
  const next = receive(state, message, now);
  const revives = message.kind === 'observed' && message.side === 'target' && state.ended === 'target gone';
  if (!revives || !next.target.doubt || state.target.doubt || patched(PATCHES.patience)) return next;
  return observe({ ...next, target: { ...next.target, doubt: false } }, { side: 'target', seen: message.seen });
}
