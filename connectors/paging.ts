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

/**
 * Records changed since `since`, oldest change first. Rows move while one reads, so the page after a page is asked for
 * from just before the last row's instant, and by token only while a whole page shares one instant.
 */
export async function* inOrder(lister: Lister, since: string | null): AsyncIterable<Page> {
  if (!lister.ordered) return yield* throughout(lister, since);
  let from = since;
  let token: string | null = null;
  let before = new Set<string>();
  for (;;) {
    let got;
    try {
      got = await lister.page(from, token);
    } catch (error) {
      if (lister.refusesOrder?.(error)) return yield* throughout(lister, since);
      throw error;
    }
    const { rows, next, unreadable = [] } = got;
    const keys = rows.map((row) => instantKey(row.instant));
    if (keys.some((key, i) => i > 0 && key < (keys[i - 1] ?? ''))) return yield* throughout(lister, since);
    const records = rows.filter((row) => !before.has(`${row.id}@${row.version}`));
    const last = rows.at(-1);
    if (records.length > 0 || unreadable.length > 0)
      yield { records, after: records.at(-1)?.instant ?? null, ...(unreadable.length > 0 ? { unreadable } : {}) };
    if (next === null) return;
    if (!last) {
      // Nothing of this page counts, so nothing says from where to go on but its token.
      token = next;
      continue;
    }
    before = new Set(rows.map((row) => `${row.id}@${row.version}`));
    const restart = lister.including(last.instant);
    // A filter coarser than the stamps begins where this page began: only the token leads on.
    if (from !== null && instantKey(from) >= instantKey(restart)) token = next;
    else {
      from = restart;
      token = null;
    }
  }
}

/** A list that is not sorted by stamp: page after page, again until nothing new appears, then sorted here as one page. */
async function* throughout(lister: Lister, since: string | null): AsyncIterable<Page> {
  const all = new Map<string, Snapshot>();
  const set = new Map<string, UnreadableRow>();
  for (let changed = true; changed;) {
    changed = false;
    let pages = 0;
    let token: string | null = null;
    do {
      const got: ListPage = await lister.page(since, token);
      for (const row of got.unreadable ?? []) set.set(row.id ?? row.why, row);
      for (const row of got.rows) {
        if ((all.get(row.id)?.version ?? '') >= row.version) continue;
        all.set(row.id, row);
        changed = true;
      }
      token = got.next;
      pages += 1;
    } while (token !== null);
    // One page is one instant's truth: nothing could move between its rows.
    if (pages === 1) break;
  }
  const records = [...all.values()].sort((a, b) => (a.version < b.version ? -1 : 1));
  const unreadable = [...set.values()];
  if (records.length > 0 || unreadable.length > 0)
    yield { records, after: records.at(-1)?.instant ?? null, ...(unreadable.length > 0 ? { unreadable } : {}) };
}
