import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** In the repository the sources run as they are; a published package has them compiled. */
const fromSources = import.meta.url.endsWith('.ts');

/** The version of Temporal's worker; a bundle fits no other. */
const { version } = createRequire(import.meta.url)('@temporalio/worker/package.json') as { version: string };

/** Where a published package keeps its workflows, bundled when it was packed. */
export const PACKED_BUNDLE = fileURLToPath(new URL(`./workflows-${version}.js`, import.meta.url));

/**
 * Gives `use` the file of the bundled workflows: the one of the package where it fits the installed version of Temporal's
 * worker, else one made for now.
 */
export async function withBundle<T>(use: (codePath: string) => Promise<T>): Promise<T> {
  if (!fromSources && existsSync(PACKED_BUNDLE)) return use(PACKED_BUNDLE);
  const folder = await mkdtemp(join(tmpdir(), 'tandem-workflows-'));
  try {
    const codePath = join(folder, 'workflows.js');
    await bundleTo(codePath);
    return await use(codePath);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Bundles in a process of its own: the bundler needs 120 MB that a worker would keep for years. */
function bundleTo(codePath: string): Promise<void> {
  const child = fork(fileURLToPath(new URL(`./bundler.${fromSources ? 'ts' : 'js'}`, import.meta.url)), [codePath], {
    silent: true,
    // `bin/tandem.mjs` registers the loader of sources in its own process alone.
    execArgv: fromSources ? ['--import', import.meta.resolve('tsx/esm')] : [],
  });
  let complaint = '';
  child.stderr?.on('data', (data: Buffer) => (complaint += data.toString()));
  child.stdout?.resume();
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0
        ? resolve()
        : reject(
            new Error(
              `the workflows cannot be bundled: ${complaint.split('\n').find((line) => line.includes('Error')) ?? complaint.trim()}`,
            ),
          ),
    );
  });
}
