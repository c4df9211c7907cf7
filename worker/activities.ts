import { ApplicationFailure } from '@temporalio/common';
import { DEFAULT_INSTALLATION } from '../flows/installation.ts';
import type { FeedActivities, InWorld, LinkActivities } from '../workflows/contract.ts';
import type { Deps } from '../activities/deps.ts';
import { feedActivities } from '../activities/feed/watch.ts';
import { linkActivities } from '../activities/link/index.ts';

/** How soon an activity of another world is tried again, by another worker it may be hoped (ms). */
const OTHER_WORLD_MS = 5000;

/** All activities of a worker, over one set of dependencies and for one world: another's touch no system and no store. */
export function createActivities(deps: Deps, ours: string): LinkActivities & FeedActivities {
  const all = { ...linkActivities(deps), ...feedActivities(deps) };
  const mine = ({ world }: InWorld): boolean =>
    world === undefined ? deps.installation.name === DEFAULT_INSTALLATION : world === ours;
  return Object.fromEntries(
    Object.entries(all).map(([name, run]) => [
      name,
      async (input: InWorld) => {
        if (!mine(input)) {
          deps.log.error({ event: 'otherWorld', theirs: input.world, ours }, 'an activity of another world is left alone');
          throw ApplicationFailure.create({
            message: `this worker serves ${ours}, and nothing of ${input.world ?? DEFAULT_INSTALLATION}`,
            type: 'OtherWorld',
            nextRetryDelay: OTHER_WORLD_MS,
          });
        }
        return (run as (input: InWorld) => Promise<unknown>)(input);
      },
    ]),
  ) as unknown as LinkActivities & FeedActivities;
}
