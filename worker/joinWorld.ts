import type { Logger } from 'pino';
import { connectTemporal, addSearchAttributes, searchAttributeCommand, temporalConfig } from './temporal.ts';
import type { Home } from '../activities/messenger.ts';
import type { Connector } from '../connectors/connector.ts';
import type { Crm } from '../connectors/crm/readCrm.ts';
import type { Flow } from '../flows/flow.ts';
import type { SystemName } from '../flows/flow.ts';
import { TandemError } from '../flows/tandemError.ts';
import type { Store } from '../store/store.ts';
import { clockOffsetInWords } from './clockOffset.ts';
import { makeConnectors, noteSystems } from './connectors.ts';
import { missingPrivileges } from './privileges.ts';
import { profileVerdict } from './profileVerdict.ts';
import { mongoServer, systemServer, temporalServer, type Remote } from './remotes.ts';
import { retryUntilReachable, type Waiting } from './retryUntilReachable.ts';
import type { Start } from './start.ts';
import { checkOwner, checkStore, checkTemporal, claimWorld, migrateAtStart, worldOf, type World } from './world.ts';

/** Systems, store and Temporal, known to belong together. */
export interface Joined {
  readonly connectors: Readonly<Record<SystemName, Connector>>;
  readonly temporal: Awaited<ReturnType<typeof connectTemporal>>;
  readonly temporalAt: Remote;
  readonly home: Home & { readonly world: string };
}

/** Makes sure that systems, store and Temporal belong together, step by step; waits for what it cannot reach. Throws TandemError. */
export async function joinWorld(start: Start, store: Store, waiting: Waiting): Promise<Joined> {
  const { config, crm, env, installation, flows } = start;
  const { log, signal } = waiting;
  const mongo = mongoServer(config.MONGODB_URI);
  const withStore = <T>(step: () => Promise<T>): Promise<T> => retryUntilReachable(mongo, waiting, step);

  await withStore(() => checkOwner(store, installation));
  await refuseRefuted({ crm, flows }, store, log);
  const connectors = await makeConnectors({ config, store, crm, env, log, signal });
  const world = await askSystems(start, connectors, waiting);
  await withStore(() => checkStore(store, world));
  refuseOtherPlan(start, connectors, world);
  const temporalAt = temporalServer(temporalConfig().address);
  const temporal = await joinTemporal(temporalAt, world, waiting);
  await retryUntilReachable(temporalAt, waiting, () => claimWorld(store, temporal.client, world));
  await withStore(() => noteSystems(store, { config, crm: connectors.crm }));
  await withStore(() => migrateAtStart(store, flows));
  await withStore(() => store.prepare(config.TANDEM_HISTORY_DAYS));
  return { connectors, temporal, temporalAt, home: { client: temporal.client, installation, world: world.id } };
}

/** A plan that was made for other systems is not kept to. */
function refuseOtherPlan(
  { plan, planPath }: Start,
  connectors: Readonly<Record<SystemName, Connector>>,
  { identities }: World,
): void {
  if (!plan) return;
  for (const { name, title } of Object.values(connectors))
    if (plan.world[name] !== identities[name])
      throw new TandemError([
        `the plan ${planPath} was made for ${title} at ${plan.world[name] ?? 'nowhere'}, but the configuration names ${identities[name]}`,
      ]);
}

/** A client of a Temporal that knows no other world, with the search attributes that links need. */
async function joinTemporal(server: Remote, world: World, waiting: Waiting): Promise<Joined['temporal']> {
  const temporal = await retryUntilReachable(server, waiting, () => connectTemporal());
  const { client, connection, namespace } = temporal;
  await retryUntilReachable(server, waiting, () => checkTemporal(client, world));
  const denied = await retryUntilReachable(server, waiting, () => addSearchAttributes(connection, namespace));
  if (denied.length === 0) return temporal;
  throw new TandemError(
    {
      where: 'TEMPORAL_NAMESPACE',
      what: `the namespace ${namespace} lacks the search attributes ${denied.join(', ')}, and this key may not add them`,
      next: `let somebody who may run: ${searchAttributeCommand(namespace, denied)}`,
    },
    { kind: 'configuration' },
  );
}

/** Worth knowing at once, and no reason not to run: what we may not do, and a clock that is far from ours. */
function warnOf(system: Connector, lacks: readonly string[], log: Logger): void {
  for (const sentence of lacks) log.warn({ event: 'privilege', system: system.name }, `${system.title}: ${sentence}`);
  const apart = clockOffsetInWords(system);
  if (apart !== null)
    log.warn({ event: 'clock', system: system.name }, `${apart}: let one of them be set (NTP); Tandem reckons with it meanwhile`);
}

/** Asks both systems who they are. */
async function askSystems(
  { installation, crm, flows }: Start,
  connectors: Readonly<Record<SystemName, Connector>>,
  waiting: Waiting,
): Promise<World> {
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
async function refuseRefuted(
  { crm, flows }: { readonly crm: Crm; readonly flows: readonly Flow[] },
  store: Store,
  log: Logger,
): Promise<void> {
  const { profile, name } = crm;
  if (profile?.neverTried)
    log.warn({ event: 'profile', profile: name }, `the profile "${name}" was never tried on a live account`);
  const { state, sentence } = await profileVerdict(crm, { store, flows });
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
