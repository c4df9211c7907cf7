import { feedKey, linkKey } from '../../flows/names.ts';
import { SIDES } from '../../flows/side.ts';
import type { LinkActivities } from '../../workflows/contract.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import type { Attempt } from '../ports.ts';
import type { LinkContext } from './context.ts';

type Read = Parameters<LinkActivities['readRecords']>[0];

/** Reads records directly, after the lag, so that the replica shows what was written before. */
export async function readRecords(
  { deps, flowOf, lag, readSides }: LinkContext,
  { link, sides, announced, list }: Read,
  attempt: Attempt,
): Promise<Outcome> {
  const { store, time } = deps;
  const flow = flowOf(link);
  await time.sleep(lag(flow), attempt.signal);
  const found = await readSides(link, { sides, attempt, announced });
  // Its feed lists the ids at its next look.
  if (list === true)
    for (const side of sides)
      if (found[side] === 'gone') await store.cursors.ask(feedKey(flow[side].system, flow[side].type), { idsAsked: time.now() });
  const key = linkKey(link.flow, link.sourceId);
  await store.links.raise(
    SIDES.flatMap((side) => {
      const seen = found[side];
      const of = side === 'target' && link.targetId !== null ? { targetId: link.targetId } : {};
      return seen === undefined || typeof seen === 'string' ? [] : [{ key, side, seen, ...of }];
    }),
  );
  return { kind: 'read', found };
}
