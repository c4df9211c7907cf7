import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Deps } from '../activities/deps.ts';
import { temporalMessenger, type Home } from '../activities/messenger.ts';
import { realTime } from '../activities/realTime.ts';
import { runAttempt } from '../activities/runAttempt.ts';
import { POWEROFFICE_CATALOGUE } from '../connectors/powerOffice/catalogue.ts';
import type { Flow } from '../flows/flow.ts';
import { Allowance } from '../flows/plan.ts';
import { Store } from '../store/store.ts';
import { createActivities } from './activities.ts';
import { withBundle } from './bundle.ts';
import { watchClocks } from './clockWatch.ts';
import { shareClocks } from './connectors.ts';
import { deploymentOf, tellUntilCurrent, versioned } from './deployment.ts';
import { joinWorld, type Joined } from './joinWorld.ts';
import { bridgeTemporal } from './log.ts';
import { staySmall } from './memory.ts';
import { countInRuntime } from './metrics.ts';
import { WORKER_OPTIONS } from './options.ts';
import { pollSecondsOf } from './pollSeconds.ts';
import { mongoServer, serversOf } from './remotes.ts';
import { retryUntilReachable, type Waiting } from './retryUntilReachable.ts';
import { numberChanges } from './sequencer.ts';
import { readStart, type Start } from './start.ts';
import { startFeeds, stopFeeds, temporalConfig } from './temporal.ts';

/** `planPath`: it does what this plan says and no more. `metricsPort`: where on loopback it shows its metrics. */
export interface RunOptions {
  readonly planPath?: string | undefined;
  readonly metricsPort?: number | null;
  /** Bundled workflows to run instead of this version's. */
  readonly codePath?: string | undefined;
}

/** A worker that has joined its world. */
interface Serving extends Joined {
  readonly start: Start;
  readonly store: Store;
  readonly waiting: Waiting;
  readonly connection: NativeConnection;
}

/** Runs a worker until `signal` aborts, then drains it. Throws TandemError where a person must mend something. */
export async function runWorker(
  env: NodeJS.ProcessEnv,
  waiting: Waiting,
  { planPath, metricsPort = null, codePath }: RunOptions = {},
): Promise<void> {
  const { log, signal } = waiting;
  // Every feed listens, as many as there are record types: more than Node takes for a leak.
  setMaxListeners(0, signal);
  const start = await readStart(env, planPath, log);
  const { config, installation } = start;
  staySmall();
  bridgeTemporal(log, metricsPort);
  // The first try is short, so that what does not answer is told at once.
  const store = await retryUntilReachable(mongoServer(config.MONGODB_URI), waiting, (before) =>
    Store.connect(config.MONGODB_URI, {
      database: installation.name,
      limits: config.TANDEM_LIMITS_URI,
      timeoutMs: before === 0 ? 1500 : 5000,
    }),
  );
  try {
    const joined = await joinWorld(start, store, waiting);
    const connection = await retryUntilReachable(joined.temporalAt, waiting, () =>
      NativeConnection.connect(temporalConfig().options as Parameters<typeof NativeConnection.connect>[0]),
    );
    const serving: Serving = { ...joined, start, store, waiting, connection };
    const stopWatching = await watchBeside(serving);
    try {
      await serve(serving, await makeWorker(serving, { metricsPort, codePath }));
    } finally {
      await stopWatching();
      await connection.close();
      await joined.temporal.connection.close();
    }
  } finally {
    await store.close();
  }
}

/** What a worker does besides: numbers changes, holds clocks against each other, watches its servers. Gives what ends it. */
async function watchBeside({ start, store, waiting, temporal, connectors }: Serving): Promise<() => Promise<void>> {
  const { config, installation, flows } = start;
  const { log } = waiting;
  // A worker that ends by itself, in a failure, ends them too.
  const ended = new AbortController();
  const signal = AbortSignal.any([waiting.signal, ended.signal]);
  const stopClocks = await shareClocks(connectors, store);
  const holder = `${hostname()}:${process.pid}`;
  const watching = [
    numberChanges(store, { holder, log, signal }),
    watchClocks({
      workers: store.workers,
      id: [installation.name, holder].join(':'),
      installation: installation.name,
      flows: flows.map(({ name }) => name),
      log,
      signal,
    }),
    serversOf(temporal.client, store, { temporal: temporalConfig().address, mongo: config.MONGODB_URI }).watch(log, signal),
  ];
  return async () => {
    ended.abort();
    await Promise.all(watching);
    await stopClocks();
  };
}

function makeWorker(
  serving: Serving,
  { metricsPort, codePath: given }: { readonly metricsPort: number | null; readonly codePath: string | undefined },
): Promise<Worker> {
  const { start, home, temporal, connection } = serving;
  const deps = depsOf(serving, metricsPort);
  return withBundle((codePath) =>
    Worker.create({
      ...WORKER_OPTIONS,
      connection,
      namespace: temporal.namespace,
      taskQueue: start.installation.queue,
      workflowBundle: { codePath: given ?? codePath },
      ...versioned(deploymentOf(start.config)),
      activities: createActivities(deps, home.world),
    }),
  );
}

function depsOf({ start, store, connectors, home, waiting }: Serving, metricsPort: number | null): Deps {
  const { config, crm, plan, flows, installation } = start;
  return {
    installation,
    flows,
    connectors,
    store,
    links: temporalMessenger(home),
    time: realTime,
    runAttempt,
    log: waiting.log,
    ...(metricsPort === null ? {} : { meter: countInRuntime() }),
    ...(plan ? { allowance: new Allowance(plan) } : {}),
    stopping: waiting.signal,
    pollSeconds: pollSecondsOf(config.TANDEM_POLL_SECONDS, [POWEROFFICE_CATALOGUE, crm.catalogue]),
    lookWhenAsked: config.CRM_WEBHOOK_SECRET === undefined ? [] : ['crm'],
    sweepHours: config.TANDEM_SWEEP_HOURS,
    unstampedHours: config.TANDEM_UNSTAMPED_HOURS,
    deletionHours: config.TANDEM_DELETION_HOURS,
  };
}

/** Polls until it was asked to stop and has drained; the feeds are started as soon as somebody can carry them on. */
async function serve({ start, store, waiting, home, temporal, temporalAt }: Serving, worker: Worker): Promise<void> {
  const { config, installation, flows, plan } = start;
  const { log, signal } = waiting;
  const ended = new AbortController();
  // A worker whose polling has failed ends, and waits for nothing.
  const whileItRuns = { ...waiting, signal: AbortSignal.any([signal, ended.signal]) };
  const running = worker.run();
  const version = deploymentOf(config);
  if (version) void tellUntilCurrent(temporal.client, { version, log, signal: ended.signal });
  const stop = (): void => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    await Promise.race([running, feedsAsConfigured({ start, home, store, waiting: whileItRuns, temporalAt })]);
    if (!signal.aborted)
      await release({ store, home, flows, log, codes: plan ? ['not-configured'] : ['not-configured', 'unplanned'] });
    if (!signal.aborted)
      log.info({ event: 'worker', installation: installation.name, flows: flows.map((flow) => flow.name) }, 'the worker runs');
    await running;
    log.info({ event: 'worker' }, 'the worker stopped');
  } catch (error) {
    // Without its feeds it would run and carry nothing: it drains, and says why it ends.
    stop();
    await running.catch(() => {});
    // Asked to stop while it waited for a server.
    if (!signal.aborted) throw error;
  } finally {
    ended.abort();
  }
}

/** Starts the feeds of the flows that are configured, and stops those that no flow uses any more. */
async function feedsAsConfigured({
  start,
  home,
  store,
  waiting,
  temporalAt,
}: Pick<Serving, 'start' | 'home' | 'store' | 'waiting' | 'temporalAt'>): Promise<void> {
  const { flows, config } = start;
  const mongo = mongoServer(config.MONGODB_URI);
  await retryUntilReachable(temporalAt, waiting, () => startFeeds(home, flows, config.TANDEM_TAKEOVER_SECONDS));
  const known = await retryUntilReachable(mongo, waiting, () => store.cursors.all());
  for (const feed of await retryUntilReachable(temporalAt, waiting, () => stopFeeds(home, known, flows)))
    waiting.log.info({ event: 'feed', feed }, 'no flow uses the feed any more');
  await retryUntilReachable(mongo, waiting, () => store.owner.setConfigured(flows.map(({ name }) => name)));
}

/** What an earlier start held back because its plan, or its configuration, said nothing of it goes on now. */
async function release({
  store,
  home,
  flows,
  log,
  codes,
}: {
  readonly store: Store;
  readonly home: Home;
  readonly flows: readonly Flow[];
  readonly log: Logger;
  readonly codes: readonly string[];
}): Promise<void> {
  const names = flows.map(({ name }) => name);
  const held = (await Promise.all(codes.map((code) => store.links.blockedFor(names, code)))).flat();
  if (held.length === 0) return;
  const links = temporalMessenger(home);
  for (const link of held) await links.signalRetry(link);
  log.info({ event: 'released', links: held.length }, 'links that an earlier start held back go on');
}
