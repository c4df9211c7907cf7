import { execFile, fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { Store } from '../store/store.ts';
import { WORKER_ENV } from '../worker/memory.ts';
import type { SeedSize } from '../sandbox/seed.ts';
import { freePort } from '../stack/process.ts';
import { logIn, startMongo, startTemporal } from '../stack/servers.ts';
import { makeNamespace } from '../test/support/temporal.ts';
import { runTandem, type Run } from '../test/support/worker.ts';
import { makeWorld, workerEnv, type World } from '../test/support/world.ts';

const inRepository = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const BUILT = '.tandem/bench';

/** Compiles what is measured, so that it runs as a published package does: a loader of sources costs 60 MB. */
export async function build(): Promise<void> {
  const folder = inRepository(BUILT);
  rmSync(folder, { recursive: true, force: true });
  const compiler = inRepository('node_modules/typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [compiler, '-p', inRepository('tsconfig.bench.json')]);
}

/** The compiled command line. */
export const program = (): string[] => [inRepository(`${BUILT}/client/cli/main.js`)];

/** Real servers of the bench's own, in a temporary folder. */
export interface Stack {
  readonly mongo: string;
  readonly connection: Connection;
  stop(): Promise<void>;
}

/** What runs now, and how it is ended where the bench is interrupted. */
const running = new Map<ChildProcess, NodeJS.Signals>();

/** Notes a child of the bench; a worker that lost its servers would wait for them, so it is not asked but killed. */
export function started<T extends ChildProcess>(child: T, by: NodeJS.Signals = 'SIGTERM'): T {
  running.set(child, by);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Starts both servers; `inMemory`: Temporal keeps nothing on disk, which is twice as fast. */
export async function startStack(say: (text: string) => void, inMemory = false): Promise<Stack> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
  const interrupt = (): void => {
    for (const [child, by] of running) child.kill(by);
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  const [port, uiPort, mongoPort] = [await freePort(), await freePort(), await freePort()];
  const file = inMemory ? null : join(folder, 'temporal.db');
  const temporal = await startTemporal({ port, uiPort, file, log: logIn(folder, 'temporal'), say });
  started(temporal.child);
  const mongo = await startMongo({ port: mongoPort, folder: join(folder, 'mongo'), log: logIn(folder, 'mongo'), say });
  started(mongo.child);
  process.env['TANDEM_TEST_TEMPORAL'] = temporal.address;
  const connection = await Connection.connect({ address: temporal.address });
  return {
    mongo: mongo.address,
    connection,
    async stop() {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
      await connection.close();
      await Promise.all([temporal.stop(), mongo.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A world with one installation of Tandem in it. */
export interface Installation {
  readonly world: World;
  readonly store: Store;
  readonly client: Client;
  readonly workers: readonly Run[];
  readonly pairs: number;
  restart(workers: number, more: Record<string, string>): Promise<void>;
  close(): Promise<void>;
}

/** When each create reached the CRM. */
export const posts = ({ world }: Installation): number[] =>
  world.crm.disturbance.calls.filter((call) => call.method === 'POST').map((call) => call.at);

/** When each write reached the CRM. */
export const crmWrites = ({ world }: Installation): number[] =>
  world.crm.disturbance.calls.filter((call) => call.method !== 'GET').map((call) => call.at);

let databases = 0;

/** So many pairs over the three flows. */
export const mixed = (pairs: number): SeedSize => ({
  products: Math.round(pairs / 4),
  contactPersons: Math.round(pairs / 2),
  suppliers: Math.round(pairs / 4),
  supplierPersons: Math.round(pairs / 4),
});

/** So many contact persons and nothing else. */
export const contactPersons = (pairs: number): SeedSize => ({
  products: 0,
  contactPersons: pairs,
  suppliers: 0,
  supplierPersons: 0,
});

export async function install(stack: Stack, size: SeedSize, more: Record<string, string> = {}): Promise<Installation> {
  const world = await makeWorld({ size, powerOffice: { lagMs: 0 } });
  const temporal = await makeNamespace();
  const uri = `${stack.mongo}/bench${(databases += 1)}`;
  const store = await Store.connect(uri);
  let workers: Run[] = [];
  const restart = async (count: number, settings: Record<string, string>): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.stop()));
    const env = workerEnv(world, uri, {
      TEMPORAL_NAMESPACE: temporal.namespace,
      TANDEM_POLL_SECONDS: '0.2',
      TANDEM_TAKEOVER_SECONDS: '60',
      ...WORKER_ENV,
      ...settings,
    });
    workers = Array.from({ length: count }, () => runTandem(['worker'], env, program()));
    for (const worker of workers) started(worker.child, 'SIGKILL');
  };
  await restart(1, more);
  return {
    world,
    store,
    client: temporal.client,
    get workers() {
      return workers;
    },
    pairs: size.products + size.contactPersons + size.supplierPersons,
    restart,
    async close() {
      await Promise.all(workers.map((worker) => worker.stop()));
      await temporal.close();
      await store.close();
      await world.close();
    },
  };
}

/** A worker that does nothing, with Tandem's settings. */
export interface Floor {
  readonly client: Client;
  /** Waits until the activity has run `count` times more, and tells when (ms). */
  ran(count: number): Promise<number>;
  close(): Promise<void>;
}

export async function startFloor(): Promise<Floor> {
  const temporal = await makeNamespace();
  const env = {
    ...process.env,
    ...WORKER_ENV,
    TEMPORAL_ADDRESS: process.env['TANDEM_TEST_TEMPORAL'],
    TEMPORAL_NAMESPACE: temporal.namespace,
  };
  const child = started(
    fork(inRepository(`${BUILT}/bench/floor.js`), [], { execArgv: [], env, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] }),
    'SIGKILL',
  );
  let [ran, seen, ready] = [0, 0, false];
  const at: number[] = [];
  child.on('message', (message: { ran?: number; at?: number; ready?: boolean }) => {
    if (message.ready) ready = true;
    if (message.ran !== undefined) {
      ran = message.ran;
      at[message.ran] = message.at ?? 0;
    }
  });
  await until({ what: 'the floor', test: () => ready });
  return {
    client: temporal.client,
    async ran(count) {
      seen += count;
      await until({ what: 'the floor', test: () => ran >= seen });
      return at[seen] ?? Date.now();
    },
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      await temporal.close();
    },
  };
}

/** Waits until `test` holds; looks every `everyMs`. */
export async function until({
  what,
  test,
  withinMs = 600_000,
  everyMs = 10,
}: {
  readonly what: string;
  readonly test: () => boolean | Promise<boolean>;
  readonly withinMs?: number | undefined;
  readonly everyMs?: number | undefined;
}): Promise<void> {
  for (const end = Date.now() + withinMs; !(await test()); await sleep(everyMs))
    if (Date.now() > end) throw new Error(`${what}: not within ${withinMs / 1000} s`);
}
