import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
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

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Where a clone keeps what it bundled; `npm ci` empties it. */
const CACHE = join(ROOT, 'node_modules/.cache/tandem');
/** What goes into the bundle: the workflows, the one room that they may import from, and what is installed. */
const BUNDLED = ['workflows', 'flows'];
const INSTALLED = 'node_modules/.package-lock.json';

/**
 * Gives `use` the file of the bundled workflows: the one of the package where it fits the installed version of Temporal's
 * worker, in a clone the one made of these very sources before, else one made now.
 */
export async function withBundle<T>(use: (codePath: string) => Promise<T>): Promise<T> {
  if (fromSources) return use(await cachedBundle());
  if (existsSync(PACKED_BUNDLE)) return use(PACKED_BUNDLE);
  const folder = await mkdtemp(join(tmpdir(), 'tandem-workflows-'));
  try {
    const codePath = join(folder, 'workflows.js');
    await bundleTo(codePath);
    return await use(codePath);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function cachedBundle(): Promise<string> {
  await mkdir(CACHE, { recursive: true });
  for (;;) {
    const hash = await hashOfSources(ROOT);
    const codePath = join(CACHE, `workflows-${hash}.js`);
    if (existsSync(codePath)) return codePath;
    // Two workers may start at once: each renames a whole file into place, unless a source was edited meanwhile.
    const mine = `${codePath}.${process.pid}`;
    await bundleTo(mine);
    if (hash === (await hashOfSources(ROOT))) await rename(mine, codePath);
    else await rm(mine);
  }
}

/** Changes with every byte that a bundle of the sources below `root` could depend on. */
export async function hashOfSources(root: string): Promise<string> {
  const hash = createHash('sha256').update(version);
  for (const room of BUNDLED)
    for (const name of (await readdir(join(root, room), { recursive: true })).toSorted())
      if (name.endsWith('.ts')) await add(`${room}/${name}`);
  if (existsSync(join(root, INSTALLED))) await add(INSTALLED);
  return hash.digest('hex').slice(0, 16);

  async function add(file: string): Promise<void> {
    const text = await readFile(join(root, file));
    hash.update(`\0${file}\0${text.length}\0`).update(text);
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
