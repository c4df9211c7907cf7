import type { Side } from '../../flows/side.ts';
import { sameValue, sameValues } from '../../flows/values.ts';
import type { Instants, LinkState, Observation, Rules, SideState } from './state.ts';

/** `since` for the properties that differ from their base: the earliest observation of the value that stands now. */
function sinceOf(side: SideState, seen: Observation): Record<string, Instants> {
  const since: Record<string, Instants> = {};
  for (const [property, value] of Object.entries(seen.values)) {
    if (property in side.base && sameValue(value, side.base[property])) continue;
    const before = side.seen && sameValue(side.seen.values[property], value) ? side.since[property] : undefined;
    since[property] = before ?? seen.at;
  }
  return since;
}

function adopt(side: SideState, seen: Observation, alive: boolean): SideState {
  return { ...side, seen, since: sinceOf(side, seen), doubt: false, gone: alive ? null : side.gone };
}

/**
 * Hands an observation to a link. Strictly older than what was seen: ignored. Equal version with other values: not
 * believed until a direct read after the replica's lag (`direct`) shows it too.
 */
export function observe(state: LinkState, side: Side, seen: Observation, direct = false): LinkState {
  const now = state[side];
  const before = now.seen;
  if (before && seen.version < before.version) return direct ? { ...state, [side]: { ...now, doubt: false, gone: null } } : state;
  // A message that comes again proves nothing about a record that reads have missed.
  const same = before !== null && sameValues(before.values, seen.values) && before.inScope === seen.inScope;
  if (before && seen.version === before.version && !same && !direct) return { ...state, [side]: { ...now, doubt: true } };
  const next: LinkState = { ...state, [side]: adopt(now, seen, direct || !before || seen.version > before.version) };
  // An edit is what a refusal waits for: try again.
  return same ? next : { ...next, block: null };
}

/** A feed, a list or an answer hints that the record is gone; only direct reads decide. */
export function suspectGone(state: LinkState, side: Side, now: number): LinkState {
  return state[side].gone ? state : { ...state, [side]: { ...state[side], gone: { reads: 0, nextAt: now } } };
}

/** Asks for a direct read of both sides: `sync`, a sweep that disagrees, a resumed link. */
export function doubtBothSides(state: LinkState): LinkState {
  const doubted = (side: SideState): SideState => (side.id === null ? side : { ...side, doubt: true });
  return { ...state, block: null, source: doubted(state.source), target: doubted(state.target) };
}

/** The flow was edited: new pairs have no base yet, pairs that went are forgotten. */
export function changeRules(state: LinkState, rules: Rules): LinkState {
  if (rules.hash === state.rules.hash) return state;
  const keep = (side: Side): SideState => {
    const names = new Set(rules.pairs.map((pair) => pair[side]));
    const base = Object.fromEntries(Object.entries(state[side].base).filter(([name]) => names.has(name)));
    return { ...state[side], base, doubt: state[side].id !== null };
  };
  return { ...state, rules, source: keep('source'), target: keep('target'), block: null, verdicts: {}, stored: false };
}
