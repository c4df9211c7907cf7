import { isIndexed } from '../../flows/flow.ts';
import { indexName, isReady, noteCandidates } from '../candidates.ts';
import type { FeedContext } from './context.ts';

/**
 * Notes every record once for flows that look for matches, before any link of theirs begins: a match that was not
 * looked at yet would become a duplicate. False while the other side has not got so far.
 */
export async function isIndexedFirst(context: FeedContext): Promise<boolean> {
  const { deps, connector, type, fields, signal } = context;
  const roles = context.roles.filter(({ flow }) => isIndexed(flow));
  if (roles.length === 0) return true;
  const { indexed = [] } = await context.cursor();
  const open = roles.filter(({ flow }) => !indexed.includes(indexName(flow)));
  if (open.length > 0) {
    for await (const page of connector.changed({ type, fields, since: null }, { priority: 'feed', signal }))
      for (const { flow, side } of open) await noteCandidates(deps, { flow, side, records: page.records });
    const names = new Set([...indexed, ...open.map(({ flow }) => indexName(flow))]);
    await context.advance({ indexed: [...names] });
  }
  for (const { flow, side } of roles) if (side === 'source' && !(await isReady(deps, flow))) return false;
  return true;
}
