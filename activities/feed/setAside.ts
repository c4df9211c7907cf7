import type { UnreadableRow } from '../../connectors/connector.ts';
import { SystemError } from '../../connectors/systemError.ts';
import { systemTitle } from '../../flows/names.ts';
import type { SetAsideDocument } from '../../store/documents.ts';
import type { FeedContext } from './context.ts';
import { handOnPage } from './compareWithSeen.ts';
import type { Undelivered } from './startLinks.ts';

/** More rows than this that cannot be read are trouble of the whole feed: it stops, with the reason. */
const MOST_ASIDE = 1000;
/** So many records that are set aside are read at a look, in turns. */
const READ_AT_A_LOOK = 20;
/** A link that takes no message is told again after a pause, twice as long each time (ms). */
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 3600_000;

/** Rows that cannot be read are kept with the reason, so that the feed goes on. Throws SystemError where they are too many. */
export async function setRowsAside(
  { deps, id: feed, connector }: FeedContext,
  rows: readonly UnreadableRow[] = [],
): Promise<void> {
  if (rows.length === 0) return;
  const fresh = await deps.store.setAside.note(feed, rows, { kind: 'unreadable', now: deps.time.now() });
  if (fresh === 0) return;
  deps.log.warn({ event: 'setAside', feed, records: fresh }, 'records of a list cannot be read and are set aside');
  const all = await deps.store.setAside.count(feed);
  if (all > MOST_ASIDE)
    throw new SystemError(
      systemTitle(connector.name),
      'malformed',
      `${all} records cannot be read; the last one: ${rows[0]?.why}`,
    );
}

/** Records of which a link takes no message for now are looked at once more later, however often they were edited. */
export async function setUndeliveredAside({ deps, id: feed }: FeedContext, rows: readonly Undelivered[]): Promise<void> {
  if (rows.length === 0) return;
  const now = deps.time.now();
  const aside = rows.map(({ record, why }) => ({ id: record.id, why }));
  const fresh = await deps.store.setAside.note(feed, aside, { kind: 'undelivered', now, nextAt: now + FIRST_PAUSE_MS });
  if (fresh > 0)
    deps.log.warn({ event: 'setAside', feed, records: fresh }, 'links take no message for now; their records are set aside');
}

/** Reads what is set aside directly and hands it on, whatever its stamp; what still cannot be dealt with stays. */
export async function lookAgain(context: FeedContext): Promise<void> {
  const { deps, id: feed } = context;
  const { setAside } = deps.store;
  const now = deps.time.now();
  for (const each of await setAside.due(feed, now, READ_AT_A_LOOK)) {
    const still = await dealWith(context, each);
    if (still === 'later') return;
    if (still === null) await setAside.drop(each._id);
    else {
      const pause = still.kind === 'unreadable' ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** each.tries);
      await setAside.postpone(each._id, { ...still, nextAt: now + pause });
    }
    context.signal.throwIfAborted();
  }
}

/** What still stands in the way of a record; null where nothing does, `later` where its system does not answer. */
async function dealWith(
  { deps, connector, type, fields, roles, floods, signal }: FeedContext,
  { id }: SetAsideDocument,
): Promise<Pick<SetAsideDocument, 'kind' | 'why'> | 'later' | null> {
  if (id === null) return null;
  try {
    const record = await connector.read({ type, id, fields }, { priority: 'sweep', signal });
    const { undelivered } = await handOnPage(deps, roles, { records: [record], floods });
    return undelivered[0] ? { kind: 'undelivered', why: undelivered[0].why } : null;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    // Whether it is really gone its link finds out.
    if (error.failure === 'gone') return null;
    return error.ofSystem ? 'later' : { kind: 'unreadable', why: error.text };
  }
}
