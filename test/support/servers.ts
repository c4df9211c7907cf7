import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../stack/process.ts';
import { logIn, startMongo, startTemporal, type Server } from '../../stack/servers.ts';

/**
 * One real Temporal server and one MongoDB-protocol server for the whole run, in a temporary folder. They are started once,
 * by mocha's first process; those that run the files learn of them by the environment.
 */
let running: Server[] = [];
let folder = '';

export async function mochaGlobalSetup(): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'tandem-test-'));
  process.env['TANDEM_TEST_FOLDER'] = folder;
  const say = (text: string): void => console.log(`  … ${text}`);
  const [port, uiPort, mongoPort] = [await freePort(), await freePort(), await freePort()];
  running = await Promise.all([
    startTemporal({ port, uiPort, file: null, log: logIn(folder, 'temporal'), say }),
    startMongo({ port: mongoPort, folder: join(folder, 'mongo'), log: logIn(folder, 'mongo'), say }),
  ]);
  process.env['TANDEM_TEST_TEMPORAL'] = running[0]?.address;
  process.env['TANDEM_TEST_UI'] = `http://127.0.0.1:${uiPort}`;
  process.env['TANDEM_TEST_MONGO'] = running[1]?.address;
}

export async function mochaGlobalTeardown(): Promise<void> {
  await Promise.all(running.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
}
