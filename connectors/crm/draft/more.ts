import { textAt } from '../profile/place.ts';
import { isObject } from '../record.ts';

const NEXT = ['next', 'next_page', 'nextPage', '_links.next.href', '_links.next', 'links.next', 'paging.next', 'pagination.next'];
const TOTAL =
  /^(@odata\.)?(total|count|total[-_]?(count|results|records|items|elements|rows|docs|hits|size)|num[-_]?found|record[-_]?count)$/i;

/** How a list says that there is more. */
export function pagingOf(
  headers: Headers,
  body: unknown,
): { readonly style: 'link' | 'url' | 'none'; readonly next?: string; readonly nextHeader?: string } {
  if (/rel="?next/i.test(headers.get('link') ?? '')) return { style: 'link' };
  const header = [...headers].find(([name, value]) => /next/i.test(name) && /^(https?:\/\/|\/)/.test(value));
  if (header) return { style: 'url', nextHeader: header[0] };
  const place = NEXT.find((path) => /^(https?:\/\/|\/)/.test(textAt(body, path) ?? ''));
  return place === undefined ? { style: 'none' } : { style: 'url', next: place };
}

/** How many records a list says that there are; 0 where it says nothing. */
export function totalOf(body: unknown): number {
  const all = isObject(body) ? [body, ...Object.values(body).filter(isObject)] : [];
  const totals = all.flatMap((each) =>
    Object.entries(each).filter(([name, value]) => TOTAL.test(name) && typeof value === 'number'),
  );
  return Math.max(0, ...totals.map(([, value]) => Number(value)));
}

/** What an answer shows of records behind its page, where it does. */
export function behindPage(headers: Headers, body: unknown, shown: number): string | null {
  const { style, next, nextHeader } = pagingOf(headers, body);
  if (style !== 'none') return `the answer names a next page (${nextHeader ?? next ?? 'Link, rel="next"'})`;
  const total = totalOf(body);
  return total > shown ? `the answer shows ${shown} of ${total}` : null;
}
