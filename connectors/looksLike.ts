import { isNoValue, type Value, type Values } from '../flows/values.ts';

const bare = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');

/** Whether a value is what a system may have made of the one that it was sent: trimmed, cut, re-spaced, in other letters. */
function mayBe(kept: Value | undefined, sent: Value): boolean {
  if (isNoValue(sent)) return isNoValue(kept);
  if (typeof sent !== 'string' || typeof kept !== 'string') return String(kept) === String(sent);
  const [a, b] = [bare(kept), bare(sent)];
  return a === '' ? kept.trim() === sent.trim() : b.startsWith(a);
}

/** Whether a value is one that was sent, apart from letters, blanks and signs: nothing of it was cut. */
export const isTidied = (kept: Value | undefined, sent: Value): boolean =>
  mayBe(kept, sent) && (typeof kept !== 'string' || typeof sent !== 'string' || bare(kept) === bare(sent));

/** Whether a record may be the one that was created with these values: compared as systems normalise, not as it was sent. */
export const looksLike = (fields: Values, sent: Values): boolean =>
  Object.entries(sent).every(([name, value]) => mayBe(fields[name], value));
