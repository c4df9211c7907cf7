import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { note } from './report.ts';
import { started, until } from './stack.ts';

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
