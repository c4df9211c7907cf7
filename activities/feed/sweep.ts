import type { FeedContext } from './context.ts';
import { handOnPage } from './handOn.ts';

/** Two slots of eight a second for each page of a sweep: half of the quota stays free. */
const SWEEP_PAUSE_MS = 250;

/** Compares everything, whatever the cursor says, at a pace that leaves half of the quota free. */
export async function sweep(context: FeedContext): Promise<void> {
  const { deps, id, type, connector, roles, fields, signal } = context;
  const began = deps.time.now();
  let records = 0;
  let news = 0;
  for await (const page of connector.changed({ type, fields, since: null }, { priority: 'sweep', signal })) {
    const { started, signalled } = await handOnPage(deps, roles, { records: page.records, sweep: true });
    records += page.records.length;
    news += started + signalled;
    await deps.time.sleep(SWEEP_PAUSE_MS, signal);
  }
  await context.advance({ sweptAt: began });
  deps.log.info({ event: 'sweep', feed: id, records, news }, 'everything was compared');
}
