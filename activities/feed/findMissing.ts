import { isBulkChange } from '../link/bulkChangeGuard.ts';
import type { LinkDocument } from '../../store/documents.ts';
import type { FeedContext } from './context.ts';
import { forEachLimit } from './forEachLimit.ts';
import { listIds } from './listedIds.ts';

/**
 * Looks for deletions by a list of ids alone. A record that the list lacks is only a candidate: its link reads it
 * directly, twice, before it believes so. A list that lacks very many is not believed at all.
 */
export async function findMissing(context: FeedContext): Promise<void> {
  const { deps, roles, connector, type, id: feed } = context;
  const { began, ids } = await listIds(context);
  for (const { flow, side } of roles) {
    // Links written since the list was begun may be newer than the list.
    const missing: Pick<LinkDocument, 'flow' | 'sourceId'>[] = [];
    let all = 0;
    for await (const link of deps.store.links.writtenBefore(flow.name, new Date(began - 2 * connector.lagMs))) {
      const id = side === 'source' ? link.sourceId : link.targetId;
      if (id === null || link.ended === 'source gone' || (side === 'target' && link.ended === 'target gone')) continue;
      all += 1;
      if (!ids.has(id)) missing.push({ flow: link.flow, sourceId: link.sourceId });
    }
    // A person let pass all that were missing then, however long their reads take.
    const approved =
      isBulkChange(missing.length, all) && (await deps.store.limits.countBulkChange(flow.name, 0, 0)).approvedUntil >= began;
    if (isBulkChange(missing.length, all) && !approved) {
      const text = `the list of ${type} lacks ${missing.length} of ${all} records of ${flow.name}; not believed, nothing was ended. If they are really gone: \`tandem approve ${flow.name}\``;
      await context.advance({ trouble: { text, at: deps.time.now() } });
      deps.log.error(
        { event: 'held', feed, flow: flow.name, missing: missing.length, all },
        'a list lacks very many records: not believed',
      );
      continue;
    }
    await forEachLimit(missing, async (link) => void (await deps.links.signalVanished(link, side, approved)));
    if (missing.length > 0)
      deps.log.info(
        { event: 'missing', feed, flow: flow.name, missing: missing.length },
        'records are missing from a list; their links look',
      );
  }
  await context.advance({ idsAt: began, listing: null });
  await deps.store.idLists.forget(feed);
}
