import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const inRepository = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
let program: string | null = null;

/** How long another process may compile (ms), and how often to see whether it has. */
const PATIENCE_MS = 240_000;
const LOOK_MS = 100;

/**
 * The command line as a published package has it, workflows bundled: it starts in half the time that the sources take.
 * Compiled at the first call in a run, so that a run without it does not wait. test/door/ types the sources, too.
 */
export function compiledProgram(): string {
  return (program ??= compiledOnce());
}

/** Compiles for all of mocha's processes, whichever asks first: the others wait for it. */
function compiledOnce(): string {
  const folder = join(process.env['TANDEM_TEST_FOLDER'] ?? mkdtempSync(join(tmpdir(), 'program-')), 'program');
  const told = `${folder}.told`;
  if (mkdirSync(folder, { recursive: true }) !== undefined) {
    let outcome = '';
    try {
      compileTo(folder);
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: Buffer; stderr?: Buffer };
      outcome = [String(error), stdout, stderr].join('\n');
    }
    writeFileSync(`${told}.new`, outcome);
    renameSync(`${told}.new`, told);
  }
  for (const until = Date.now() + PATIENCE_MS; !existsSync(told) && Date.now() < until;)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS);
  const failed = readFileSync(told, 'utf8');
  if (failed !== '') throw new Error(`the command line cannot be compiled: ${failed}`);
  return join(folder, 'client/cli/main.js');
}

function compileTo(folder: string): void {
  // Whether types fit is `npm run typecheck`'s to say.
  const options = ['-p', inRepository('tsconfig.build.json'), '--outDir', folder, '--declaration', 'false', '--noCheck'];
  execFileSync(process.execPath, [inRepository('node_modules/typescript/bin/tsc'), ...options], { stdio: 'pipe' });
  copyFileSync(inRepository('package.json'), join(folder, 'package.json'));
  symlinkSync(inRepository('node_modules'), join(folder, 'node_modules'));
  execFileSync(process.execPath, [join(folder, 'worker/bundler.js')], { stdio: 'pipe' });
}
