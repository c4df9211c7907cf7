import { isNoValue, type Value } from './values.ts';

/** What may be evened out before two values are compared for a match. */
export const NORMALISERS = ['trim', 'case', 'spaces', 'accents', 'digits'] as const;
export type Normaliser = (typeof NORMALISERS)[number];

const EVEN: Readonly<Record<Normaliser, (text: string) => string>> = {
  /** Spaces at either end. */
  trim: (text) => text.trim(),
  /** Capital and small letters. */
  case: (text) => text.toLowerCase(),
  /** Runs of spaces count as one. */
  spaces: (text) => text.replace(/\s+/g, ' '),
  /** Letters without their marks: "é" is "e". */
  accents: (text) => text.normalize('NFD').replace(/\p{M}/gu, ''),
  /** Digits alone: telephone and account numbers. */
  digits: (text) => text.replace(/\D/g, ''),
};

/** The text by which a value is compared; null where there is nothing to compare. */
export function normalise(value: Value | undefined, how: readonly Normaliser[]): string | null {
  if (value === undefined || isNoValue(value)) return null;
  const plain = Array.isArray(value) ? JSON.stringify(value) : String(value);
  const text = how.reduce((now, each) => EVEN[each](now), plain);
  return text === '' ? null : text;
}
