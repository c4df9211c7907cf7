import { convert, type DataType } from './convert.ts';
import type { When } from './flow.ts';
import type { Side } from './side.ts';
import { isNoValue, sameValue, type Value, type Values } from './values.ts';

/** Equal as the pair has it: the source's value in the pair's type is what the target shows, or both are one value in that type. */
export function valuesMatch(type: DataType, source: Value, target: Value): boolean {
  try {
    const wanted = convert(source, type);
    return sameValue(wanted, target) || sameValue(wanted, convert(target, type));
  } catch {
    return false;
  }
}

/** Whether a pair that depends on other properties holds for these records. */
export function conditionsHold(pair: { readonly when?: readonly When[] }, values: Readonly<Record<Side, Values>>): boolean {
  return (pair.when ?? []).every(({ side, property, value }) => {
    const now = values[side][property];
    return (isNoValue(now) ? '' : String(now)) === value;
  });
}
