import { instantKey, secondsBefore } from '../../flows/instant.ts';
import { fingerprint, type FeedContext } from './context.ts';
import { handOnPage } from './handOn.ts';

/** Records become visible late; each look starts so long before the newest instant seen. */
const OVERLAP_SECONDS = 60;
const RECENT = 20_000;
const HOUR_MS = 3600 * 1000;

/** One reading of what changed since the last one. */
export async function lookForChanges(context: FeedContext): Promise<void> {
  const { deps, id, type, connector, roles, fields, signal, recent, unstamped } = context;
  const cursor = await context.cursor();
  const began = deps.time.now();
  const since = cursor.newest === null ? null : cursor.settled ? cursor.newest : secondsBefore(cursor.newest, OVERLAP_SECONDS);
  let { newestKey, newestAt } = cursor;
  let records = 0;
  for await (const page of connector.changed({ type, fields, since }, { priority: 'feed', signal })) {
    const unread = page.records.filter((record) => recent.get(record.id) !== fingerprint(record));
    const { started, signalled, finished } = await handOnPage(deps, roles, { records: unread });
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
      await context.advance({ newest: page.after, newestKey, newestAt, settled: false });
    }
    records += page.records.length;
    signal.throwIfAborted();
  }
  if (cursor.looks === 0) deps.log.info({ event: 'feed', feed: id, records }, 'the feed was read for the first time');
  const settled =
    newestKey !== '' && newestKey === cursor.newestKey && (cursor.settled || began - newestAt > OVERLAP_SECONDS * 1000);
  await context.advance({
    settled,
    lookedAt: began,
    looks: cursor.looks + 1,
    trouble: null,
    unstamped: unstamped.length > 0 ? { fields: unstamped, hours: context.sweepMs / HOUR_MS } : null,
    ...(cursor.looks === 0 ? { sweptAt: began, idsAt: began } : {}),
  });
}
