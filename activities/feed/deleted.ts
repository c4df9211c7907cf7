import type { FeedContext } from './context.ts';
import { canAct } from './findMissing.ts';
import { forEachLimit } from '../forEachLimit.ts';

/** Between two questions which records were deleted (ms), where looks for deletions are not closer still. */
const PAUSE_MS = 60_000;
/** Deletions become visible late, and clocks part: each question starts so long before the last one (ms). */
const OVERLAP_MS = 600_000;

/** Whether the system is to be asked again which records were deleted. */
export const isDeletedDue = ({ deps, deletionMs }: FeedContext, { deletedAt = 0 }: { readonly deletedAt?: number }): boolean =>
  deps.time.now() - deletedAt > Math.min(PAUSE_MS, deletionMs);

/**
 * Asks a system that tells of deletions which there were. What it names is only a candidate, as what a list lacks: its
 * link reads the record directly, twice, before it believes so.
 */
export async function lookForDeleted(context: FeedContext): Promise<void> {
  const { deps, roles, type, connector, signal, id: feed, announced } = context;
  const began = deps.time.now();
  const { deletedAt = began } = await context.cursor();
  const { lo, by } = connector.clock.estimate;
  const theirs = deletedAt + (by === 'nothing' ? 0 : lo);
  const since = new Date(theirs - OVERLAP_MS).toISOString();
  const pages = connector.deleted?.({ type, since }, { priority: 'feed', signal });
  if (!pages) return;
  for (const [id, at] of announced) if (at < began - 2 * OVERLAP_MS) announced.delete(id);
  for await (const page of pages) {
    const ids = page.filter((id) => !announced.has(id));
    for (const { flow, side } of roles) {
      const { links } = deps.store;
      const found = side === 'source' ? await links.bySource(flow.name, ids) : await links.byTarget(flow.target, ids);
      const gone = [...found.values()].filter((link) => link.flow === flow.name && canAct(link, side));
      await forEachLimit(gone, async (link) => void (await deps.links.signalVanished(link, side)));
      if (gone.length > 0)
        deps.log.info(
          { event: 'missing', feed, type, flow: flow.name, missing: gone.length },
          'the system says that records were deleted; their links look',
        );
    }
    // Told once: within the overlap the system names it again, also where it was restored meanwhile.
    for (const id of ids) announced.set(id, began);
  }
  await context.advance({ deletedAt: began });
}
