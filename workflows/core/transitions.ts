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

/** Changes on which sides a person's decision on a property was carried out; where there is none, nothing. */
export function changeVerdict(
  state: LinkState,
  { side, property }: { readonly side: Side; readonly property: string },
  change: (done: readonly Side[]) => readonly Side[],
): LinkState {
  const pair = state.rules.pairs.find((each) => each[side] === property);
  const verdict = pair && state.verdicts[pair.source];
  if (!pair || !verdict) return state;
  return { ...state, verdicts: { ...state.verdicts, [pair.source]: { ...verdict, done: change(verdict.done) } } };
}

/** So many targets from before are remembered; each was deleted, so there are hardly ever more. */
const FORMER_KEPT = 20;

/** Lets the target go, so that a new one is created under another key. */
export function resetTarget(state: LinkState, now: number): LinkState {
  const target: SideState = { id: null, seen: null, base: {}, since: {}, doubt: false, gone: null };
  const { sent: _, ...known } = state.source;
  const source = { ...known, base: {}, gone: null };
  const { id } = state.target;
  const before = (state.formerTargets ?? []).filter((each) => each !== id);
  const former = id === null ? {} : { formerTargets: [...before, id].slice(-FORMER_KEPT) };
  const next: LinkState = { ...state, ...former, source, target, incarnation: state.incarnation + 1, stored: false };
  return withStatus({ ...next, block: null, verdicts: {}, conflicts: [] }, { now, status: 'linking' });
}
