import type { Client } from '@temporalio/client';
import type { Flow, FlowsFile } from '../flows/flow.ts';
import { installationNamed } from '../flows/installation.ts';
import { Store, type OpenClient } from '../store/store.ts';
import { readStoreConfig } from '../worker/config.ts';
import type { Health } from '../worker/health.ts';
import { openStore, serversOf } from '../worker/remotes.ts';
import { connectTemporal, temporalConfig } from '../worker/temporal.ts';
import { readConfiguredFlows } from '../worker/readAll.ts';
import { checkOwner, knownWorld } from '../worker/world.ts';
import { makeTandem } from './tandem.ts';
import type { Tandem } from './types.ts';
import { uiOf } from './views.ts';

/** What a service has open already; Tandem uses it and closes neither. */
export interface ConnectOptions {
  /** A Temporal client of the namespace in which the workers run. */
  readonly temporal?: Client;
  /** A MongoDB client; its database is the one named in `env.MONGODB_URI`, or `database`. */
  readonly mongo?: OpenClient;
  readonly database?: string;
  /** What a flows file holds, or where one is; default `env.TANDEM_FLOWS`, or the specification's three flows. */
  readonly flows?: string | FlowsFile;
  /** Everything else: as a worker reads it. Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
}

/** The library with what stands behind it, for the room's own servers and commands. */
export interface OpenTandem {
  readonly tandem: Tandem;
  readonly store: Store;
  readonly client: Client;
  readonly flows: readonly Flow[];
  /** Whether Temporal and MongoDB answer. */
  readonly servers: Health;
}

/** As `connectTandem`, with what stands behind the library. */
export async function openTandem({
  temporal,
  mongo,
  database,
  flows: given,
  env = process.env,
}: ConnectOptions = {}): Promise<OpenTandem> {
  const { flows, refused } = await readConfiguredFlows(env, given);
  const { MONGODB_URI, TANDEM_LIMITS_URI: limits, TANDEM_INSTALLATION } = readStoreConfig(env);
  const installation = installationNamed(TANDEM_INSTALLATION);
  const store = mongo
    ? await Store.over(mongo, database ?? (new URL(MONGODB_URI).pathname.slice(1) || installation.name), { limits })
    : await openStore(MONGODB_URI, { database: installation.name, limits });
  try {
    await checkOwner(store, installation);
    const opened = temporal
      ? { client: temporal, namespace: temporal.options.namespace, close: async () => {} }
      : await connectTemporal(env).then(({ client, connection, namespace }) => ({
          client,
          namespace,
          close: () => connection.close(),
        }));
    const servers = serversOf(opened.client, store, { temporal: temporalConfig(env).address, mongo: MONGODB_URI });
    const world = await knownWorld(store, opened.client, installation);
    const tandem = makeTandem({
      home: { client: opened.client, installation, world },
      flows,
      refused,
      store,
      servers,
      namespace: opened.namespace,
      ui: uiOf(env, opened.namespace),
      close: async () => {
        await opened.close();
        await store.close();
      },
    });
    return { tandem, store, client: opened.client, flows, servers };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * Connects to Temporal and MongoDB as the environment says, or uses clients that are open already (and then closes
 * neither). Rejects when either does not answer within 5 s. Throws TandemError where the environment is not right.
 *
 * @example
 * const tandem = await connectTandem();
 * const { status } = await tandem.sync('contactperson-contact', '501/2001', { wait: true });
 * await tandem.close();
 */
export async function connectTandem(options: ConnectOptions = {}): Promise<Tandem> {
  return (await openTandem(options)).tandem;
}
