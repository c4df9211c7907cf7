import type { FeedContext } from './context.ts';
import { handOnPage } from './compareWithSeen.ts';
import { setRowsAside, setUndeliveredAside } from './setAside.ts';
import { wholeList } from './wholeList.ts';

/** Two slots of eight a second for each page of a sweep: half of the quota stays free. */
const SWEEP_PAUSE_MS = 250;
/** A sweep that stood still for longer begins anew (ms). */
const STALE_MS = 7 * 24 * 3600 * 1000;

/** Compares everything, whatever the cursor says, at a pace that leaves half of the quota free. */
export async function sweep(context: FeedContext): Promise<void> {
  const { deps, id, type, connector, roles, fields, signal, floods } = context;
  const now = deps.time.now();
  const { sweep: open } = await context.cursor();
  const { began, position } = open && now - open.began < STALE_MS ? open : { began: now, position: null };
  let records = 0;
  let news = 0;
  const pages = wholeList({
    read: (from) => connector.changed({ type, fields, since: null, position: from }, { priority: 'sweep', signal }),
    position,
    time: deps.time,
    signal,
  });
  for await (const page of pages) {
    await setRowsAside(context, page.unreadable);
    const { started, signalled, undelivered } = await handOnPage(deps, roles, { records: page.records, sweep: true, floods });
    await setUndeliveredAside(context, undelivered);
    records += page.records.length;
    news += started + signalled;
    if (page.position) await context.advance({ sweep: { began, position: page.position } });
    await deps.time.sleep(SWEEP_PAUSE_MS, signal);
  }
  await deps.store.setAside.dropUnseen(id, began);
  await context.advance({ sweptAt: began, sweep: null });
  deps.log.info({ event: 'sweep', feed: id, records, news }, 'everything was compared');
}
