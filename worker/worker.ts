import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Deps } from '../activities/deps.ts';
import { createActivities } from './activities.ts';
import { temporalMessenger, type Home } from '../activities/messenger.ts';
import { realTime } from '../activities/realTime.ts';
import { runAttempt } from '../activities/runAttempt.ts';
import { readCrm, type Crm } from '../connectors/crm/readCrm.ts';
import { POWEROFFICE_CATALOGUE } from '../connectors/powerOffice/catalogue.ts';
import { Store } from '../store/store.ts';
import { installationNamed, type Installation } from '../flows/installation.ts';
import type { Connector } from '../connectors/connector.ts';
import type { Flow, FlowsFile, SystemName } from '../flows/flow.ts';
import { Allowance, flowsHash, readPlan } from '../flows/plan.ts';
import { readFlows, refusedInWords, type Flows } from './readFlows.ts';
import { validateFlows } from '../flows/validate.ts';
import { problemInWords, TandemError, type TandemProblem } from '../flows/tandemError.ts';
import { withBundle } from './bundle.ts';
import { readConfig, type Config } from './config.ts';
import { deploymentOf, tellUntilCurrent, versioned } from './deployment.ts';
import { bridgeTemporal } from './log.ts';
import { staySmall } from './memory.ts';
import { WORKER_OPTIONS } from './options.ts';
import { countInRuntime } from './metrics.ts';
import { pollSecondsOf, unknownPauses } from './pollSeconds.ts';
import { clockOffsetInWords } from './clockOffset.ts';
import { profileVerdict } from './profileVerdict.ts';
import { missingPrivileges } from './privileges.ts';
import { mongoServer, serversOf, systemServer, temporalServer } from './remotes.ts';
import { retryUntilReachable, type Waiting } from './retryUntilReachable.ts';
import { numberChanges } from './sequencer.ts';
import { watchClocks } from './clockWatch.ts';
import { makeConnectors, noteSystems, shareClocks } from './connectors.ts';
import {
  addSearchAttributes,
  connectTemporal,
  searchAttributeCommand,
  startFeeds,
  stopFeeds,
  temporalConfig,
} from './temporal.ts';
import { checkOwner, checkStore, checkTemporal, claimWorld, migrateAtStart, worldOf, type World } from './world.ts';

/** Configuration and flows, checked together, so that every problem is told at once. Throws TandemError. */
export async function readAll(env: NodeJS.ProcessEnv): Promise<{ config: Config; crm: Crm } & Flows> {
  const problems: TandemProblem[] = [];
  const noted = async <T>(read: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof TandemError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const config = await noted(() => readConfig(env));
  await noted(temporalConfig);
  const crm = await noted(() => configuredCrm(env));
  if (crm) problems.push(...crm.missing(env).map((what) => ({ what })));
  const flows = crm && (await noted(() => flowsWith(crm, env)));
  if (config && crm)
    problems.push(...unknownPauses(config.TANDEM_POLL_SECONDS, [POWEROFFICE_CATALOGUE, crm.catalogue]).map((what) => ({ what })));
  if (!config || !crm || !flows || problems.length > 0) throw new TandemError(problems, { kind: 'configuration' });
  return { config, crm, ...flows };
}

/**
 * The flows that the environment names, or `given` in its place (what a flows file holds, or where it is), checked against
 * both catalogues. Throws TandemError.
 */
export async function readConfiguredFlows(env: NodeJS.ProcessEnv, given?: string | FlowsFile): Promise<Flows> {
  const crm = await configuredCrm(env);
  if (given === undefined) return flowsWith(crm, env);
  if (typeof given === 'string') return flowsWith(crm, { ...env, TANDEM_FLOWS: given });
  const catalogues = [POWEROFFICE_CATALOGUE, crm.catalogue];
  return { flows: validateFlows(given, catalogues), refused: [], document: null, catalogues };
}

/** The problems of a file are told by the name of the variable that names it; what quotes a line of its file stays as it is. */
async function fileOf<T>(where: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    throw new TandemError(
      error.problems.map((each) => (each.quote ? each : { where, what: problemInWords(each) })),
      { kind: 'configuration' },
    );
  }
}

const configuredCrm = (env: NodeJS.ProcessEnv): Promise<Crm> => fileOf('CRM_PROFILE', readCrm(env['CRM_PROFILE'] || undefined));

function flowsWith(crm: Crm, env: NodeJS.ProcessEnv): Promise<Flows> {
  const catalogues = [POWEROFFICE_CATALOGUE, crm.catalogue];
  return fileOf('TANDEM_FLOWS', readFlows(env['TANDEM_FLOWS'] || undefined, catalogues, env['TANDEM_BINDINGS'] || undefined));
}

/** `planPath`: it does what this plan says and no more. `metricsPort`: where on loopback it shows its metrics. */
export interface RunOptions {
  readonly planPath?: string | undefined;
  readonly metricsPort?: number | null;
  /** Bundled workflows to run instead of this version's. */
  readonly codePath?: string | undefined;
}

/** Runs a worker until `signal` aborts, then drains it. Throws TandemError where a person must mend something. */
export async function runWorker(
  env: NodeJS.ProcessEnv,
  waiting: Waiting,
  { planPath, metricsPort = null, codePath: given }: RunOptions = {},
): Promise<void> {
  const { log, signal } = waiting;
  // Every feed listens, as many as there are record types: more than Node takes for a leak.
  setMaxListeners(0, signal);
  const { config, crm, flows, refused } = await readAll(env);
  for (const sentence of refusedInWords(env['TANDEM_FLOWS'] ?? '', refused))
    log.error({ event: 'refused', why: sentence }, `a flow of the document does not run: ${sentence}`);
  const plan = planPath === undefined ? null : await readPlan(planPath);
  if (plan && plan.flows !== flowsHash(flows))
    throw new TandemError({
      where: '--apply-plan',
      what: `the plan ${planPath} was made for other flows`,
      next: 'make it anew with `tandem plan`',
    });
  const installation = installationNamed(config.TANDEM_INSTALLATION);
  staySmall();
  bridgeTemporal(log, metricsPort);
  const mongo = mongoServer(config.MONGODB_URI);
  // The first try is short, so that what does not answer is told at once.
  const store = await retryUntilReachable(mongo, waiting, (before) =>
    Store.connect(config.MONGODB_URI, {
      database: installation.name,
      limits: config.TANDEM_LIMITS_URI,
      timeoutMs: before === 0 ? 1500 : 5000,
    }),
  );
  try {
    await retryUntilReachable(mongo, waiting, () => checkOwner(store, installation));
    await refuseRefuted(crm, store, log);
    const connectors = await makeConnectors({ config, store, crm, env, log, signal });
    const world = await askSystems({ installation, connectors, crm, flows, waiting });
    await retryUntilReachable(mongo, waiting, () => checkStore(store, world));
    for (const connector of Object.values(connectors))
      if (plan && plan.world[connector.name] !== world.identities[connector.name])
        throw new TandemError([
          `the plan ${planPath} was made for ${connector.title} at ${plan.world[connector.name] ?? 'nowhere'}, but the configuration names ${world.identities[connector.name]}`,
        ]);
    const { options, namespace, address } = temporalConfig();
    const server = temporalServer(address);
    const temporal = await retryUntilReachable(server, waiting, () => connectTemporal());
    await retryUntilReachable(server, waiting, () => checkTemporal(temporal.client, world));
    const denied = await retryUntilReachable(server, waiting, () => addSearchAttributes(temporal.connection, namespace));
    if (denied.length > 0)
      throw new TandemError(
        {
          where: 'TEMPORAL_NAMESPACE',
          what: `the namespace ${namespace} lacks the search attributes ${denied.join(', ')}, and this key may not add them`,
          next: `let somebody who may run: ${searchAttributeCommand(namespace, denied)}`,
        },
        { kind: 'configuration' },
      );
    await retryUntilReachable(server, waiting, () => claimWorld(store, temporal.client, world));
    await retryUntilReachable(mongo, waiting, () => noteSystems(store, { config, crm: connectors.crm }));
    await retryUntilReachable(mongo, waiting, () => migrateAtStart(store, flows));
    await retryUntilReachable(mongo, waiting, () => store.prepare(config.TANDEM_HISTORY_DAYS));
    const home: Home = { client: temporal.client, installation, world: world.id };
    const connection = await retryUntilReachable(server, waiting, () =>
      NativeConnection.connect(options as Parameters<typeof NativeConnection.connect>[0]),
    );
    const stopClocks = await shareClocks(connectors, store);
    const holder = `${hostname()}:${process.pid}`;
    const numbering = numberChanges(store, { holder, log, signal });
    const clocks = watchClocks({
      workers: store.workers,
      id: [installation.name, holder].join(':'),
      installation: installation.name,
      flows: flows.map(({ name }) => name),
      log,
      signal,
    });
    const told = new AbortController();
    const watching = serversOf(temporal.client, store, { temporal: address, mongo: config.MONGODB_URI }).watch(log, signal);
    try {
      const deps: Deps = {
        installation,
        flows,
        connectors,
        store,
        links: temporalMessenger(home),
        time: realTime,
        runAttempt,
        log,
        ...(metricsPort === null ? {} : { meter: countInRuntime() }),
        ...(plan ? { allowance: new Allowance(plan) } : {}),
        stopping: signal,
        pollSeconds: pollSecondsOf(config.TANDEM_POLL_SECONDS, [POWEROFFICE_CATALOGUE, crm.catalogue]),
        lookWhenAsked: config.CRM_WEBHOOK_SECRET === undefined ? [] : ['crm'],
        sweepHours: config.TANDEM_SWEEP_HOURS,
        unstampedHours: config.TANDEM_UNSTAMPED_HOURS,
        deletionHours: config.TANDEM_DELETION_HOURS,
      };
      const version = deploymentOf(config);
      const worker = await withBundle((codePath) =>
        Worker.create({
          ...WORKER_OPTIONS,
          connection,
          namespace,
          taskQueue: installation.queue,
          workflowBundle: { codePath: given ?? codePath },
          ...versioned(version),
          activities: createActivities(deps, world.id),
        }),
      );
      const feedsAsConfigured = async (): Promise<void> => {
        await startFeeds(home, flows, config.TANDEM_TAKEOVER_SECONDS);
        for (const feed of await stopFeeds(home, store, flows))
          log.info({ event: 'feed', feed }, 'no flow uses the feed any more');
        await store.owner.setConfigured(flows.map(({ name }) => name));
      };
      const running = worker.run();
      if (version) void tellUntilCurrent(temporal.client, { version, log, signal: told.signal });
      const stop = (): void => {
        if (worker.getState() === 'RUNNING') worker.shutdown();
      };
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      await Promise.race([running, retryUntilReachable(server, waiting, () => feedsAsConfigured()).catch(() => {})]);
      if (!plan && !signal.aborted) await release({ store, home, flows, log });
      if (!signal.aborted)
        log.info({ event: 'worker', installation: installation.name, flows: flows.map((flow) => flow.name) }, 'the worker runs');
      await running;
      log.info({ event: 'worker' }, 'the worker stopped');
    } finally {
      told.abort();
      await Promise.all([numbering, watching, clocks]);
      await stopClocks();
      await connection.close();
      await temporal.connection.close();
    }
  } finally {
    await store.close();
  }
}

/** Worth knowing at once, and no reason not to run: what we may not do, and a clock that is far from ours. */
function warnOf(system: Connector, lacks: readonly string[], log: Logger): void {
  for (const sentence of lacks) log.warn({ event: 'privilege', system: system.name }, `${system.title}: ${sentence}`);
  const apart = clockOffsetInWords(system);
  if (apart !== null)
    log.warn({ event: 'clock', system: system.name }, `${apart}: let one of them be set (NTP); Tandem reckons with it meanwhile`);
}

/** Asks both systems who they are. */
async function askSystems({
  installation,
  connectors,
  crm,
  flows,
  waiting,
}: {
  readonly installation: Installation;
  readonly connectors: Readonly<Record<SystemName, Connector>>;
  readonly crm: Crm;
  readonly flows: readonly Flow[];
  readonly waiting: Waiting;
}): Promise<World> {
  const ask = async (system: Connector): Promise<string> => {
    const { identity, privileges } = await retryUntilReachable(systemServer(system, crm), waiting, () =>
      system.check(waiting.signal),
    );
    const lacks = privileges && system.name === 'powerOffice' ? missingPrivileges(flows, privileges) : [];
    warnOf(system, lacks, waiting.log);
    return identity;
  };
  return worldOf(installation, { powerOffice: await ask(connectors.powerOffice), crm: await ask(connectors.crm) });
}

/** A profile of which a check has refuted something would lose edits: it does not run. Throws TandemError. */
async function refuseRefuted(crm: Crm, store: Store, log: Logger): Promise<void> {
  const { profile, name } = crm;
  if (profile?.neverTried)
    log.warn({ event: 'profile', profile: name }, `the profile "${name}" was never tried on a live account`);
  const { state, sentence } = await profileVerdict(crm, store);
  if (state === 'refuted')
    throw new TandemError(
      { where: 'CRM_PROFILE', what: sentence, next: 'mend the profile and check it again' },
      { kind: 'configuration' },
    );
  if (state === 'unchecked')
    log.warn(
      { event: 'profile', profile: name },
      `${sentence}: run \`npx tandem profile check\` before anything that matters is synced`,
    );
}

/** What an earlier start held back because its plan said nothing of it goes on now. */
async function release({
  store,
  home,
  flows,
  log,
}: {
  readonly store: Store;
  readonly home: Home;
  readonly flows: readonly Flow[];
  readonly log: Logger;
}): Promise<void> {
  const held = await store.links.blockedFor(
    flows.map(({ name }) => name),
    'unplanned',
  );
  if (held.length === 0) return;
  const links = temporalMessenger(home);
  for (const link of held) await links.signalRetry(link);
  log.info({ event: 'released', links: held.length }, 'links that an earlier plan held back go on');
}
