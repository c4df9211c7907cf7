import type { Side } from '../../flows/side.ts';
import { sameValue, type Value } from '../../flows/values.ts';
import type { EndReason, LinkState, SideState, Status } from './state.ts';

/** The state with that status since `now`; unchanged where it stands already. */
export function withStatus(
  state: LinkState,
  { now, status, ended = null }: { readonly now: number; readonly status: Status; readonly ended?: EndReason | null | undefined },
): LinkState {
  if (state.status === status && state.ended === ended) return state;
  return { ...state, status, ended, statusAt: now, stored: false };
}

/** Sets the base of one property; `since` is forgotten where the value stands at its base. */
export function rebase(
  state: LinkState,
  { side, property, value }: { readonly side: Side; readonly property: string; readonly value: Value },
): LinkState {
  const now = state[side];
  const { [property]: _, ...since } = now.since;
  const isCurrent = sameValue(now.seen?.values[property], value);
  return { ...state, [side]: { ...now, base: { ...now.base, [property]: value }, since: isCurrent ? since : now.since } };
}

/** Forgets the target, so that a new one is created under another key. */
export function resetTarget(state: LinkState, now: number): LinkState {
  const target: SideState = { id: null, seen: null, base: {}, since: {}, doubt: false, gone: null };
  const source = { ...state.source, base: {}, gone: null };
  return withStatus(
    { ...state, source, target, incarnation: state.incarnation + 1, block: null, verdicts: {}, conflicts: [], stored: false },
    { now, status: 'linking' },
  );
}
