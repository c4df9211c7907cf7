import { valuesMatch, conditionsHold } from '../../flows/valuesMatch.ts';
import { convert, convertBack, ConversionError } from '../../flows/convert.ts';
import { across, SIDES, type Side } from '../../flows/side.ts';
import { isNoValue, sameValue, type Value } from '../../flows/values.ts';
import type { Instants, LinkState, Rules, SideState, Verdict } from './state.ts';

type Pair = Rules['pairs'][number];

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

/** A merge while its pairs are looked at, one after the other. */
interface Findings {
  readonly agreed: { readonly source: string; readonly target: string }[];
  readonly writes: Record<Side, Assignment[]>;
  readonly asks: string[];
  unconvertible: Merge['unconvertible'];
}

/** One pair of properties as both sides show it. */
interface Compared {
  readonly pair: Pair;
  readonly value: Readonly<Record<Side, Value>>;
  /** Which sides left their base. */
  readonly moved: Readonly<Record<Side, boolean>>;
  readonly edited: Readonly<Record<Side, Instants>>;
}

/**
 * Compares base, source and target per property and says what has to be written where. Pure. `fills`: of a pair that never
 * agreed, a value on one side alone is nobody's conflict.
 */
export function merge({ source, target, rules, verdicts }: LinkState, fills = true): Merge {
  const findings: Findings = { agreed: [], writes: { source: [], target: [] }, asks: [], unconvertible: null };
  if (!source.seen || !target.seen) return findings;
  for (const pair of rules.pairs) {
    if (!conditionsHold(pair, { source: source.seen.values, target: target.seen.values })) continue;
    const plain = compare(pair, source, target);
    const compared = fills && isOneSided(plain, { source, target }) ? filling(plain) : plain;
    const verdict = verdicts[pair.source];
    if (verdict) carryVerdict(findings, compared, verdict);
    else if (compared.moved.source || compared.moved.target) mergePair(findings, compared);
  }
  return findings;
}

function compare(pair: Pair, source: SideState, target: SideState): Compared {
  const value = { source: source.seen?.values[pair.source] ?? null, target: target.seen?.values[pair.target] ?? null };
  const moved = {
    source: !(pair.source in source.base) || !sameValue(value.source, source.base[pair.source]),
    target: !(pair.target in target.base) || !sameValue(value.target, target.base[pair.target]),
  };
  return { pair, value, moved, edited: { source: editInstants(source, pair.source), target: editInstants(target, pair.target) } };
}

const isOneSided = ({ pair, value }: Compared, sides: Readonly<Record<Side, SideState>>): boolean =>
  SIDES.every((side) => !(pair[side] in sides[side].base)) && isNoValue(value.source) !== isNoValue(value.target);

/** The side with the value counts as the one that moved. */
const filling = (compared: Compared): Compared => {
  const { source, target } = compared.value;
  return { ...compared, moved: { source: !isNoValue(source), target: !isNoValue(target) } };
};

/** A person's decision is written to each side once, whatever stands there. */
function carryVerdict(findings: Findings, { pair, value }: Compared, verdict: Verdict): void {
  for (const side of SIDES)
    if (!verdict.done.includes(side) && !sameValue(verdict[side], value[side]))
      findings.writes[side].push({
        property: pair[side],
        value: verdict[side],
        expected: value[side],
        from: null,
        why: verdict.why,
      });
}

/** A pair of which a side has left its base: one side goes to the other, both agree, or they are in conflict. */
function mergePair(findings: Findings, compared: Compared): void {
  const { pair, value, moved, edited } = compared;
  const carry = (winner: Side, why: string, instants?: Assignment['instants']): void =>
    carryAcross(findings, compared, { winner, why, instants });
  if (pair.direction !== undefined) {
    const writer: Side = pair.direction === 'toTarget' ? 'source' : 'target';
    return carry(writer, moved[writer] ? 'edited' : `the ${writer} alone writes it`);
  }
  if (moved.source !== moved.target) return carry(moved.source ? 'source' : 'target', 'edited');
  if (!express(findings, compared, 'source')) return;
  if (valuesMatch(pair.type, value.source, value.target)) findings.agreed.push({ source: pair.source, target: pair.target });
  else if (pair.policy === 'ask') findings.asks.push(pair.source);
  else if (pair.policy === 'latest') {
    const { winner, tie } = laterEdit(edited.source, edited.target);
    carry(winner, tie ? 'conflict, too close to order: source' : `conflict, edited later: ${winner}`, edited);
  } else carry(pair.policy, `conflict, by policy: ${pair.policy}`, edited);
}

function carryAcross(
  findings: Findings,
  compared: Compared,
  { winner, why, instants }: { readonly winner: Side; readonly why: string; readonly instants: Assignment['instants'] },
): void {
  const { pair, value } = compared;
  const loser = across(winner);
  const wanted = express(findings, compared, winner);
  if (!wanted) return;
  if (sameValue(wanted.value, value[loser]) || valuesMatch(pair.type, value.source, value.target))
    findings.agreed.push({ source: pair.source, target: pair.target });
  else
    findings.writes[loser].push({
      property: pair[loser],
      value: wanted.value,
      expected: value[loser],
      from: { property: pair[winner], value: value[winner] },
      why,
      ...(instants ? { instants } : {}),
    });
}

/** A side's value as the other side's type has it; null, and noted, where that type cannot express it. */
function express(findings: Findings, { pair, value }: Compared, from: Side): { readonly value: Value } | null {
  try {
    return { value: from === 'source' ? convert(value.source, pair.type) : convertBack(pair, value) };
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    findings.unconvertible ??= { side: from, property: pair[from], message: error.message };
    return null;
  }
}
