import { conditionsHold, valuesMatch } from './valuesMatch.ts';
import type { When } from './flow.ts';
import type { DataType } from './convert.ts';
import { across, SIDES, type Side } from './side.ts';
import { isNoValue, type Value, type Values } from './values.ts';

/**
 * How a link came to its target record: made just now; found again, ours from before; there already and matching; there
 * already, ours perhaps and edited since.
 */
export type TargetOrigin = 'made' | 'found' | 'matched' | 'adopted';

/**
 * What both sides have agreed on as a link gets its target record; a property that is missing never agreed. The link and
 * the store begin with the same.
 */
export function initialBase(
  pairs: readonly {
    readonly source: string;
    readonly target: string;
    readonly type: DataType;
    readonly direction?: string;
    readonly when?: readonly When[];
  }[],
  values: Readonly<Record<Side, Values>>,
  how: TargetOrigin,
): Record<Side, Record<string, Value>> {
  const base: Record<Side, Record<string, Value>> = { source: {}, target: {} };
  if (how === 'adopted') return base;
  for (const pair of pairs) {
    const value = { source: values.source[pair.source] ?? null, target: values.target[pair.target] ?? null };
    if (how === 'matched') {
      // A value on one side alone is nobody's conflict: it fills the other.
      for (const side of SIDES) if (isNoValue(value[side]) && !isNoValue(value[across(side)])) base[side][pair[side]] = null;
      continue;
    }
    // What does not hold yet was not carried, and nobody agreed on it.
    if (pair.direction === 'toSource' || !conditionsHold(pair, values)) continue;
    base.target[pair.target] = value.target;
    // What is found may be what the source was then, not what it is now.
    if (how === 'made' || valuesMatch(pair.type, value.source, value.target)) base.source[pair.source] = value.source;
  }
  return base;
}
