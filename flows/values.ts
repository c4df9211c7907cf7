/** A mapped value as a system gave it. Lists occur where a document maps them; `undefined` never does. */
export type Value = string | number | boolean | null | readonly Value[];

/** Raw values by the system's own property path. */
export type Values = Readonly<Record<string, Value>>;

/** No value, null and the empty string are one thing: no value. */
export function isNoValue(value: Value | undefined): boolean {
  return value === undefined || value === null || value === '';
}

/** Equality that knows that all forms of "no value" are equal. */
export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (isNoValue(a) || isNoValue(b)) return isNoValue(a) && isNoValue(b);
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => sameValue(item, b[i]));
  return a === b;
}

/** Whether two sets of values agree on every property that either of them names. */
export function sameValues(a: Values, b: Values): boolean {
  for (const key of Object.keys(a)) if (!sameValue(a[key], b[key])) return false;
  for (const key of Object.keys(b)) if (!(key in a) && !isNoValue(b[key])) return false;
  return true;
}
