import { valuesMatch, conditionsHold } from '../../flows/valuesMatch.ts';
import { convert, convertBack, ConversionError } from '../../flows/convert.ts';
import { across, SIDES, type Side } from '../../flows/side.ts';
import { sameValue, type Value } from '../../flows/values.ts';
import type { Instants, LinkState, SideState } from './state.ts';

/** One property to be written, with all that makes the write conditional and accountable. */
export interface Assignment {
  readonly property: string;
  readonly value: Value;
  /** Raw value that was seen there: the write's condition, and what history keeps as "before". */
  readonly expected: Value;
  /** Property of the other side and its raw value that this write carries; they become its base. Null: a verdict's write. */
  readonly from: { readonly property: string; readonly value: Value } | null;
  readonly why: string;
  /** In a conflict: when either side was edited, as far as is known (ms, Tandem's clock). */
  readonly instants?: { readonly source: Instants; readonly target: Instants };
}

/** What three-way comparison finds for a whole link. */
export interface Merge {
  /** Pairs on which both sides agree although their base is another: [source property, target property]. */
  readonly agreed: readonly { readonly source: string; readonly target: string }[];
  readonly writes: Readonly<Record<Side, readonly Assignment[]>>;
  /** Conflicts that wait for a person, by source property. */
  readonly asks: readonly string[];
  /** A value that the other side's type cannot express. */
  readonly unconvertible: { readonly side: Side; readonly property: string; readonly message: string } | null;
}

/** Which side was edited later. What the evidence cannot order is a tie, and a tie goes to the source. */
export function laterEdit(source: Instants, target: Instants): { winner: Side; tie: boolean } {
  if (target[0] > source[1]) return { winner: 'target', tie: false };
  return { winner: 'source', tie: !(source[0] > target[1]) };
}

function editInstants(side: SideState, property: string): Instants {
  return side.since[property] ?? side.seen?.at ?? [0, 0];
}

/** Compares base, source and target per property and says what has to be written where. Pure. */
export function merge(state: LinkState): Merge {
  const { source, target } = state;
  const agreed: { source: string; target: string }[] = [];
  const writes: Record<Side, Assignment[]> = { source: [], target: [] };
  const asks: string[] = [];
  let unconvertible: Merge['unconvertible'] = null;
  if (!source.seen || !target.seen) return { agreed, writes, asks, unconvertible };

  for (const pair of state.rules.pairs) {
    const value = { source: source.seen.values[pair.source] ?? null, target: target.seen.values[pair.target] ?? null };
    const has = { source: pair.source in source.base, target: pair.target in target.base };
    const moved = {
      source: !has.source || !sameValue(value.source, source.base[pair.source]),
      target: !has.target || !sameValue(value.target, target.base[pair.target]),
    };
    if (!conditionsHold(pair, { source: source.seen.values, target: target.seen.values })) continue;
    const express = (from: Side): { value: Value } | null => {
      try {
        return { value: from === 'source' ? convert(value.source, pair.type) : convertBack(pair, value) };
      } catch (error) {
        if (!(error instanceof ConversionError)) throw error;
        unconvertible ??= { side: from, property: pair[from], message: error.message };
        return null;
      }
    };
    const carry = (winner: Side, why: string, instants?: Assignment['instants']): void => {
      const loser = across(winner);
      const wanted = express(winner);
      if (!wanted) return;
      if (sameValue(wanted.value, value[loser]) || valuesMatch(pair.type, value.source, value.target))
        agreed.push({ source: pair.source, target: pair.target });
      else
        writes[loser].push({
          property: pair[loser],
          value: wanted.value,
          expected: value[loser],
          from: { property: pair[winner], value: value[winner] },
          why,
          ...(instants ? { instants } : {}),
        });
    };

    const verdict = state.verdicts[pair.source];
    if (verdict) {
      for (const side of SIDES)
        if (!verdict.done.includes(side) && !sameValue(verdict[side], value[side]))
          writes[side].push({ property: pair[side], value: verdict[side], expected: value[side], from: null, why: verdict.why });
      continue;
    }
    if (!moved.source && !moved.target) continue;
    if (pair.direction !== undefined) {
      const writer: Side = pair.direction === 'toTarget' ? 'source' : 'target';
      carry(writer, moved[writer] ? 'edited' : `the ${writer} alone writes it`);
      continue;
    }
    if (moved.source !== moved.target) {
      carry(moved.source ? 'source' : 'target', 'edited');
      continue;
    }
    const wanted = express('source');
    if (!wanted) continue;
    if (valuesMatch(pair.type, value.source, value.target)) {
      agreed.push({ source: pair.source, target: pair.target });
      continue;
    }
    const instants = { source: editInstants(source, pair.source), target: editInstants(target, pair.target) };
    if (pair.policy === 'ask') asks.push(pair.source);
    else if (pair.policy === 'latest') {
      const { winner, tie } = laterEdit(instants.source, instants.target);
      carry(winner, tie ? 'conflict, too close to order: source' : `conflict, edited later: ${winner}`, instants);
    } else carry(pair.policy, `conflict, by policy: ${pair.policy}`, instants);
  }
  return { agreed, writes, asks, unconvertible };
}
