import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const inRepository = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
let program: string | null = null;

/**
 * The command line as a published package has it, workflows bundled: it starts in half the time that the sources take.
 * Compiled at the first call in a process, so that a run without it does not wait. test/door/ types the sources, too.
 */
export function compiledProgram(): string {
  return (program ??= compile());
}

function compile(): string {
  const folder = mkdtempSync(join(process.env['TANDEM_TEST_FOLDER'] ?? tmpdir(), 'program-'));
  const options = ['-p', inRepository('tsconfig.build.json'), '--outDir', folder, '--declaration', 'false'];
  execFileSync(process.execPath, [inRepository('node_modules/typescript/bin/tsc'), ...options], { stdio: 'pipe' });
  copyFileSync(inRepository('package.json'), join(folder, 'package.json'));
  symlinkSync(inRepository('node_modules'), join(folder, 'node_modules'));
  execFileSync(process.execPath, [join(folder, 'worker/bundler.js')], { stdio: 'pipe' });
  return join(folder, 'client/cli/main.js');
}
