import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeNamespace } from '../test/support/temporal.ts';
import { makeWorld, workerEnv } from '../test/support/world.ts';
import { packed, type } from '../test/door/places.ts';
import { median } from './figures.ts';
import { note, say } from './report.ts';
import { started, until, type Stack } from './stack.ts';
import { pollersOf } from '../worker/pollers.ts';

/** The local stack as `npm start` brings it up, with data of its own; until its first link. */
export async function measureStart(): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'tandem-start-'));
  const began = Date.now();
  const child = started(
    spawn(process.execPath, ['--import', 'tsx/esm', fileURLToPath(new URL('../stack/start.ts', import.meta.url))], {
      env: { ...process.env, TANDEM_DATA: data, CI: '1' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
  let seconds = Number.NaN;
  child.stdout.on('data', (text: Buffer) => {
    // Where there is no terminal a line comes with each quarter, so this is the first thirty links.
    if (Number.isNaN(seconds) && /first sync: [1-9]/.test(text.toString())) seconds = (Date.now() - began) / 1000;
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await until({ what: 'the first links', test: () => !Number.isNaN(seconds) || child.exitCode !== null, withinMs: 120_000 });
  child.kill('SIGTERM');
  await ended;
  rmSync(data, { recursive: true, force: true });
  note({
    name: 'start of the local stack, warm cache, to the first thirty links',
    value: seconds,
    unit: 's',
    target: 'under 10',
    met: seconds < 10,
  });
}

const STARTS = 5;

/** `npx tandem worker` as typed in a folder with the package, until Temporal sees it poll for work; each time a new installation. */
export async function measureWorkerStart({ mongo }: Stack): Promise<void> {
  say('packing and installing the package');
  const temporary = mkdtempSync(join(tmpdir(), 'tandem-packed-'));
  process.env['TANDEM_TEST_FOLDER'] = temporary;
  const world = await makeWorld();
  const { client, namespace, close } = await makeNamespace();
  const seconds: number[] = [];
  try {
    const { folder } = await packed();
    for (let i = 0; i < STARTS; i++) {
      const installation = `start${i}`;
      const env = workerEnv(world, `${mongo}/${installation}`, {
        TEMPORAL_NAMESPACE: namespace,
        TANDEM_INSTALLATION: installation,
      });
      const polled = async (): Promise<boolean> => (await pollersOf(client, installation, 'workflow')).length > 0;
      const began = Date.now();
      const worker = type('npx tandem worker', folder, env);
      try {
        await until({ what: 'the first poll of a packed worker', test: polled, withinMs: 60_000 });
        seconds.push((Date.now() - began) / 1000);
      } finally {
        await worker.interrupt();
      }
    }
  } finally {
    await close();
    await world.close();
    rmSync(temporary, { recursive: true, force: true });
  }
  const value = median(seconds);
  note({ name: 'start of a packed worker to its first poll, npx included', value, unit: 's', target: 'under 3', met: value < 3 });
}
