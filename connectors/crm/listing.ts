import { instantMs } from '../../flows/instant.ts';
import type { Answer } from '../http.ts';
import type { CallOptions, IdPage, Page, Snapshot, UnreadableRow } from '../connector.ts';
import { inOrder, type ListPage, type Lister, type ReadingFrom } from '../paging.ts';
import { SystemError } from '../systemError.ts';
import { placeOf, textAt } from './profile/place.ts';
import type { DeletedListing, Listing, ReadyType } from './profile/resolve.ts';
import type { OperationName } from './profile/schema.ts';
import type { Variables } from './profile/template.ts';
import { idAt, idOf, isGone, namesFor, malformed, snapshotOf, type Reading } from './record.ts';
import { floored, instantOf, stampText, stepBefore } from './profile/stamps.ts';
import type { Send } from './transport.ts';

/** What a listing needs of the connector. */
export interface ListingHost {
  readonly base: string;
  readonly send: Send;
  /** A direct read, for rows that lack properties. */
  readonly read: (id: string) => Promise<Snapshot>;
  readonly reading: Omit<Reading, 'asked' | 'etag' | 'shape'>;
  readonly options: CallOptions;
}

/** One question: an operation, and what its variables stand for on every page. */
interface Question {
  readonly operation: OperationName;
  readonly list: Listing;
  readonly variables: Variables;
}

/** Rows of one page as they came. */
interface RawPage {
  readonly rows: readonly unknown[];
  readonly next: string | null;
}

/** What is stamped by a clock ahead of ours is asked for, too (ms). */
const AHEAD_MS = 120_000;
/** Before every stamp: asked from here, a list of changes shows everything. */
const BEGINNING = '1970-01-01T00:00:00.000Z';

/** How far a question was read: the system's own token, how many rows there were, and, past a cap, after which id. */
interface Spot {
  readonly token: string | null;
  readonly rows: number;
  readonly afterId?: string;
}

function tokenVariables({ paging }: Listing, token: string | null): Variables {
  if (paging.style === 'cursor') return { cursor: token };
  if (paging.style === 'offset') return { offset: Number(token ?? 0) };
  if (paging.style === 'page') return { page: Number(token ?? paging.first) };
  return {};
}

function nextAddress(base: string, link: string | null): string | null {
  if (link === null) return null;
  const next = new URL(link, `${base}/`);
  // The token goes along with every call, so no answer may send it elsewhere.
  if (next.origin !== new URL(base).origin)
    throw malformed(`the next page is said to be at ${next.origin}, which is not the CRM's own address`);
  return next.href;
}

const relNext = (header: string | null): string | null => /<([^>]+)>\s*;[^,]*\brel="?next"?/i.exec(header ?? '')?.[1] ?? null;

function nextToken(
  base: string,
  {
    paging,
    answer,
    token,
    count,
  }: Pick<Listing, 'paging'> & { readonly answer: Answer; readonly token: string | null; readonly count: number },
): string | null {
  const said = paging.more === undefined ? undefined : placeOf(answer.body, paging.more);
  const more = said === undefined ? undefined : said === true || said === 'true';
  if (more === false || paging.style === 'none') return null;
  if (paging.style === 'link') return nextAddress(base, relNext(answer.headers.get('link')));
  const shown =
    paging.nextHeader === undefined ? textAt(answer.body, paging.next) : (answer.headers.get(paging.nextHeader) ?? '') || null;
  if (paging.style === 'url') return nextAddress(base, shown);
  if (paging.style === 'cursor') return shown;
  if (!(more ?? count >= paging.size) || count === 0) return null;
  return String(paging.style === 'page' ? Number(token ?? paging.first) + 1 : Number(token ?? 0) + count);
}

/** Pages of one type's lists. */
// oxlint-disable-next-line max-lines-per-function -- a closure over a type and its host; each kind of list is a function of its own
export function listing(type: ReadyType, host: ListingHost) {
  const { operations, stamps } = type;
  const { changes } = operations;

  async function rawPage(
    { operation, list, variables }: Question,
    token: string | null,
    size = list.paging.size,
  ): Promise<RawPage> {
    const follows = token !== null && (list.paging.style === 'url' || list.paging.style === 'link');
    const sending = {
      operation,
      request: list,
      variables: { ...type.variables, ...variables, size, ...tokenVariables(list, token) },
      ...(follows ? { url: token } : {}),
    };
    const counts = list.paging.style === 'page' || list.paging.style === 'offset';
    const answer = await host.send(sending, host.options).catch((error: unknown) => {
      // Behind the last page some systems show an empty one, and others none.
      if (token !== null && counts && error instanceof SystemError && error.failure === 'gone') return null;
      throw error;
    });
    if (answer === null || answer.status === 204) return { rows: [], next: null };
    const rows = placeOf(answer.body, list.items);
    if (!Array.isArray(rows))
      throw malformed(`the list of ${type.name} has no array of records${list.items ? ` at ${list.items}` : ''}`);
    const next = nextToken(host.base, { paging: list.paging, answer, token, count: rows.length });
    if (next !== null && next === token) throw malformed(`the list of ${type.name} gives the same page again`);
    return { rows, next };
  }

  /** Past a cap, by the id of the last row: the list must be sorted by it. Tokens say all that is needed to go on. */
  async function counted(question: Question, token: string | null): Promise<RawPage> {
    const { cap, splitBy } = question.list.paging;
    const spot: Spot = token === null ? { token: null, rows: 0 } : (JSON.parse(token) as Spot);
    const { afterId } = spot;
    const page = await rawPage({ ...question, variables: { ...question.variables, afterId } }, spot.token);
    const rows = spot.rows + page.rows.length;
    const at = (next: Spot): RawPage => ({ ...page, next: JSON.stringify(next) });
    const onward = (): RawPage => (page.next === null ? page : at({ ...spot, token: page.next, rows }));
    if (cap === undefined || rows < cap) return onward();
    const last = page.rows.at(-1);
    // From a cap on it is another question, with pages of its own.
    if (splitBy === 'id')
      return last === undefined
        ? { ...page, next: null }
        : at({ token: null, rows: 0, afterId: idOf(last, question.list.record, type.name) });
    if (page.next === null) return page;
    throw new SystemError(
      'CRM',
      'refused',
      `more than ${cap} records of ${type.name} changed within what one question can tell apart: the system shows no more of them. Say "splitBy": "id" in the profile if it sorts by id`,
    );
  }

  async function readRows(rows: readonly unknown[], list: Listing): Promise<Omit<ListPage, 'next'>> {
    const read: Snapshot[] = [];
    const unreadable: UnreadableRow[] = [];
    for (const row of rows) {
      if (isGone(row, list.record)) continue;
      try {
        read.push(
          list.thin
            ? await host.read(idOf(row, list.record, type.name))
            : snapshotOf(row, { ...host.reading, shape: list.record }),
        );
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        if (list.thin && error.failure === 'gone') continue;
        // What can't be reached is trouble of the whole list, not of a row.
        if (error.ofSystem) throw error;
        const id = idAt(row, list.record.id);
        unreadable.push({ ...(id === null ? {} : { id }), why: error.text });
      }
    }
    return { rows: read, ...(unreadable.length > 0 ? { unreadable } : {}) };
  }

  const names = (list: Listing): Variables => namesFor(type, host.reading.fields, list.record);
  const filter = (instant: string): string => stampText(floored(instantMs(instant), stamps), stamps);

  const lister = (operation: 'list' | 'changes'): Lister => {
    const list = operations[operation] ?? operations.list;
    return {
      ordered: operation === 'changes' && stamps.sorted === 'yes',
      async page(since, token) {
        const variables = { ...names(list), since: since === null ? undefined : filter(since) };
        const { rows, next } = await counted({ operation, list, variables }, token);
        return { ...(await readRows(rows, list)), next };
      },
      including: (instant) =>
        new Date(stamps.inclusive ? floored(instantMs(instant), stamps) : stepBefore(instantMs(instant), stamps)).toISOString(),
    };
  };

  /** A window of changes, halved while it holds more than the system shows. */
  async function* windows(list: Listing, from: number, to: number): AsyncIterable<{ rows: unknown[]; to: number }> {
    const { cap = Number.POSITIVE_INFINITY } = list.paging;
    const variables = { ...names(list), since: stampText(from, stamps), until: stampText(to, stamps) };
    const rows: unknown[] = [];
    let token: string | null = null;
    do {
      const page: RawPage = await rawPage({ operation: 'changes', list, variables }, token);
      rows.push(...page.rows);
      token = page.next;
      if (rows.length >= cap && token !== null) {
        const middle = floored((from + to) / 2, stamps);
        if (middle <= from || middle >= to) throw malformed(`more than ${cap} records of ${type.name} changed at one instant`);
        yield* windows(list, from, middle);
        yield* windows(list, middle, to);
        return;
      }
    } while (token !== null);
    yield { rows, to };
  }

  /** A list in no order of which the system shows but a part: window by window, each read at once. */
  async function* byWindows(list: Listing, { since, position }: ReadingFrom & { since: string }): AsyncIterable<Page> {
    const from = position === undefined ? floored(instantMs(since), stamps) : Number(position);
    // Clocks part; what is stamped later than this comes with the next look.
    for await (const window of windows(list, from, Date.now() + AHEAD_MS)) {
      if (window.rows.length === 0) continue;
      const read = { ...(await readRows(window.rows, list)), next: null };
      const once: Lister = { ordered: false, including: (instant) => instant, page: () => Promise.resolve(read) };
      for await (const page of inOrder(once, { since: null })) yield { ...page, position: String(window.to) };
    }
  }

  return {
    /** Records changed since then, oldest change first. */
    async *changed({ since, position }: ReadingFrom) {
      // A filter by one stamp shows everything from the beginning; one of several may be null and hide a record.
      const complete = stamps.sorted === 'yes' && type.record.changed.length === 1;
      if (!changes || (since === null && !complete)) return yield* inOrder(lister('list'), { since: null, position });
      const back = new Date(instantMs(since ?? BEGINNING) - stamps.lookBackMs);
      const from = since === null || stamps.lookBackMs === 0 ? (since ?? BEGINNING) : back.toISOString();
      const windowed = changes.paging.splitBy === 'window' && stamps.sorted !== 'yes';
      if (windowed) yield* byWindows(changes, { since: from, position });
      else yield* inOrder(lister('changes'), { since: from, position });
    },

    async *ids(position?: string): AsyncIterable<IdPage> {
      const { list } = operations;
      const question = { operation: 'list' as const, list, variables: namesFor(type, [], list.record) };
      let token = position ?? null;
      do {
        const { rows, next } = await counted(question, token);
        const there = rows.filter((row) => !isGone(row, list.record));
        const ids = there.flatMap((row) => idAt(row, list.record.id) ?? []);
        // A list in which no row shows an id is another list than was asked for.
        if (there.length > 0 && ids.length === 0) idOf(there[0], list.record, type.name);
        yield { ids, position: next };
        token = next;
      } while (token !== null);
    },

    /** Records that carry the external id. */
    async byExternalId(list: Listing, externalId: string): Promise<Snapshot[]> {
      const found: Snapshot[] = [];
      const question = { operation: 'find' as const, list, variables: { ...names(list), externalId } };
      let token: string | null = null;
      do {
        const page: RawPage = await rawPage(question, token);
        const { rows, unreadable } = await readRows(page.rows, list);
        // A row that can't be read may be the one: better no answer than "there is none".
        if (unreadable?.[0]) throw malformed(unreadable[0].why);
        found.push(...rows.filter((seen) => seen.externalId === externalId));
        token = page.next;
      } while (token !== null);
      return found;
    },

    /** Ids of the records deleted since then, page by page; earlier ones too where neither filter nor rows name an instant. */
    async *deleted(list: DeletedListing, since: string): AsyncIterable<readonly string[]> {
      const from = floored(instantMs(since), stamps);
      const variables = { since: stampText(from, stamps), until: stampText(Date.now() + AHEAD_MS, stamps) };
      let token: string | null = null;
      do {
        const page: RawPage = await rawPage({ operation: 'deleted', list, variables }, token);
        yield page.rows.flatMap((row) => {
          const at = list.at === undefined ? null : instantOf(placeOf(row, list.at), stamps);
          return at !== null && instantMs(at) < from ? [] : [idAt(row, list.id) ?? String(row)];
        });
        token = page.next;
      } while (token !== null);
    },

    /** One row at most, to see whether the system answers. */
    probe: (operation: 'list', size = 1): Promise<RawPage> =>
      rawPage({ operation, list: operations[operation], variables: names(operations[operation]) }, null, size),
  };
}
