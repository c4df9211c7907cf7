import { instantKey } from '../flows/instant.ts';
import type { Page, Snapshot, UnreadableRow } from './connector.ts';

/** One request's answer. `next` asks for the page after it, null on the last. */
export interface ListPage {
  readonly rows: readonly Snapshot[];
  readonly unreadable?: readonly UnreadableRow[];
  readonly next: string | null;
}

/** One type's list in one system, as requests: what a filter is, and how the page after a page is asked for. */
export interface Lister {
  /** One request. */
  page(since: string | null, token: string | null): Promise<ListPage>;
  /** The filter's value that still includes records of this instant. */
  including(instant: string): string;
  /** Whether the list is promised to be sorted by stamp. */
  readonly ordered: boolean;
  /** Whether an error says that the list cannot be sorted by stamp. */
  refusesOrder?(error: unknown): boolean;
}

/** Where a reading of changes is asked to go on: from an instant, or at a position that one of its pages told. */
export interface ReadingFrom {
  readonly since: string | null;
  readonly position?: string | undefined;
}

/** What a position says of a list in the order of stamps, and of one in no order. */
type Place =
  | { readonly kind: 'ordered'; readonly from: string | null; readonly token: string | null }
  | { readonly kind: 'throughout'; readonly pass: number; readonly token: string | null; readonly newest: string | null };

const written = (place: Place): string => JSON.stringify(place);

/** An unsorted list is read so often: rows that moved meanwhile are met the second time. */
const PASSES = 2;

/**
 * Records changed since `since`, oldest change first. Rows move while one reads, so the page after a page is asked for
 * from just before the last row's instant, and by token only while a whole page shares one instant.
 */
export async function* inOrder(lister: Lister, { since, position }: ReadingFrom): AsyncIterable<Page> {
  const place = position === undefined ? null : (JSON.parse(position) as Place);
  if (place?.kind === 'throughout' || !lister.ordered)
    return yield* throughout(lister, since, place?.kind === 'throughout' ? place : null);
  let { from, token } = place ?? { from: since, token: null };
  let before = new Set<string>();
  for (;;) {
    let got;
    try {
      got = await lister.page(from, token);
    } catch (error) {
      if (lister.refusesOrder?.(error)) return yield* throughout(lister, since, null);
      throw error;
    }
    const { rows, next, unreadable = [] } = got;
    const keys = rows.map((row) => instantKey(row.instant));
    if (keys.some((key, i) => i > 0 && key < (keys[i - 1] ?? ''))) return yield* throughout(lister, since, null);
    const records = rows.filter((row) => !before.has(`${row.id}@${row.version}`));
    const last = rows.at(-1);
    if (next !== null) {
      // Where nothing of a page counts, nothing says from where to go on but its token.
      const restart = last && lister.including(last.instant);
      if (last) before = new Set(rows.map((row) => `${row.id}@${row.version}`));
      // A filter coarser than the stamps begins where this page began: only the token leads on.
      if (restart === undefined || (from !== null && instantKey(from) >= instantKey(restart))) token = next;
      else [from, token] = [restart, null];
    }
    if (records.length > 0 || unreadable.length > 0)
      yield {
        records,
        after: records.at(-1)?.instant ?? null,
        position: next === null ? null : written({ kind: 'ordered', from, token }),
        ...(unreadable.length > 0 ? { unreadable } : {}),
      };
    if (next === null) return;
  }
}

/**
 * A list that is not sorted by stamp, page by page and twice where it has several, since rows move between pages while one
 * reads. What moves all the while stops nobody: the next look begins at the newest instant of the first pass, so what
 * both passes may have missed for an edit in the meantime is shown there.
 */
async function* throughout(
  lister: Lister,
  since: string | null,
  begun: (Place & { kind: 'throughout' }) | null,
): AsyncIterable<Page> {
  let { pass, token, newest } = begun ?? { pass: 1, token: null, newest: null };
  const shown = new Map<string, string>();
  for (;;) {
    const first = token === null;
    const { rows, next, unreadable = [] } = await pageOf(lister, since, token);
    const records = rows
      .filter(({ id, version }) => (shown.get(id) ?? '') < version)
      .sort((a, b) => (a.version < b.version ? -1 : 1));
    for (const { id, version } of records) shown.set(id, version);
    if (pass === 1)
      for (const { instant } of rows) if (newest === null || instantKey(instant) > instantKey(newest)) newest = instant;
    // One page is one instant's truth: nothing could move between its rows.
    const ends = next === null && (pass === PASSES || first);
    if (next === null) pass += 1;
    token = next;
    if (!ends || records.length > 0 || unreadable.length > 0 || pass > PASSES)
      yield {
        records,
        // Before the end, rows of any instant may still come.
        after: ends ? newest : null,
        position: ends ? null : written({ kind: 'throughout', pass, token, newest }),
        ...(unreadable.length > 0 ? { unreadable } : {}),
      };
    if (ends) return;
  }
}

/** A page; asked for without an order where the order is refused only now. */
async function pageOf(lister: Lister, since: string | null, token: string | null): Promise<ListPage> {
  try {
    return await lister.page(since, token);
  } catch (error) {
    if (!lister.refusesOrder?.(error)) throw error;
    return lister.page(since, token);
  }
}
