import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HOME } from './file.ts';

const run = promisify(execFile);
const NODE = join(HOME, 'node');
/** The largest takes minutes on a slow line. */
const PATIENCE_MS = 900_000;

/** Packages of npm in a folder of their own below .tandem, fetched where they are not there yet. Throws where they cannot be. */
export async function nodePackages(name: string, packages: readonly string[]): Promise<string> {
  const folder = join(NODE, name);
  if (existsSync(folder)) return folder;
  mkdirSync(NODE, { recursive: true });
  // Elsewhere first, so that what is half there is never taken for whole.
  const fresh = mkdtempSync(join(NODE, `${name}-`));
  try {
    writeFileSync(join(fresh, 'package.json'), '{"private": true}\n');
    await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel', 'error', ...packages], {
      cwd: fresh,
      timeout: PATIENCE_MS,
      maxBuffer: 1 << 24,
    }).catch((error: unknown) => {
      if ((error as { killed?: boolean }).killed !== true) throw error;
      throw new Error(`npm did not end within ${PATIENCE_MS / 60_000} minutes`, { cause: error });
    });
    if (!existsSync(folder)) renameSync(fresh, folder);
    return folder;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}
