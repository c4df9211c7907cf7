import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { hasEnded } from '../../stack/process.ts';
import { eventually } from '../support/world.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a typed command said on either stream, and how it ended. */
export interface Typed {
  readonly stdout: string[];
  readonly stderr: string[];
  /** Exit code, or null where a signal ended it; settled once all that it started has ended, too. */
  readonly ended: Promise<number | null>;
  /** Sends a signal to the shell alone, or to what it was told to `exec`. */
  kill(signal: NodeJS.Signals): void;
  /** Sends a signal as a terminal does: to the command and to all that it started. */
  interrupt(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Types a command in a folder, as a person does, with no other environment than `env`, PATH and HOME. */
export function type(command: string, folder: string, env: Readonly<Record<string, string>> = {}): Typed {
  const { PATH, HOME } = process.env;
  // As a shell that a person sits at: an interrupt ends the command, whose exit code is then told.
  const child = spawn('sh', ['-c', `trap : INT TERM; ${command}`], {
    cwd: folder,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const read = (stream: NodeJS.ReadableStream): string[] => {
    const lines: string[] = [];
    let rest = '';
    stream.on('data', (data: Buffer) => {
      const parts = (rest + data.toString()).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
    });
    stream.on('end', () => rest !== '' && lines.push(rest));
    return lines;
  };
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return {
    stdout: read(child.stdout),
    stderr: read(child.stderr),
    ended,
    kill: (signal) => void child.kill(signal),
    interrupt: (signal = 'SIGINT') => {
      if (!hasEnded(child) && child.pid !== undefined) process.kill(-child.pid, signal);
      return ended;
    },
  };
}

/** Types a command that ends by itself; fails with what it said unless it ends with `code`. */
export async function typed(
  command: string,
  folder: string,
  { env = {}, code = 0 }: { env?: Readonly<Record<string, string>>; code?: number } = {},
): Promise<{ stdout: string; stderr: string }> {
  const run = type(command, folder, env);
  const timer = setTimeout(() => void run.interrupt('SIGKILL'), 120_000);
  const ended = await run.ended;
  clearTimeout(timer);
  const said = { stdout: run.stdout.join('\n'), stderr: run.stderr.join('\n') };
  if (ended !== code) throw new Error(`\`${command}\` ended with ${ended}, not ${code}: ${said.stderr}\n${said.stdout}`);
  return said;
}

/** A folder in which commands are typed, and what installing there said. */
export interface Place {
  readonly folder: string;
  readonly installed: { readonly stdout: string; readonly stderr: string };
}

/** Makes a place once a run, whichever of mocha's processes asks first: the others wait for it. */
async function onceARun(name: string, make: (folder: string) => Promise<Place['installed']>): Promise<Place> {
  const folder = join(process.env['TANDEM_TEST_FOLDER'] ?? tmpdir(), name);
  const told = `${folder}.json`;
  if (mkdirSync(folder, { recursive: true }) !== undefined) {
    const outcome = await make(folder).catch((error: unknown) => ({ failed: String(error) }));
    writeFileSync(`${told}.new`, JSON.stringify(outcome));
    renameSync(`${told}.new`, told);
  }
  await eventually(
    { what: name, withinMs: 240_000 },
    () => existsSync(told),
    (made) => made,
  );
  const outcome = JSON.parse(readFileSync(told, 'utf8')) as Place['installed'] | { readonly failed: string };
  if ('failed' in outcome) throw new Error(outcome.failed);
  return { folder, installed: outcome };
}

/** What a clone of the work tree would hold if it were committed as it stands. */
export async function copyTree(folder: string): Promise<void> {
  const listed = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await promisify(execFile)('git', listed, { cwd: root, maxBuffer: 2 ** 24 });
  for (const path of stdout.split('\0').filter((each) => each !== '' && existsSync(join(root, each)))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(root, path), join(folder, path), { force: true, errorOnExist: false });
  }
}

/** Such a clone, with `npm ci` run there. Made once a run. */
export function clone(): Promise<Place> {
  return onceARun('clone', async (folder) => {
    await copyTree(folder);
    return typed('npm ci', folder);
  });
}

const TARBALL = 'tandem-0.1.0.tgz';
/** How the README says to install the package that `npm pack` made. */
export const INSTALL_PACKAGE = `npm install --ignore-scripts ./${TARBALL}`;

/** An empty folder into which the package was installed that `npm pack` makes of the clone. Made once a run. */
export function packed(): Promise<Place> {
  return onceARun('packed', async (folder) => {
    const from = await clone();
    await typed('npm pack', from.folder);
    cpSync(join(from.folder, TARBALL), join(folder, TARBALL));
    return typed(INSTALL_PACKAGE, folder);
  });
}
