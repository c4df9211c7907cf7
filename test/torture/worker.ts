import { pino } from 'pino';
import type { Attempt, Messenger } from '../../activities/ports.ts';
import type { Deps } from '../../activities/deps.ts';
import { Feed } from '../../activities/feed/feed.ts';
import { linkActivities } from '../../activities/link/index.ts';
import type { Connector } from '../../connectors/connector.ts';
import type { Flow, SystemName } from '../../flows/flow.ts';
import type { Installation } from '../../flows/installation.ts';
import { feedKey } from '../../flows/names.ts';
import type { LinkActivities } from '../../workflows/contract.ts';
import { createActivities } from '../../worker/activities.ts';
import type { Process, throughProcess } from './process.ts';
import type { MemoryStore } from './memoryStore.ts';
import type { Breaks } from './breaks.ts';
import type { Sim } from './sim.ts';
import { attemptOf } from '../support/attempt.ts';

const LOG = pino({ level: 'silent' });
export const TAKEOVER_SECONDS = 5;

/** The installation that a worker works for. */
export interface Workplace {
  readonly name: string;
  readonly installation: Installation;
  readonly flows: readonly Flow[];
  readonly store: MemoryStore;
  readonly messenger: Messenger;
  readonly world: {
    readonly sim: Sim;
    readonly breaks: Breaks;
    readonly through: ReturnType<typeof throughProcess>;
    readonly pollSeconds: number;
  };
  connect(system: SystemName, now: () => number): Connector;
  /** One of its workers. */
  worker(): Worker;
}

/** A worker process of an installation, with the flows that it was started with. */
export interface Worker {
  readonly process: Process;
  readonly flows: readonly Flow[];
  readonly activities: LinkActivities;
  readonly deps: Deps;
  /** Does something as an attempt of an activity. */
  during<T>(attempt: Attempt, work: () => T): T;
}

/** Starts a worker of a site, whose clock goes wrong by so much (ms). */
export function startWorker(site: Workplace, skewMs: number): Worker {
  const { sim, breaks, through } = site.world;
  const process: Process = { dead: false, frozenAt: 0, frozenUntil: 0 };
  const now = (): number => sim.now() + skewMs;
  let current: Attempt = attemptOf();
  const { store } = site;
  const deps: Deps = {
    installation: site.installation,
    flows: [...site.flows],
    connectors: {
      powerOffice: through(site.connect('powerOffice', now), process),
      crm: through(site.connect('crm', now), process),
    },
    store: {
      links: through(store.links, process, true),
      candidates: through(store.candidates, process, true),
      history: through(store.history, process, true),
      cursors: through(store.cursors, process, true),
      idLists: through(store.idLists, process, true),
      setAside: through(store.setAside, process, true),
      limits: through(store.limits, process, true),
    },
    links: through(site.messenger, process),
    time: { now, sleep: (ms, signal) => sim.sleep(ms, signal) },
    runAttempt: (work) => work(current),
    log: LOG,
    pollSeconds: () => site.world.pollSeconds,
    lookWhenAsked: [],
    sweepHours: 1000,
    unstampedHours: 1000,
    deletionHours: 1000,
    stopping: new AbortController().signal,
  };
  const activities = breaks.has('other-world') ? linkActivities(deps) : createActivities(deps, site.name);
  return {
    process,
    flows: deps.flows,
    activities,
    deps,
    during(attempt, work) {
      current = attempt;
      return work();
    },
  };
}

/** A feed's workflow: there is always one watcher; where it falls silent another takes over, and the old one may thaw. */
export async function keepWatching(site: Workplace, system: SystemName, type: string): Promise<void> {
  const { sim, breaks } = site.world;
  let current = { isStale: true };
  for (;;) {
    const worker = site.worker();
    current.isStale = true;
    const mine = { isStale: false };
    current = mine;
    const abort = new AbortController();
    const makeFeed = (): Feed => new Feed(worker.deps, { system, type, takeoverSeconds: TAKEOVER_SECONDS }, abort.signal);
    const watch = async (): Promise<void> => {
      let feed = makeFeed();
      while (!worker.process.dead && !mine.isStale) {
        if (breaks.has('every-echo-wakes')) {
          site.store.links.forgetSeen();
          feed = makeFeed();
        }
        await sim.sleep(await feed.poll());
      }
    };
    void watch();
    // A heartbeat tells who is silent.
    while (!worker.process.dead && worker.process.frozenUntil <= sim.now() + TAKEOVER_SECONDS * 1000) await sim.sleep(2000);
    await sim.sleep(TAKEOVER_SECONDS * 1000);
    if (worker.process.dead) abort.abort(new Error('dead'));
  }
}

/** The feeds that flows need. */
export const feedsOf = (flows: readonly Flow[]): { system: SystemName; type: string; key: string }[] => {
  const all = flows.flatMap(({ source, target }) => [source, target]);
  return [
    ...new Map(all.map(({ system, type }) => [feedKey(system, type), { system, type, key: feedKey(system, type) }])).values(),
  ];
};
