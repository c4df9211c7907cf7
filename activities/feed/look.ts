import { instantKey, secondsBefore } from '../../flows/instant.ts';
import type { CursorDocument } from '../../store/documents.ts';
import { fingerprint, type FeedContext } from './context.ts';
import { handOnPage } from './compareWithSeen.ts';
import { setRowsAside, setUndeliveredAside } from './setAside.ts';
import { wholeList } from './wholeList.ts';

/** Records become visible late; each look starts so long before the newest instant seen. */
const OVERLAP_SECONDS = 60;
const RECENT = 20_000;
const HOUR_MS = 3600 * 1000;

/** From where to look: a while before the newest instant known, or where a look at an unsorted list broke off. */
function from({ newest, settled, reading }: CursorDocument): { since: string | null; position: string | null } {
  if (reading) return reading;
  return { since: newest === null || settled ? newest : secondsBefore(newest, OVERLAP_SECONDS), position: null };
}

/** One reading of what changed since the last one. */
export async function lookForChanges(context: FeedContext): Promise<void> {
  const { deps, id, type, connector, roles, fields, signal, recent, unstamped, floods } = context;
  const cursor = await context.cursor();
  const began = deps.time.now();
  const { since, position } = from(cursor);
  let { newestKey, newestAt } = cursor;
  let records = 0;
  const pages = wholeList({
    read: (at) => connector.changed({ type, fields, since, position: at }, { priority: 'feed', signal }),
    position,
    time: deps.time,
    signal,
    // What fails stands in `status` at once; the next look goes on from here.
    tries: 1,
  });
  for await (const page of pages) {
    const unread = page.records.filter((record) => recent.get(record.id) !== fingerprint(record));
    await setRowsAside(context, page.unreadable);
    const { started, signalled, finished, undelivered } = await handOnPage(deps, roles, { records: unread, floods });
    await setUndeliveredAside(context, undelivered);
    if (recent.size > RECENT) recent.clear();
    for (const record of finished) recent.set(record.id, fingerprint(record));
    if (started + signalled > 0)
      deps.log.info(
        { event: 'feed', feed: id, records: page.records.length, started, signalled },
        'a page of the feed brought news',
      );
    if (page.after !== null && instantKey(page.after) > newestKey) {
      newestKey = instantKey(page.after);
      newestAt = began;
      // After all signals of the page are accepted, and not before.
      await context.advance({ newest: page.after, newestKey, newestAt, settled: false, reading: null });
    } else if (page.after === null && page.position) await context.advance({ reading: { since, position: page.position } });
    records += page.records.length;
    signal.throwIfAborted();
  }
  if (cursor.looks === 0) deps.log.info({ event: 'feed', feed: id, records }, 'the feed was read for the first time');
  const settled =
    newestKey !== '' && newestKey === cursor.newestKey && (cursor.settled || began - newestAt > OVERLAP_SECONDS * 1000);
  await context.advance({
    settled,
    reading: null,
    lookedAt: began,
    looks: cursor.looks + 1,
    trouble: null,
    pauseSeconds: deps.pollSeconds(context.connector.name, context.type),
    unstamped: unstamped.length > 0 ? { fields: unstamped, hours: context.sweepMs / HOUR_MS } : null,
    // Who asked for a comparison meanwhile is not served by the end of a reading that was begun before.
    ...(cursor.looks === 0 ? { idsAt: began, ...(cursor.sweepAsked === 0 ? { sweptAt: began } : {}) } : {}),
  });
}
