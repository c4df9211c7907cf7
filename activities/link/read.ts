import { feedKey } from '../../flows/names.ts';
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
  // What it found is handed to the link alone: an attempt that was given up tells nobody, so the store may not say it did.
  return { kind: 'read', found };
}
