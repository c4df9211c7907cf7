/**
 * Instants as text. PowerOffice Go writes up to seven decimals, finer than a JavaScript Date, so an instant is kept
 * as the system wrote it and compared by a key that loses no digit.
 */

const ISO = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,12}))?(Z|[+-]\d\d:?\d\d)?$/i;
const DECIMALS = 9;

function parts(text: string): { seconds: number; fraction: string } {
  const match = ISO.exec(text.trim());
  const seconds = match ? Date.parse(`${match[1]}T${match[2]}${(match[4] ?? 'Z').toUpperCase()}`) / 1000 : Number.NaN;
  if (!match || Number.isNaN(seconds)) throw new RangeError(`not an ISO 8601 instant: ${JSON.stringify(text)}`);
  return { seconds, fraction: (match[3] ?? '').slice(0, DECIMALS).padEnd(DECIMALS, '0') };
}

/** A key that sorts as the instants do: whole seconds since 1970, then nine decimals. Throws RangeError on other text. */
export function instantKey(text: string): string {
  const { seconds, fraction } = parts(text);
  return `${String(seconds).padStart(12, '0')}.${fraction}`;
}

/** Milliseconds since 1970, fraction included. Throws RangeError on other text. */
export function instantMs(text: string): number {
  const { seconds, fraction } = parts(text);
  return seconds * 1000 + Number(fraction) / 1e6;
}

/** Whether the text is an instant that this module can read. */
export function isInstant(text: unknown): text is string {
  return typeof text === 'string' && ISO.test(text.trim()) && !Number.isNaN(Date.parse(text.trim().slice(0, 19) + 'Z'));
}

function write(seconds: number, fraction: bigint): string {
  const head = new Date(seconds * 1000).toISOString().slice(0, 19);
  return `${head}.${String(fraction).padStart(DECIMALS, '0').slice(0, 7)}Z`;
}

/** The instant `seconds` earlier, in UTC with seven decimals. */
export function secondsBefore(text: string, seconds: number): string {
  const at = parts(text);
  return write(at.seconds - seconds, BigInt(at.fraction));
}

/** The last instant that a strictly-greater filter must be given to include `text` itself: 100 ns earlier. */
export function justBefore(text: string): string {
  const at = parts(text);
  const tick = 100n;
  const fraction = BigInt(at.fraction);
  return fraction >= tick ? write(at.seconds, fraction - tick) : write(at.seconds - 1, 1_000_000_000n - tick);
}
