import { linkKey } from '../flows/names.ts';

/** The order of bytes is the store's; that of a string's units is not. */
export const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** The source id from after which a flow goes on, the empty one for all of it; null where it is over. */
export function idAfter(flow: string, after: string | undefined): string | null {
  const start = linkKey(flow, '');
  if (after === undefined || byBytes(after, start) < 0) return '';
  return after.startsWith(start) ? after.slice(start.length) : null;
}
