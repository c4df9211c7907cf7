import { WorkflowNotFoundError } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import { forEachLimit } from '../activities/forEachLimit.ts';
import type { Home } from '../activities/messenger.ts';
import { feedsOf, type Flow } from '../flows/flow.ts';
import { TandemError } from '../flows/tandemError.ts';
import { nearest } from '../flows/validate.ts';
import type { Store } from '../store/store.ts';
import type { StandingCount } from '../store/census.ts';
import { stopFeeds } from '../worker/temporal.ts';
import { NotFound, NotPossible } from './errors.ts';
import type { RemovedFlow, RemovedInstallation } from './model.ts';
import { limitedTo, runningOf } from '../worker/runningWorkflows.ts';

/** What becomes of what the store has: `keep` lets a flow or an installation go on from it one day. */
export interface RemoveOptions {
  readonly data: 'keep' | 'delete';
  /** Told how many links are dealt with, of how many. */
  readonly onProgress?: ((done: number, all: number) => void) | undefined;
}

interface Removing {
  readonly home: Home;
  readonly store: Store;
  readonly flows: readonly Flow[];
}

const REASON = 'removed by hand';
/** A worker that gave a sign of life within this runs (ms). */
const RUNS_MS = 60_000;
/** What the namespace lists follows a moment later (ms). */
const LISTED_MS = 500;
const MOST_LOOKS = 60;
const PAGE = 500;

/** Takes a flow away that is no longer configured: closes its workflows, stops feeds that no flow uses. Touches no system. */
export async function removeFlow({ home, store, flows }: Removing, name: string, options: RemoveOptions): Promise<RemovedFlow> {
  if (flows.some((each) => each.name === name))
    throw new NotPossible(
      { flow: name, sourceId: null },
      {
        what: `the flow "${name}" is still configured`,
        next: 'take it out of TANDEM_FLOWS, start the workers again, and remove it then',
      },
    );
  const left = await leftOver(store, flows);
  const running = await whoRuns(store, home, (each) => each.includes(name));
  if (running) throw new NotPossible({ flow: name, sourceId: null }, { ...running, what: `the flow "${name}" ${running.what}` });
  const query = runningOf('link', home.installation.queue, limitedTo('flow', name));
  const known = left.some(({ flow }) => flow === name) || ((await store.whose())?.removed ?? []).includes(name);
  if (!known && (await home.client.workflow.count(query)).count === 0) {
    const names = left.map(({ flow }) => flow);
    const there = names.length === 0 ? 'no flow is left over' : `left over are ${names.join(', ')}`;
    throw new NotFound(
      'flow',
      `nothing is left of a flow "${name}"; ${there}`,
      nearest(name, [...names, ...flows.map((each) => each.name)]),
    );
  }
  const closing = new Closing(home);
  const links = await closing.closeLinks(store, { flow: name }, options.onProgress);
  await closing.closeListed(query);
  const feeds = await stopFeeds(home, await store.cursors.all(), flows);
  if (options.data === 'delete') {
    await store.forgetFlow(name);
    const used = feedsOf(flows);
    for (const { _id: feed } of await store.cursors.all())
      if (!used.includes(feed)) {
        await store.cursors.forget(feed);
        await store.idLists.forget(feed);
        await store.setAside.forget(feed);
      }
  }
  await store.owner.setRemoved(name, options.data === 'keep');
  return { flow: name, closed: closing.closed, feeds, links, data: options.data === 'keep' ? 'kept' : 'deleted' };
}

/** Closes everything that an installation runs; none of its workers may run any more. Touches no system. */
export async function removeInstallation({ home, store }: Removing, options: RemoveOptions): Promise<RemovedInstallation> {
  const { installation } = home;
  const running = await whoRuns(store, home, () => true);
  if (running) throw new TandemError({ ...running, what: `the installation "${installation.name}" ${running.what}` });
  const closing = new Closing(home);
  const links = await closing.closeLinks(store, {}, options.onProgress);
  const feeds = await stopFeeds(home, await store.cursors.all(), []);
  for (const type of ['link', 'feed'] as const) await closing.closeListed(runningOf(type, installation.queue));
  // Last: until then another start is held against it.
  await closing.close(installation.worldWorkflowId);
  if (options.data === 'delete') await store.forgetAll();
  return {
    installation: installation.name,
    closed: closing.closed + feeds.length,
    links,
    data: options.data === 'keep' ? 'kept' : 'deleted',
  };
}

/** Flows that the store has links of and that are neither configured nor removed. */
export async function leftOver(
  store: Store,
  flows: readonly Pick<Flow, 'name'>[],
  counted?: readonly StandingCount[],
): Promise<{ readonly flow: string; readonly links: number }[]> {
  const counts = new Map<string, number>();
  for (const { flow, count } of counted ?? (await store.census.counts())) counts.set(flow, (counts.get(flow) ?? 0) + count);
  const gone = (await store.whose())?.removed ?? [];
  return [...counts]
    .filter(([flow]) => !gone.includes(flow) && !flows.some(({ name }) => name === flow))
    .map(([flow, links]) => ({ flow, links }));
}

/** What a worker runs would come back as soon as it is closed: who does, and what to do; null where nobody does. */
async function whoRuns(
  store: Store,
  { installation }: Home,
  runs: (flows: readonly string[]) => boolean,
): Promise<{ readonly what: string; readonly next: string } | null> {
  const alive = (await store.workers.all()).filter(
    (each) =>
      each.installation === installation.name &&
      runs(each.flows) &&
      (each.apart !== null || Math.abs(Date.now() - each.at) < RUNS_MS),
  );
  if (alive.length === 0) return null;
  return {
    what: `still runs in ${alive.map(({ _id }) => `worker ${_id}`).join(', ')}`,
    next: 'stop it, or start it again without, and remove it then; of one that was killed, a minute later',
  };
}

/** Closes workflows and counts them; those that are closed already count for nothing. */
class Closing {
  readonly #home: Home;
  closed = 0;

  constructor(home: Home) {
    this.#home = home;
  }

  /** Closes the workflows of links that the store has; tells how many links these are. */
  async closeLinks(
    store: Store,
    filter: { readonly flow?: string },
    onProgress: (done: number, all: number) => void = () => {},
  ): Promise<number> {
    const all = await store.links.count(filter);
    let done = 0;
    for (let after: string | undefined; ;) {
      const page = await store.links.list(filter, { limit: PAGE, after });
      await forEachLimit(page, async ({ flow, sourceId }) => {
        await this.close(this.#home.installation.linkWorkflowId(flow, sourceId));
        onProgress(++done, all);
      });
      if (page.length < PAGE) return done;
      after = page.at(-1)?._id;
    }
  }

  async close(workflowId: string): Promise<void> {
    try {
      await this.#home.client.workflow.getHandle(workflowId).terminate(REASON);
      this.closed += 1;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }

  /** Closes what the namespace lists until it lists nothing more. */
  async closeListed(query: string): Promise<void> {
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const ids: string[] = [];
      for await (const { workflowId } of this.#home.client.workflow.list({ query })) ids.push(workflowId);
      if (ids.length === 0) return;
      await forEachLimit(ids, (id) => this.close(id));
      await sleep(LISTED_MS);
    }
  }
}
