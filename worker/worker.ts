import { hostname } from 'node:os';
import type { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Deps } from '../activities/deps.ts';
import { feedActivities } from '../activities/feed/watch.ts';
import { linkActivities } from '../activities/link/index.ts';
import { temporalMessenger } from '../activities/messenger.ts';
import { realTime } from '../activities/realTime.ts';
import { runAttempt } from '../activities/runAttempt.ts';
import { ProfileError } from '../connectors/crm/profile/read.ts';
import { readCrm, type Crm } from '../connectors/crm/readCrm.ts';
import { POWEROFFICE_CATALOGUE } from '../connectors/powerOffice/catalogue.ts';
import { Store } from '../store/store.ts';
import { TASK_QUEUE } from '../flows/names.ts';
import type { Flow } from '../flows/flow.ts';
import { DocumentError } from '../flows/dataflow/document.ts';
import { Allowance, flowsHash, readPlan } from '../flows/plan.ts';
import { readFlows, refusedInWords, type Flows } from './readFlows.ts';
import { FlowsError } from '../flows/validate.ts';
import { withBundle } from './bundle.ts';
import { ConfigError, readConfig, type Config } from './config.ts';
import { bridgeTemporal } from './log.ts';
import { staySmall } from './memory.ts';
import { WORKER_OPTIONS } from './options.ts';
import { numberChanges } from './sequencer.ts';
import { retryUntilReachable, sameWorld } from './retryUntilReachable.ts';
import { makeConnectors, shareClocks } from './connectors.ts';
import { addSearchAttributes, connectTemporal, searchAttributeCommand, startFeeds, temporalConfig } from './temporal.ts';

/** Configuration and flows, checked together, so that every problem is told at once. Throws ConfigError. */
export async function readAll(env: NodeJS.ProcessEnv): Promise<{ config: Config; crm: Crm } & Flows> {
  const problems: string[] = [];
  let config: Config | undefined;
  let flows: Flows | undefined;
  let crm: Crm | undefined;
  const note = (error: unknown): void => {
    if (error instanceof ConfigError || error instanceof FlowsError) problems.push(...error.problems);
    else if (error instanceof ProfileError) problems.push(...error.problems.map((each) => `CRM_PROFILE: ${each}`));
    else if (error instanceof DocumentError) problems.push(error.message);
    else throw error;
  };
  try {
    config = readConfig(env);
  } catch (error) {
    note(error);
  }
  try {
    crm = await readCrm(env['CRM_PROFILE'] || undefined);
    problems.push(...crm.missing(env));
    flows = await flowsWith(crm, env);
  } catch (error) {
    note(error);
  }
  if (!config || !crm || !flows || problems.length > 0) throw new ConfigError(problems);
  return { config, crm, ...flows };
}

/** The flows that the environment names, checked against both catalogues. Throws FlowsError, DocumentError or ProfileError. */
export async function readConfiguredFlows(env: NodeJS.ProcessEnv): Promise<Flows> {
  return flowsWith(await readCrm(env['CRM_PROFILE'] || undefined), env);
}

function flowsWith(crm: Crm, env: NodeJS.ProcessEnv): Promise<Flows> {
  const catalogues = [POWEROFFICE_CATALOGUE, crm.catalogue];
  return readFlows(env['TANDEM_FLOWS'] || undefined, catalogues, env['TANDEM_BINDINGS'] || undefined);
}

/** Runs a worker until `signal` aborts, then drains it. Throws ConfigError where a person must mend something. */
export async function runWorker(env: NodeJS.ProcessEnv, log: Logger, signal: AbortSignal, planPath?: string): Promise<void> {
  const { config, crm, flows, refused } = await readAll(env);
  for (const sentence of refusedInWords(env['TANDEM_FLOWS'] ?? '', refused))
    log.error({ event: 'refused', why: sentence }, `a flow of the document does not run: ${sentence}`);
  const plan = planPath === undefined ? null : await readPlan(planPath);
  if (plan && plan.flows !== flowsHash(flows))
    throw new ConfigError([`the plan ${planPath} was made for other flows: make it anew with \`tandem plan\``]);
  staySmall();
  bridgeTemporal(log);
  const store = await retryUntilReachable('MongoDB', log, signal, () => Store.connect(config.MONGODB_URI));
  try {
    await retryUntilReachable('MongoDB', log, signal, () => store.prepare(config.TANDEM_HISTORY_DAYS));
    await refuseRefuted(crm, store, log);
    const connectors = await makeConnectors({ config, store, crm, env });
    for (const connector of Object.values(connectors)) {
      const { identity } = await retryUntilReachable(connector.title, log, signal, () => connector.check(signal));
      await sameWorld(store, connector, identity);
      if (plan && plan.world[connector.name] !== identity)
        throw new ConfigError([
          `the plan ${planPath} was made for ${connector.title} at ${plan.world[connector.name] ?? 'nowhere'}, but the configuration names ${identity}`,
        ]);
    }
    const { options, namespace, address } = temporalConfig();
    const temporal = await retryUntilReachable(`Temporal at ${address}`, log, signal, connectTemporal);
    const denied = await retryUntilReachable('Temporal', log, signal, () => addSearchAttributes(temporal.connection, namespace));
    if (denied.length > 0)
      throw new ConfigError([
        `the namespace ${namespace} lacks the search attributes ${denied.join(', ')}, and this key may not add them. Let somebody who may run: ${searchAttributeCommand(namespace, denied)}`,
      ]);
    const connection = await retryUntilReachable('Temporal', log, signal, () =>
      NativeConnection.connect(options as Parameters<typeof NativeConnection.connect>[0]),
    );
    const stopClocks = await shareClocks(connectors, store);
    const numbering = numberChanges(store, `${hostname()}:${process.pid}`, log, signal);
    try {
      const deps: Deps = {
        flows,
        connectors,
        store,
        links: temporalMessenger(temporal.client),
        time: realTime,
        runAttempt,
        log,
        ...(plan ? { allowance: new Allowance(plan) } : {}),
        stopping: signal,
        pollSeconds: config.TANDEM_POLL_SECONDS,
        lookWhenAsked: config.CRM_WEBHOOK_SECRET === undefined ? [] : ['crm'],
        sweepHours: config.TANDEM_SWEEP_HOURS,
        deletionHours: config.TANDEM_DELETION_HOURS,
      };
      const worker = await withBundle((codePath) =>
        Worker.create({
          ...WORKER_OPTIONS,
          connection,
          namespace,
          taskQueue: TASK_QUEUE,
          workflowBundle: { codePath },
          activities: { ...linkActivities(deps), ...feedActivities(deps) },
        }),
      );
      const running = worker.run();
      const stop = (): void => {
        if (worker.getState() === 'RUNNING') worker.shutdown();
      };
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      await Promise.race([
        running,
        retryUntilReachable('Temporal', log, signal, () =>
          startFeeds(temporal.client, flows, config.TANDEM_TAKEOVER_SECONDS),
        ).catch(() => {}),
      ]);
      if (!plan && !signal.aborted) await release(store, temporal.client, flows, log);
      if (!signal.aborted) log.info({ event: 'worker', flows: flows.map((flow) => flow.name) }, 'the worker runs');
      await running;
      log.info({ event: 'worker' }, 'the worker stopped');
    } finally {
      await numbering;
      await stopClocks();
      await connection.close();
      await temporal.connection.close();
    }
  } finally {
    await store.close();
  }
}

/** A profile of which a check has refuted something would lose edits: it does not run. Throws ConfigError. */
async function refuseRefuted({ profile, hash, name }: Crm, store: Store, log: Logger): Promise<void> {
  if (!profile || profile.name === 'default') return;
  if (profile.neverTried)
    log.warn({ event: 'profile', profile: name }, `the profile "${name}" was never tried on a live account`);
  const { profileCheck } = await store.systems.get('crm');
  if (profileCheck?.hash !== hash)
    return log.warn(
      { event: 'profile', profile: name },
      `the profile "${name}" was never checked as it is now: run \`npx tandem profile check\` before anything that matters is synced`,
    );
  if (profileCheck && profileCheck.refuted.length > 0)
    throw new ConfigError([
      `CRM_PROFILE: \`tandem profile check\` has refuted what the profile "${name}" claims: ${profileCheck.refuted.join('; ')}. Mend the profile and check it again`,
    ]);
}

/** What an earlier start held back because its plan said nothing of it goes on now. */
async function release(store: Store, client: Client, flows: readonly Flow[], log: Logger): Promise<void> {
  const held = await store.links.blockedFor(
    flows.map(({ name }) => name),
    'unplanned',
  );
  if (held.length === 0) return;
  const links = temporalMessenger(client);
  for (const link of held) await links.signalRetry(link);
  log.info({ event: 'released', links: held.length }, 'links that an earlier plan held back go on');
}
