import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

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
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) process.kill(-child.pid, signal);
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

const holder = { folder: '', clone: undefined as Promise<Place> | undefined, packed: undefined as Promise<Place> | undefined };

function place(name: string): string {
  if (holder.folder === '') {
    holder.folder = mkdtempSync(join(tmpdir(), 'tandem-door-'));
    process.once('exit', () => rmSync(holder.folder, { recursive: true, force: true }));
  }
  const folder = join(holder.folder, name);
  mkdirSync(folder);
  return folder;
}

/** What a clone of the work tree would hold if it were committed as it stands, with `npm ci` run there. Made once a run. */
export function clone(): Promise<Place> {
  return (holder.clone ??= (async () => {
    const folder = place('clone');
    const listed = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
    const { stdout } = await promisify(execFile)('git', listed, { cwd: root, maxBuffer: 2 ** 24 });
    for (const path of stdout.split('\0').filter((each) => each !== '')) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      cpSync(join(root, path), join(folder, path), { force: true, errorOnExist: false });
    }
    return { folder, installed: await typed('npm ci', folder) };
  })());
}

/** An empty folder into which the package was installed that `npm pack` makes of the clone. Made once a run. */
export function packed(): Promise<Place> {
  return (holder.packed ??= (async () => {
    const from = await clone();
    const folder = place('packed');
    const { stdout } = await typed(`npm pack --pack-destination ${folder} --silent`, from.folder);
    const tarball = stdout.trim().split('\n').at(-1) ?? '';
    return { folder, installed: await typed(`npm install --ignore-scripts ./${tarball}`, folder) };
  })());
}
