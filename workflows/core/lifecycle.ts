import { block, creation, deletion, ending, merging, reading, scope, type Phase } from './phases.ts';
import type { LinkState } from './state.ts';
import type { Decision } from './step.ts';

/** What is looked at, in this order, until one decides; docs/link-lifecycle.md draws it. */
const PHASES: readonly Phase[] = [ending, deletion, reading, scope, block, creation];

/** Decides what a link does next at `now` (ms). Pure: the same state and instant give the same step. */
export function advance(before: LinkState, now: number): Decision {
  let state = before;
  for (const phase of PHASES) {
    const next = phase(state, now);
    if ('step' in next) return next;
    state = next;
  }
  return merging(state, now);
}
