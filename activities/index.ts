import type { FeedActivities, LinkActivities } from '../workflows/contract.ts';
import type { Deps } from './deps.ts';
import { feedActivities } from './feed/watch.ts';
import { linkActivities } from './link/index.ts';

/** All activities of a worker, over one set of dependencies. */
export function createActivities(deps: Deps): LinkActivities & FeedActivities {
  return { ...linkActivities(deps), ...feedActivities(deps) };
}
