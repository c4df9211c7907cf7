import { connect } from 'node:net';
import { Client, Connection, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { Home } from '../activities/messenger.ts';
import { MESSAGES, SEARCH_ATTRIBUTES, WORKFLOWS } from '../flows/names.ts';
import { feedsOf, type Flow } from '../flows/flow.ts';
import { TandemError } from '../flows/tandemError.ts';
import type { CursorDocument } from '../store/documents.ts';
import { whyUnusable, temporalServer } from './remotes.ts';

const ADDRESS = /^(\[[\da-f:]+\]|[\w.-]+)(:\d{1,5})?$/i;

/** Where Temporal is, as @temporalio/envconfig reads the TEMPORAL_ variables and profiles. Throws TandemError. */
export function temporalConfig(env: NodeJS.ProcessEnv = process.env): {
  options: NonNullable<Parameters<typeof Connection.connect>[0]>;
  namespace: string;
  address: string;
} {
  let loaded: ReturnType<typeof loadClientConnectConfig>;
  try {
    loaded = loadClientConnectConfig(env === process.env ? {} : { overrideEnvVars: textsOf(env) });
  } catch (error) {
    // A profile's file that cannot be read, a profile that is not in it, a certificate that is none.
    const where = env['TEMPORAL_PROFILE'] ? 'TEMPORAL_PROFILE' : 'TEMPORAL_CONFIG_FILE or TEMPORAL_TLS_…';
    const next = `correct ${where}, as Temporal's environment configuration has it`;
    throw new TandemError({ where, what: (error as Error).message, next }, { kind: 'configuration', cause: error });
  }
  const { connectionOptions, namespace = 'default' } = loaded;
  const address = connectionOptions.address ?? 'localhost:7233';
  if (!ADDRESS.test(address))
    throw new TandemError(
      {
        where: 'TEMPORAL_ADDRESS',
        what: `TEMPORAL_ADDRESS is not host:port ("${address}")`,
        next: "set it to Temporal's host and port",
      },
      { kind: 'configuration' },
    );
  return { options: { ...connectionOptions, address } as Parameters<typeof Connection.connect>[0] & {}, namespace, address };
}

const textsOf = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

/** Rejects as soon as nothing listens at an address, which Temporal's client tells after its deadline only, and not why. */
function nothingListens(address: string): Promise<never> {
  const [host = '', port = '7233'] = address.startsWith('[') ? address.slice(1).split(/\]:?/) : address.split(':');
  return new Promise((_, reject) => {
    // Behind a proxy an address need not be reachable from here.
    if (['grpc_proxy', 'https_proxy', 'http_proxy'].some((name) => process.env[name])) return;
    const socket = connect({ host, port: Number(port || 7233) }).unref();
    socket.once('connect', () => socket.destroy());
    socket.once('error', (error: AggregateError | Error) => reject('errors' in error ? (error.errors[0] as Error) : error));
  });
}

/** A client of the configured Temporal. Throws TandemError when it does not answer within 5 s. */
export async function connectTemporal(
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ client: Client; connection: Connection; namespace: string }> {
  const { options, namespace, address } = temporalConfig(env);
  try {
    const connecting = Connection.connect({ ...options, connectTimeout: '5s' });
    connecting.catch(() => {});
    const connection = await Promise.race([connecting, nothingListens(address)]);
    return { client: new Client({ connection, namespace }), connection, namespace };
  } catch (error) {
    throw whyUnusable(temporalServer(address), error);
  }
}

/** The command that adds the search attributes, for somebody who may. */
export function searchAttributeCommand(namespace: string, missing: readonly string[]): string {
  return `temporal operator search-attribute create --namespace ${namespace} ${missing.map((name) => `--name ${name} --type Keyword`).join(' ')}`;
}

/** Adds the search attributes that the namespace lacks. Gives the names it was not allowed to add. */
export async function addSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const names = Object.values(SEARCH_ATTRIBUTES);
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = names.filter((name) => !(name in (customAttributes ?? {})));
  if (missing.length === 0) return [];
  // INDEXED_VALUE_TYPE_KEYWORD; its enum comes in a CommonJS package that has no names to import.
  const KEYWORD = 2;
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
    });
    return [];
  } catch (error) {
    const ALREADY_EXISTS = 6;
    if (isGrpcServiceError(error) && Number(error.code) === ALREADY_EXISTS) return [];
    return missing;
  }
}

/** Starts the feed watchers that do not run yet, one for each record type however many flows use it; tells all their time. */
export async function startFeeds(
  { client, installation, world }: Home,
  flows: readonly Flow[],
  takeoverSeconds: number,
): Promise<string[]> {
  const feeds = new Map(
    flows.flatMap((flow) =>
      [flow.source, flow.target].map(
        ({ system, type }) =>
          [
            installation.feedWorkflowId(system, type),
            { system, type, takeoverSeconds, ...(world === undefined ? {} : { world }) },
          ] as const,
      ),
    ),
  );
  for (const [workflowId, input] of feeds) {
    const handle = await client.workflow.start(WORKFLOWS.feed, {
      workflowId,
      taskQueue: installation.queue,
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `watches what changes among ${input.system} ${input.type}`,
      memo: { feed: `${input.system} ${input.type}` },
    });
    // One that runs already may have been started under another time.
    await handle.signal(MESSAGES.takeover, takeoverSeconds);
  }
  return [...feeds.keys()];
}

/** Stops the feed watchers, of those that are known, whose types no flow uses any more; tells which ran. */
export async function stopFeeds(
  { client, installation }: Home,
  known: readonly Pick<CursorDocument, '_id'>[],
  flows: readonly Flow[],
): Promise<string[]> {
  const used = feedsOf(flows);
  const stopped: string[] = [];
  for (const { _id: feed } of known) {
    if (used.includes(feed)) continue;
    const [system = '', ...type] = feed.split(':');
    try {
      await client.workflow.getHandle(installation.feedWorkflowId(system, type.join(':'))).terminate('no flow uses it');
      stopped.push(feed);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
  return stopped;
}
