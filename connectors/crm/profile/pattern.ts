/** A stamp written by a pattern: `DD.MM.YYYY HH:mm:ss`, `YYYYMMDDHHmmss`. */
const TOKENS = /YYYY|MM|DD|HH|mm|ss|SSS/g;

/** What is a pattern: year, month and day at least, and no letter that stands for nothing but a T or a Z. */
export const PATTERN = /^(?=.*YYYY)(?=.*MM)(?=.*DD)(?:YYYY|MM|DD|HH|mm|ss|SSS|[^A-Za-z0-9]|T|Z)+$/;

/** Whether a format is a pattern, and none of the named ones. */
export const isPattern = (format: string): boolean => format.includes('YYYY');

/** The instant that a text shows, as it would be in UTC; null where it is not as the pattern says. */
export function readPattern(pattern: string, text: string): string | null {
  const names: string[] = [];
  const source = pattern.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&').replace(TOKENS, (token) => {
    names.push(token);
    return `(\\d{${token.length}})`;
  });
  const groups = new RegExp(`^${source}$`).exec(text.trim());
  if (!groups) return null;
  // What the pattern leaves out is nought.
  const part = (token: string): string =>
    (names.includes(token) ? groups[names.indexOf(token) + 1] : undefined) ?? '0'.repeat(token.length);
  const time = `${part('HH')}:${part('mm')}:${part('ss')}.${part('SSS')}`;
  const stamp = `${part('YYYY')}-${part('MM')}-${part('DD')}T${time}`;
  return Number.isNaN(Date.parse(`${stamp}Z`)) ? null : stamp;
}

/** An instant of a zone, given as if it were UTC, in the pattern. */
export function writePattern(pattern: string, at: Date): string {
  const [day = '', time = ''] = at.toISOString().split('T');
  const [YYYY = '', MM = '', DD = ''] = day.split('-');
  const parts: Record<string, string> = {
    YYYY,
    MM,
    DD,
    HH: time.slice(0, 2),
    mm: time.slice(3, 5),
    ss: time.slice(6, 8),
    SSS: time.slice(9, 12),
  };
  return pattern.replace(TOKENS, (token) => parts[token] ?? token);
}

/** The smallest step that a pattern shows (ms). */
export const patternGrain = (pattern: string): number =>
  pattern.includes('SSS')
    ? 1
    : pattern.includes('ss')
      ? 1000
      : pattern.includes('mm')
        ? 60_000
        : pattern.includes('HH')
          ? 3_600_000
          : 86_400_000;
