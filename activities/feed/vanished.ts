import type { StandingLink } from '../../store/links.ts';
import { forEachLimit } from '../forEachLimit.ts';
import { unlessRefused } from '../ports.ts';
import type { FeedContext } from './context.ts';
import type { FlowRole } from './compareWithSeen.ts';

/** A link whose record seems to be gone. */
type Bereft = Pick<StandingLink, 'flow' | 'sourceId'>;

/**
 * Whether a link would do anything about a record that is gone: not where it is at its end, unlinked, paused or held back. One
 * that met the pause of its flow is about to go on where the flow is not paused any more.
 */
export const canAct = ({ status, ended, block }: StandingLink, side: FlowRole['side']): boolean =>
  (status !== 'paused' || block?.code === 'flow-paused') &&
  block?.code !== 'held' &&
  ended !== 'source gone' &&
  ended !== 'unlinked by hand' &&
  (side === 'source' || ended !== 'target gone');

/** Tells links that their record seems to be gone; each reads it directly. One that takes no message is told by the next list. */
export async function tellVanished(
  { deps, type, id: feed }: FeedContext,
  { flow, side }: FlowRole,
  { links, approved = false, how }: { readonly links: readonly Bereft[]; readonly approved?: boolean; readonly how: string },
): Promise<void> {
  await forEachLimit(links, async (link) => void (await unlessRefused(deps.links.signalVanished(link, side, approved))));
  if (links.length > 0)
    deps.log.info({ event: 'missing', feed, type, flow: flow.name, missing: links.length }, `${how}; their links look`);
}
