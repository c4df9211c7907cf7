import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../stack/process.ts';
import { logIn, startMongo, startTemporal, type Server } from '../../stack/servers.ts';

/**
 * One real Temporal server and one MongoDB-protocol server for the whole run, in a temporary folder. They are started once,
 * by mocha's first process; those that run the files learn of them by the environment.
 */
const running: Server[] = [];
let folder = '';

export async function mochaGlobalSetup(): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'tandem-test-'));
  process.env['TANDEM_TEST_FOLDER'] = folder;
  const say = (text: string): void => console.log(`  … ${text}`);
  const [port, uiPort, mongoPort] = [await freePort(), await freePort(), await freePort()];
  stopWithParent();
  const kept = async (starting: Promise<Server>): Promise<string> => {
    const server = await starting;
    running.push(server);
    return server.address;
  };
  const [temporal, mongo] = await Promise.allSettled([
    kept(startTemporal({ port, uiPort, file: null, log: logIn(folder, 'temporal'), say })),
    kept(startMongo({ port: mongoPort, folder: join(folder, 'mongo'), log: logIn(folder, 'mongo'), say, passing: true })),
  ]);
  if (temporal.status === 'rejected' || mongo.status === 'rejected') {
    await mochaGlobalTeardown();
    throw [temporal, mongo].find((each) => each.status === 'rejected')?.reason;
  }
  process.env['TANDEM_TEST_TEMPORAL'] = temporal.value;
  process.env['TANDEM_TEST_UI'] = `http://127.0.0.1:${uiPort}`;
  process.env['TANDEM_TEST_MONGO'] = mongo.value;
}

/** Mocha runs the tests in a child of its own, and passes no signal but SIGINT on: the child ends where the parent has. */
function stopWithParent(): void {
  const end = (): void => void mochaGlobalTeardown().then(() => process.exit(143));
  process.once('SIGTERM', end);
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    end();
  }, 1000);
  watch.unref();
}

export async function mochaGlobalTeardown(): Promise<void> {
  await Promise.all(running.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
}
