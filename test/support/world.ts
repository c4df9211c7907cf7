import { randomUUID } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { crmSandbox } from '../../sandbox/crm.ts';
import { powerOfficeSandbox, type PowerOfficeOptions } from '../../sandbox/powerOffice/server.ts';
import { serveOn } from '../../sandbox/serve.ts';
import { seed, type SeedSize } from '../../sandbox/seed.ts';
import { freePort } from '../../stack/process.ts';
import type { SystemName } from '../../flows/flow.ts';
import { Store } from '../../store/store.ts';
import { undescribedRequest } from './description.ts';

export const KEYS = { applicationKey: 'app', clientKey: 'client', subscriptionKey: 'sub' } as const;
export const CRM_TOKEN = 'crm-token';

const env = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is set by test/support/servers.ts`);
  return value;
};
export const temporalAddress = (): string => env('TANDEM_TEST_TEMPORAL');
export const mongoUri = (): string => `${env('TANDEM_TEST_MONGO')}/t${randomUUID().slice(0, 8)}`;

/** Both stand-ins on loopback, nothing kept on disk. */
export interface World {
  readonly powerOffice: ReturnType<typeof powerOfficeSandbox> & { readonly url: string };
  readonly crm: ReturnType<typeof crmSandbox> & { readonly url: string };
  /** Nothing listens at a system's address any more, until it is started again. */
  stop(system: SystemName): Promise<void>;
  start(system: SystemName): Promise<void>;
  close(): Promise<void>;
}

export async function makeWorld(
  options: { size?: SeedSize; powerOffice?: Partial<PowerOfficeOptions>; crm?: { lagMs?: number; clockOffsetMs?: number } } = {},
): Promise<World> {
  const powerOffice = powerOfficeSandbox({
    ...KEYS,
    file: null,
    lagMs: 300,
    ...(options.size ? { seed: seed(options.size) } : {}),
    ...options.powerOffice,
  });
  const crm = crmSandbox({ token: CRM_TOKEN, file: null, ...options.crm });
  const unknown: string[] = [];
  const apps = { powerOffice: described(powerOffice.app, unknown), crm: crm.app };
  // Where one may be stopped and started again, nobody else takes its port meanwhile.
  const [a, b] = [await serveOn(apps.powerOffice, await freePort()), await serveOn(apps.crm, await freePort())];
  const served = { powerOffice: a, crm: b };
  const urls = { powerOffice: a.url, crm: b.url };
  return {
    powerOffice: { ...powerOffice, url: `${a.url}/v2` },
    crm: { ...crm, url: b.url },
    stop: (system) => served[system].close(),
    start: async (system) => {
      served[system] = await serveOn(apps[system], Number(new URL(urls[system]).port));
    },
    close: async () => {
      await Promise.all(Object.values(served).map((each) => each.close()));
      if (unknown.length > 0)
        throw new Error(`asked PowerOffice what its description does not have: ${unknown.slice(0, 5).join('\n')}`);
    },
  };
}

/** Notes requests that the provider's description does not have. */
function described(app: World['powerOffice']['app'], unknown: string[]): World['powerOffice']['app'] {
  const before = new Hono<{ Bindings: HttpBindings }>();
  before.all('*', async (context) => {
    const { raw } = context.req;
    const url = new URL(raw.url);
    if (url.pathname.startsWith('/v2/')) {
      const text = await raw.clone().text();
      unknown.push(...undescribedRequest(raw.method, url, text === '' ? undefined : JSON.parse(text)));
    }
    return app.fetch(raw, context.env);
  });
  return before;
}

/** The environment of a worker in that world. */
export function workerEnv(world: World, mongo: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    TEMPORAL_ADDRESS: process.env['TANDEM_TEST_TEMPORAL'] ?? '',
    MONGODB_URI: mongo,
    // Tests of one key must not wait for one another.
    TANDEM_LIMITS_URI: mongo,
    POWEROFFICE_URL: world.powerOffice.url,
    POWEROFFICE_APPLICATION_KEY: KEYS.applicationKey,
    POWEROFFICE_CLIENT_KEY: KEYS.clientKey,
    POWEROFFICE_SUBSCRIPTION_KEY: KEYS.subscriptionKey,
    CRM_URL: world.crm.url,
    CRM_TOKEN,
    TANDEM_POLL_SECONDS: '1',
    TANDEM_TAKEOVER_SECONDS: '3',
    ...more,
  };
}

/** A store of its own, emptied afterwards. */
export async function makeStore(): Promise<{ store: Store; uri: string }> {
  const uri = mongoUri();
  const store = await Store.connect(uri, { limits: uri });
  await store.prepare(365);
  return { store, uri };
}

/** So long a busy machine may need for what takes seconds (ms). */
const PATIENCE_MS = 90_000;

/** Waits until `test` holds; fails with what it last saw. */
export async function eventually<T>(
  named: string | { readonly what: string; readonly withinMs: number },
  look: () => Promise<T> | T,
  test: (seen: T) => boolean,
): Promise<T> {
  const { what, withinMs } = typeof named === 'string' ? { what: named, withinMs: PATIENCE_MS } : named;
  const began = Date.now();
  for (;;) {
    const seen = await look();
    if (test(seen)) return seen;
    if (Date.now() - began > withinMs)
      throw new Error(`${what}: not within ${withinMs} ms; last seen ${JSON.stringify(seen)?.slice(0, 600)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
