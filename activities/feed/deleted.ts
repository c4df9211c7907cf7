import type { CursorDocument } from '../../store/documents.ts';
import type { FeedContext } from './context.ts';
import { canAct, tellVanished } from './vanished.ts';

/** Between two questions which records were deleted (ms), where looks for deletions are not closer still. */
const PAUSE_MS = 60_000;
/** Deletions become visible late, and clocks part: each question starts so long before the last one (ms). */
const OVERLAP_MS = 600_000;

/** Whether the system tells of deletions, and is to be asked again. */
export const isDeletedDue = (
  { deps, type, connector, deletionMs }: FeedContext,
  { deletedAt = 0 }: Pick<CursorDocument, 'deletedAt'>,
): boolean => connector.deletions?.types.includes(type) === true && deps.time.now() - deletedAt > Math.min(PAUSE_MS, deletionMs);

/**
 * Asks a system that tells of deletions which there were. What it names is only a candidate, as what a list lacks: its
 * link reads the record directly, twice, before it believes so.
 */
export async function lookForDeleted(context: FeedContext): Promise<void> {
  const { deps, roles, type, connector, signal, announced } = context;
  const began = deps.time.now();
  const { deletedAt = began } = await context.cursor();
  const { lo, by } = connector.clock.estimate;
  const theirs = deletedAt + (by === 'nothing' ? 0 : lo);
  const since = new Date(theirs - OVERLAP_MS).toISOString();
  for (const [id, at] of announced) if (at < began - 2 * OVERLAP_MS) announced.delete(id);
  for await (const page of connector.deletions?.since({ type, since }, { priority: 'feed', signal }) ?? []) {
    const ids = page.filter((id) => !announced.has(id));
    for (const role of roles) {
      const { flow, side } = role;
      const { links } = deps.store;
      const found = side === 'source' ? await links.bySource(flow.name, ids) : await links.byTarget(flow.target, ids);
      const gone = [...found.values()].filter((link) => link.flow === flow.name && canAct(link, side));
      await tellVanished(context, role, { links: gone, how: 'the system says that records were deleted' });
    }
    // Told once: within the overlap the system names it again, also where it was restored meanwhile.
    for (const id of ids) announced.set(id, began);
  }
  await context.advance({ deletedAt: began });
}
