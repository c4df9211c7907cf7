import type { Client, Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../flows/names.ts';
import { installationNamed, LIMITS_DATABASE } from '../../flows/installation.ts';
import type { Flow } from '../../flows/flow.ts';
import { SCHEMA, type Store } from '../../store/store.ts';
import { readStoreConfig } from '../../worker/config.ts';
import { mongoServer, openStore, temporalServer, whyUnusable } from '../../worker/remotes.ts';
import { connectTemporal, searchAttributeCommand, temporalConfig } from '../../worker/temporal.ts';
import { checkOwner } from '../../worker/world.ts';
import { failed, failures, ok, warning, type Say } from './finding.ts';

/** An open Temporal, as the doctor found it. */
export interface OpenTemporal {
  readonly client: Client;
  readonly connection: Connection;
  readonly namespace: string;
}

/** Temporal: whether it answers, which version, the namespace, the search attributes. Null where it cannot be used. */
export async function lookAtTemporal(env: NodeJS.ProcessEnv, say: Say): Promise<OpenTemporal | null> {
  let open: OpenTemporal;
  try {
    open = await connectTemporal(env);
  } catch (error) {
    failures('Temporal', error).forEach(say);
    return null;
  }
  const { connection, namespace } = open;
  const server = temporalServer(temporalConfig(env).address);
  try {
    const { serverVersion } = await connection.workflowService.getSystemInfo({});
    await connection.workflowService.describeNamespace({ namespace });
    say(ok('Temporal', `${server.title} answers: server ${serverVersion ?? 'of an unknown version'}, namespace ${namespace}`));
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    const missing = Object.values(SEARCH_ATTRIBUTES).filter((name) => !(name in (customAttributes ?? {})));
    say(
      missing.length === 0
        ? ok('search attributes', `the namespace ${namespace} has all of them`)
        : failed(
            'search attributes',
            `the namespace ${namespace} lacks the search attributes ${missing.join(', ')}`,
            `a worker adds them at its start where its key may; else: ${searchAttributeCommand(namespace, missing)}`,
          ),
    );
    return open;
  } catch (error) {
    failures('Temporal', whyUnusable(server, error)).forEach(say);
    await connection.close();
    return null;
  }
}

/** MongoDB: whether it answers, which version, whose the database is and how old, the indexes. Null where it cannot be used. */
export async function lookAtMongo(env: NodeJS.ProcessEnv, flows: readonly Flow[] | null, say: Say): Promise<Store | null> {
  let store: Store | null = null;
  try {
    const { MONGODB_URI, TANDEM_INSTALLATION, TANDEM_LIMITS_URI: limits } = readStoreConfig(env);
    const server = mongoServer(MONGODB_URI);
    const installation = installationNamed(TANDEM_INSTALLATION);
    await lookAtLimits(limits, say);
    store = await openStore(MONGODB_URI, { database: installation.name });
    const began = performance.now();
    await store.ping();
    const took = Math.round(performance.now() - began);
    say(ok('MongoDB', `${server.title} answers within ${took} ms: server ${await store.serverVersion()}`));
    await checkOwner(store, installation);
    await lookAtDatabase(store, flows, say);
    await store.close();
    store = null;
    return await openStore(MONGODB_URI, { database: installation.name, limits });
  } catch (error) {
    failures('MongoDB', error).forEach(say);
    await store?.close();
    return null;
  }
}

async function lookAtLimits(uri: string | undefined, say: Say): Promise<void> {
  if (uri === undefined) return;
  const limits = await openStore(uri, { database: LIMITS_DATABASE }, 'TANDEM_LIMITS_URI');
  say(ok('limits', `${mongoServer(uri).title} answers: the limits of the key are counted there`));
  await limits.close();
}

async function lookAtDatabase(store: Store, flows: readonly Flow[] | null, say: Say): Promise<void> {
  const owner = await store.whose();
  if (owner === null) {
    say(ok('database', `the database "${store.database}" is nobody's yet; the first start of a worker takes it`));
    return;
  }
  say(
    owner.schema === SCHEMA
      ? ok('database', `the database "${store.database}" is of the installation ${owner.name}, schema ${SCHEMA}`)
      : warning(
          'database',
          `the database "${store.database}" is of an older Tandem (schema ${owner.schema}, this one needs ${SCHEMA})`,
          'a start brings it up to date where that is quick; else stop all workers and run `npx tandem migrate`',
        ),
  );
  const missing = await store.missingIndexes();
  say(
    missing.length === 0
      ? ok('indexes', 'all of them are there')
      : failed('indexes', `indexes are missing: ${missing.join(', ')}`, 'start a worker: each start makes what is missing'),
  );
  if (flows === null) return;
  const known = new Set(flows.map(({ name }) => name));
  const strays = new Map<string, number>();
  for (const { flow, count } of await store.census.counts())
    if (!known.has(flow)) strays.set(flow, (strays.get(flow) ?? 0) + count);
  for (const [flow, count] of strays)
    say(
      warning(
        'flows',
        `${count} links are of the flow ${flow}, which TANDEM_FLOWS does not name: nobody serves them from this configuration`,
        'name the flow again, or leave its links as they are; neither side is touched',
      ),
    );
}
