import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HOME } from '../../stack/file.ts';

const run = promisify(execFile);

/** Where strangers' tools are kept. */
export const FOLDER = join(HOME, 'strangers');
export const bin = (name: string): string => join(FOLDER, 'node_modules/.bin', name);

/** The generator wants a TypeScript of its own, so both live in a folder of their own. */
export async function fetchGenerator(): Promise<void> {
  if (existsSync(bin('openapi-typescript')) && existsSync(bin('tsc'))) return;
  mkdirSync(FOLDER, { recursive: true });
  const install = ['install', '--prefix', FOLDER, '--no-audit', '--no-fund', 'openapi-typescript@7.9.1', 'typescript@5.9.3'];
  await run('npm', install, { timeout: 180_000 });
}
