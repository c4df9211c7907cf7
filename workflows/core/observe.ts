import type { Side } from '../../flows/side.ts';
import { sameValue, sameValues } from '../../flows/values.ts';
import { isBelievedGone, missingFromList } from './absence.ts';
import { settleSent } from './sent.ts';
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

function adopt(now: SideState, seen: Observation, alive: boolean): SideState {
  const { older: _, ...side } = now;
  return { ...side, seen, since: sinceOf(side, seen), doubt: false, gone: alive ? null : side.gone };
}

/**
 * Hands an observation to a link. Strictly older than what was seen: ignored, unless two direct reads, the replica's lag
 * apart, show it. Equal version with other values: not believed until a direct read (`direct`) shows it too.
 */
export function observe(
  state: LinkState,
  { side, seen, direct = false }: { readonly side: Side; readonly seen: Observation; readonly direct?: boolean | undefined },
): LinkState {
  const now = state[side];
  const before = now.seen;
  if (before && seen.version < before.version) return direct ? olderRead(state, { side, seen, before }) : state;
  // A message that comes again proves nothing about a record that reads have missed.
  const same = before !== null && sameValues(before.values, seen.values) && before.inScope === seen.inScope;
  if (before && seen.version === before.version && !same && !direct) return { ...state, [side]: { ...now, doubt: true } };
  const adopted: LinkState = { ...state, [side]: adopt(now, seen, direct || !before || seen.version > before.version) };
  const next = settleSent(adopted, side);
  // An edit is what a refusal waits for: try again.
  return same ? next : { ...next, block: null };
}

/** A replica that lags, or a system that went back: its clock, or its data from a backup. A second read tells which. */
function olderRead(
  state: LinkState,
  { side, seen, before }: { readonly side: Side; readonly seen: Observation; readonly before: Observation },
): LinkState {
  const now = state[side];
  if (now.older !== seen.version) return { ...state, [side]: { ...now, doubt: true, gone: null, older: seen.version } };
  return settleSent({ ...state, block: null, stored: false, [side]: goneBack(now, seen, before) }, side);
}

/** What stands there now, although the system had shown a newer version. */
function goneBack(now: SideState, seen: Observation, before: Observation): SideState {
  const back = now.back !== undefined && now.back > before.version ? now.back : before.version;
  return { ...adopt(now, seen, true), back };
}

/** The answer to a write of our own shows what stands there now, whatever the system's clock says. */
export function answered(state: LinkState, side: Side, seen: Observation): LinkState {
  const before = state[side].seen;
  if (!before || seen.version >= before.version) return observe(state, { side, seen });
  return { ...state, [side]: goneBack(state[side], seen, before) };
}

/**
 * What a feed tells. Of a record that was believed gone it only asks for a direct read, and so does an older version, or
 * any of a record that was believed gone, that a full comparison shows (`regressed`).
 */
export function sighted(
  state: LinkState,
  { side, seen, regressed }: { readonly side: Side; readonly seen: Observation; readonly regressed: boolean },
): LinkState {
  const before = state[side].seen;
  const newer = !before || regressed || seen.version > before.version;
  const doubted: LinkState = { ...state, [side]: { ...state[side], doubt: true } };
  if (state.ended === 'source gone' || (state.ended === 'target gone' && side === 'target'))
    return state.final !== true && newer && (side === 'source' || state.ended === 'target gone') ? doubted : state;
  const { gone } = state[side];
  // What is believed gone is in a list all the same: whatever it was refused is looked at anew.
  if (regressed && gone && isBelievedGone(gone)) return { ...doubted, block: state.block?.code === 'held' ? state.block : null };
  if (regressed && before && seen.version < before.version) return doubted;
  // A page from before the system went back looks newer than what stands there now.
  const { back } = state[side];
  return newer && back !== undefined && seen.version <= back ? doubted : observe(state, { side, seen });
}

/** A list of ids lacks the record; only direct reads decide. That it does is news to a read that was refused, the first time. */
export function suspectGone(state: LinkState, side: Side, now: number): LinkState {
  const { block } = state;
  const { gone } = state[side];
  if (gone && isBelievedGone(gone)) return state;
  const isNews = gone === null || (gone.since !== undefined && gone.listed !== true);
  // A merged record is in no list and answers with another for ever.
  const frees = isNews && block?.read === true && block.side === side && block.code !== 'merged';
  return { ...state, block: frees ? null : block, [side]: { ...state[side], gone: missingFromList(gone, now) } };
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
