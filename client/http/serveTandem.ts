import type { Logger } from 'pino';
import { Hono } from 'hono';
import { TandemError } from '../../flows/tandemError.ts';
import { feedKey } from '../../flows/names.ts';
import { readServerConfig } from '../../worker/config.ts';
import { mongoServer } from '../../worker/remotes.ts';
import { retryUntilReachable, type Waiting } from '../../worker/retryUntilReachable.ts';
import { openTandem, type OpenTandem } from '../connect.ts';
import { version } from '../version.ts';
import { listed } from './listed.ts';
import { takeHook } from './hooks.ts';
import { MetricsPage } from './metrics/page.ts';
import { HttpProblem } from './problem.ts';
import { problemOf } from './problemOf.ts';
import { readiness } from './readiness.ts';
import { addApi, type Env } from './server.ts';
import { startServer, type Running } from './start.ts';
import { readApiTokens } from './tokens.ts';

export interface ServeOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly log: Logger;
  /** Webhooks and health alone: what may stand open to the world. */
  readonly onlyHooks?: boolean;
  readonly port?: number;
  /** Whether somebody else logs which server stops answering. */
  readonly watched?: boolean;
  /** Where this process shows Temporal's metrics, where it is a worker. */
  readonly exporterPort?: number | null;
}

/**
 * Serves the HTTP interface: `/v1`, webhooks, health and metrics. Throws TandemError where a token or secret is malformed;
 * rejects where the port is in use.
 */
export async function serveTandem(
  open: OpenTandem,
  { env, log, onlyHooks = false, port, watched = false, exporterPort = null }: ServeOptions,
): Promise<Running> {
  const config = readServerConfig(env);
  const { tokens, problems } = readApiTokens(config.TANDEM_API_TOKENS ?? '');
  if (problems.length > 0) throw new TandemError(problems.map((problem) => `TANDEM_API_TOKENS: ${problem}`).join('\n'));
  const { tandem, store, servers } = open;
  const app = new Hono<Env>();
  addHealth(app, open);
  addHooks(app, open, { secrets: { crm: listed(config.CRM_WEBHOOK_SECRET ?? '') }, log });
  if (!onlyHooks) {
    const metrics = new MetricsPage(open, exporterPort);
    app.get('/metrics', async (context) =>
      context.text(await metrics.text(), 200, { 'content-type': 'text/plain; version=0.0.4' }),
    );
    addApi(app, {
      tandem,
      version: version(),
      tokens,
      requests: store.requests,
      audit: (call) => store.steering.begin(call),
      explain: (error) => problemOf(error, servers),
      report: (error, requestId) =>
        log.error({ event: 'http', requestId, why: error instanceof Error ? error.message : String(error) }, 'a request failed'),
    });
  }
  const running = await startServer(app, { port: port ?? config.TANDEM_HTTP_PORT, open: tokens.length > 0 || onlyHooks });
  log.info(
    { event: 'http', address: running.address, open: tokens.length > 0 },
    tokens.length > 0
      ? `the HTTP interface listens at ${running.address}`
      : `the HTTP interface listens at ${running.address}, on loopback alone since TANDEM_API_TOKENS names no token`,
  );
  if (watched) return running;
  const closed = new AbortController();
  const watching = servers.watch(log, closed.signal);
  return {
    ...running,
    close: async () => {
      closed.abort();
      await Promise.all([watching, running.close()]);
    },
  };
}

/** Whether the process is there, and whether it can answer. */
function addHealth(app: Hono<Env>, open: OpenTandem): void {
  app.get('/healthz', (context) => context.json({ status: 'ok', version: version() }));
  app.get('/readyz', async (context) => {
    const { answer, ready } = await readiness(open);
    if (!ready) context.header('retry-after', '5');
    return context.json(answer, ready ? 200 : 503);
  });
}

/** Webhooks of a system: its records, or its feeds, are looked at once. */
function addHooks(
  app: Hono<Env>,
  { flows, store, servers }: OpenTandem,
  { secrets, log }: { readonly secrets: Parameters<typeof takeHook>[0]['secrets']; readonly log: Logger },
): void {
  const lookNow = (system: string, type: string, id: string | null): Promise<void> =>
    id === null
      ? store.cursors.ask(feedKey(system, type), { lookAsked: Date.now() })
      : store.cursors.askRecord(feedKey(system, type), id, Date.now());
  app.post('/hooks/:system', async (context) => {
    try {
      return context.json(await takeHook({ flows, secrets, lookNow }, context.req.param('system'), context.req.raw));
    } catch (error) {
      const problem = error instanceof HttpProblem ? error : problemOf(error, servers);
      if (problem.status >= 500) log.error({ event: 'http', why: problem.message }, 'a hook could not be taken');
      return problem.response('hook');
    }
  });
}

/** Where TANDEM_HTTP_PORT is set, a worker serves the interface too; what hinders it is a warning, the worker runs on. */
export async function serveBeside(
  env: NodeJS.ProcessEnv,
  { log, say, signal }: Waiting,
  exporterPort: number | null,
): Promise<void> {
  if (!env['TANDEM_HTTP_PORT']) return;
  try {
    const open = await retryUntilReachable(mongoServer(env['MONGODB_URI'] ?? ''), { log, say, signal }, () =>
      openTandem({ env }),
    );
    try {
      const running = await serveTandem(open, { env, log, watched: true, exporterPort });
      await aborted(signal);
      await running.close();
    } finally {
      await open.tandem.close();
    }
  } catch (error) {
    if (signal.aborted) return;
    const why = error instanceof Error ? error.message : String(error);
    log.warn({ event: 'http', why }, `the HTTP interface is not served: ${why}; the worker runs on`);
  }
}

/** Resolves when a signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
