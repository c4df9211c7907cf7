import { SystemError } from '../../connectors/systemError.ts';
import type { FeedContext } from './context.ts';
import { handOnPage } from './compareWithSeen.ts';
import { setUndeliveredAside } from './setAside.ts';
import { canAct, tellVanished } from './vanished.ts';

/**
 * Reads one record directly that somebody says has changed, and hands it on as a look does: news goes to its link, a new
 * source record gets one, a closed link hears what a look would tell it. No cursor moves, so nothing is passed over. A
 * record that is not there is only a candidate, as what a list lacks: its link reads it twice. False where it cannot be read.
 */
export async function lookAtRecord(context: FeedContext, id: string): Promise<boolean> {
  const { deps, id: feed, type, connector, roles, fields, floods, signal } = context;
  try {
    const record = await connector.read({ type, id, fields }, { priority: 'feed', signal });
    const { started, signalled, undelivered } = await handOnPage(deps, roles, { records: [record], floods });
    await setUndeliveredAside(context, undelivered);
    if (started + signalled > 0)
      deps.log.info({ event: 'feed', feed, started, signalled }, 'a record that a hook named brought news');
    return true;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (error.failure !== 'gone') return false;
    const { links } = deps.store;
    for (const role of roles) {
      const { flow, side } = role;
      const found = side === 'source' ? await links.bySource(flow.name, [id]) : await links.byTarget(flow.target, [id]);
      const gone = [...found.values()].filter((link) => link.flow === flow.name && canAct(link, side));
      await tellVanished(context, role, { links: gone, how: 'a record that a hook named is not there' });
    }
    return true;
  }
}
