import { isIndexed } from '../../flows/flow.ts';
import { indexName, isReady, noteCandidates } from '../candidates.ts';
import type { FeedContext } from './context.ts';
import type { FlowRole } from './compareWithSeen.ts';
import { setRowsAside } from './setAside.ts';
import { wholeList } from './wholeList.ts';

/**
 * Notes every record once for flows that look for matches, before any link of theirs begins: a match that was not
 * looked at yet would become a duplicate. False while the other side has not got so far.
 */
export async function isIndexedFirst(context: FeedContext): Promise<boolean> {
  const roles = context.roles.filter(({ flow }) => isIndexed(flow));
  if (roles.length === 0) return true;
  const { indexed = [] } = await context.cursor();
  const open = roles.filter(({ flow }) => !indexed.includes(indexName(flow)));
  if (open.length > 0) await index(context, open);
  for (const { flow, side } of roles) if (side === 'source' && !(await isReady(context.deps, flow))) return false;
  return true;
}

async function index(context: FeedContext, open: readonly FlowRole[]): Promise<void> {
  const { deps, connector, type, fields, signal } = context;
  const { indexed = [], indexing } = await context.cursor();
  const names = [...new Set(open.map(({ flow }) => indexName(flow)))].sort();
  const pages = wholeList({
    read: (from) => connector.changed({ type, fields, since: null, position: from }, { priority: 'feed', signal }),
    // With other rules every record is noted anew.
    position: indexing?.names.join('\n') === names.join('\n') ? indexing.position : null,
    time: deps.time,
    signal,
  });
  for await (const page of pages) {
    await setRowsAside(context, page.unreadable);
    for (const { flow, side } of open) await noteCandidates(deps, { flow, side, records: page.records });
    if (page.position) await context.advance({ indexing: { names, position: page.position } });
  }
  await context.advance({ indexed: [...new Set([...indexed, ...names])], indexing: null });
}
