import { isPausedBy } from '../../flows/flow.ts';
import type { NotBelieved } from '../../store/documents.ts';
import type { StandingLink } from '../../store/links.ts';
import { isBulkChange } from '../link/bulkChangeGuard.ts';
import type { FeedContext } from './context.ts';
import type { FlowRole } from './compareWithSeen.ts';
import { listIds, type Listed } from './listedIds.ts';
import { canAct, tellVanished } from './vanished.ts';

/** Of the links that can act: those whose record a list lacks, and how many there are. */
interface Missing {
  readonly missing: readonly Pick<StandingLink, 'flow' | 'sourceId'>[];
  readonly all: number;
}

/**
 * Looks for deletions by a list of ids alone. A record that the list lacks is only a candidate: its link reads it
 * directly, twice, before it believes so. A list that lacks very many is not believed at all; that stands in the cursor
 * until a later list lacks fewer, or a person approves.
 */
export async function findMissing(context: FeedContext): Promise<void> {
  const { deps, roles, id: feed } = context;
  const listed = await listIds(context);
  const { notBelieved: before = [] } = await context.cursor();
  const paused = await deps.store.limits.paused();
  const notBelieved: NotBelieved[] = [];
  for (const role of roles) {
    const { flow, side } = role;
    const known = before.find((each) => each.flow === flow.name && each.side === side);
    // Whoever is paused can't act on what is missing now; what was not believed before is not settled by that.
    if (isPausedBy(flow, paused)) {
      if (known) notBelieved.push(known);
      continue;
    }
    const { missing, all } = await missingOf(context, role, listed);
    const many = isBulkChange(missing.length, all);
    // A person let pass all that were missing then, however long their reads take.
    const approved = many && (await deps.store.limits.countBulkChange(flow.name, 0, 0)).approvedUntil >= listed.began;
    if (many && !approved) {
      notBelieved.push({ flow: flow.name, side, missing: missing.length, all, since: known?.since ?? listed.began });
      deps.log.error(
        { event: 'held', feed, flow: flow.name, missing: missing.length, all },
        'a list lacks very many records: not believed',
      );
      continue;
    }
    await tellVanished(context, role, { links: missing, approved, how: 'records are missing from a list' });
  }
  await context.advance({ idsAt: listed.began, listing: null, notBelieved });
  await deps.store.idLists.forget(feed);
}

async function missingOf({ deps, connector }: FeedContext, { flow, side }: FlowRole, { began, ids }: Listed): Promise<Missing> {
  const missing: Pick<StandingLink, 'flow' | 'sourceId'>[] = [];
  let all = 0;
  // Records that were made since the list was begun may not be in it.
  for await (const link of deps.store.links.settledBefore(flow.name, side, new Date(began - 2 * connector.lagMs))) {
    const id = side === 'source' ? link.sourceId : link.targetId;
    if (id === null || !canAct(link, side)) continue;
    all += 1;
    if (!ids.has(id)) missing.push({ flow: link.flow, sourceId: link.sourceId });
  }
  return { missing, all };
}
