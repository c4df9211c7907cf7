import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The bundler takes .ts as it is; a published package has .js. */
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/**
 * Bundles the workflows in a process of its own: the bundler needs 120 MB that a worker would keep for years.
 * `use` gets the bundle's file, which is removed afterwards.
 */
export async function withBundle<T>(use: (codePath: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-workflows-'));
  try {
    const codePath = join(folder, 'workflows.js');
    await bundleTo(codePath);
    return await use(codePath);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function bundleTo(codePath: string): Promise<void> {
  const child = fork(fileURLToPath(new URL(`./bundler.${extension}`, import.meta.url)), [codePath], { silent: true });
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
