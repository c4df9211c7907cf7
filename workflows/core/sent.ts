import { across, type Side } from '../../flows/side.ts';
import { sameValue } from '../../flows/values.ts';
import type { Assignment } from './merge.ts';
import type { LinkState, SentValue } from './state.ts';
import { changeVerdict, rebase } from './transitions.ts';

/** So long after it was given up a write may still arrive, as that of a worker that was frozen (ms). */
const LATE_MS = 10 * 60_000;

/** Remembers what a write may have put there although nobody was told: what shows it later is no person's edit. */
export function noteSent(
  state: LinkState,
  { side, assignments }: { readonly side: Side; readonly assignments: readonly Assignment[] },
  now: number,
): LinkState {
  const noted = assignments.map(({ property, value, expected, from }): SentValue => {
    return { property, value, expected, from, until: now + LATE_MS };
  });
  const isNoted = ({ property, value }: SentValue): boolean =>
    noted.some((each) => each.property === property && sameValue(each.value, value));
  const before = (state[side].sent ?? []).filter((each) => !isNoted(each));
  return { ...state, [side]: { ...state[side], sent: [...before, ...noted] } };
}

/** Forgets what may have been written to these properties: an answer has told what stands there. */
export function forgetSent(state: LinkState, side: Side, properties: readonly string[]): LinkState {
  const { sent = [], ...rest } = state[side];
  const left = sent.filter(({ property }) => !properties.includes(property));
  return { ...state, [side]: left.length > 0 ? { ...rest, sent: left } : rest };
}

/**
 * Holds what was observed against what may have been written. Where it stands there, it was: both sides agreed on it then.
 * Where the old value stands, it may still come; where anything else does, somebody has edited it since, or before.
 */
export function settleSent(before: LinkState, side: Side): LinkState {
  const { sent, seen } = before[side];
  if (!sent || !seen) return before;
  let state = before;
  const settled = new Set<string>();
  for (const { property, value, expected, from, until } of sent) {
    const shown = seen.values[property];
    const isOver = shown === undefined || seen.at[0] > until || !before.rules.pairs.some((pair) => pair[side] === property);
    if (!isOver && sameValue(shown, expected)) continue;
    settled.add(property);
    if (isOver || !sameValue(shown, value)) continue;
    state = { ...rebase(state, { side, property, value: shown }), stored: false };
    if (from) state = rebase(state, { side: across(side), property: from.property, value: from.value });
    // What a person has decided was overwritten by a write from before: it is written once more.
    state = changeVerdict(state, { side, property }, (done) => done.filter((each) => each !== side));
  }
  return forgetSent(state, side, [...settled]);
}
