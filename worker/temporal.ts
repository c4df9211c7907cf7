import { Client, Connection, isGrpcServiceError } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { SEARCH_ATTRIBUTES, WORKFLOWS, feedWorkflowId, TASK_QUEUE } from '../flows/names.ts';
import type { Flow } from '../flows/flow.ts';

/** Where Temporal is, as @temporalio/envconfig reads the TEMPORAL_ variables and profiles. */
export function temporalConfig(env: NodeJS.ProcessEnv = process.env): {
  options: NonNullable<Parameters<typeof Connection.connect>[0]>;
  namespace: string;
  address: string;
} {
  const { connectionOptions, namespace } = loadClientConnectConfig(env === process.env ? {} : { overrideEnvVars: textsOf(env) });
  const options = { ...connectionOptions, address: connectionOptions.address ?? 'localhost:7233' } as NonNullable<
    Parameters<typeof Connection.connect>[0]
  >;
  return { options, namespace: namespace ?? 'default', address: options.address ?? '' };
}

const textsOf = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

/** A client of the configured Temporal. Rejects when it does not answer within 5 s. */
export async function connectTemporal(
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ client: Client; connection: Connection; namespace: string }> {
  const { options, namespace } = temporalConfig(env);
  const connection = await Connection.connect({ ...options, connectTimeout: '5s' });
  return { client: new Client({ connection, namespace }), connection, namespace };
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

/** Starts the feed watchers that do not run yet: one for each record type, however many flows use it. */
export async function startFeeds(client: Client, flows: readonly Flow[], takeoverSeconds: number): Promise<string[]> {
  const feeds = new Map(
    flows.flatMap((flow) =>
      [flow.source, flow.target].map(
        ({ system, type }) => [feedWorkflowId(system, type), { system, type, takeoverSeconds }] as const,
      ),
    ),
  );
  for (const [workflowId, input] of feeds)
    await client.workflow.start(WORKFLOWS.feed, {
      workflowId,
      taskQueue: TASK_QUEUE,
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `watches what changes among ${input.system} ${input.type}`,
      memo: { feed: `${input.system} ${input.type}` },
    });
  return [...feeds.keys()];
}
