import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { Store } from '../store/store.ts';
import { SEARCH_ATTRIBUTES } from '../flows/names.ts';
import { hasEnded, startChild, stopChild } from './process.ts';
import { findMongo, findTemporal } from './tools.ts';

/** A server that this process started, and its address. */
export interface Server {
  readonly address: string;
  readonly child: ChildProcess;
  stop(): Promise<void>;
}

/** Waits until a server that was started answers. Throws, with the end of its log, where it does not. */
export async function until({
  what,
  child,
  log,
  ready,
  patienceMs = 60_000,
}: {
  readonly what: string;
  readonly child: ChildProcess;
  readonly log: string;
  readonly ready: () => Promise<unknown>;
  readonly patienceMs?: number | undefined;
}): Promise<void> {
  const began = Date.now();
  for (;;) {
    try {
      await ready();
      return;
    } catch (error) {
      const ended = hasEnded(child);
      if (!ended && Date.now() - began < patienceMs) {
        await sleep(100);
        continue;
      }
      const tail = readFileSync(log, 'utf8').trim().split('\n').slice(-3).join(' / ').slice(0, 400);
      await stopChild(child);
      throw new Error(
        `${what} ${ended ? `ended at once (code ${child.exitCode})` : `did not answer within ${patienceMs / 1000} s (${(error as Error).message})`}; its log ${log} says: ${tail}`,
        { cause: error },
      );
    }
  }
}

/** Starts a Temporal dev server with Web UI; `file` keeps its data, null forgets it. */
export async function startTemporal(options: {
  port: number;
  uiPort: number;
  file: string | null;
  log: string;
  more?: readonly string[];
  say?: (text: string) => void;
}): Promise<Server> {
  const tool = await findTemporal(options.say ?? (() => {}));
  const attributes = Object.values(SEARCH_ATTRIBUTES).flatMap((name) => ['--search-attribute', `${name}=Keyword`]);
  const args = [
    'server',
    'start-dev',
    '--ip',
    '127.0.0.1',
    '--port',
    String(options.port),
    '--ui-port',
    String(options.uiPort),
    '--log-level',
    'error',
    ...attributes,
  ];
  const child = startChild({
    command: tool.command,
    args: [...args, ...(options.file === null ? [] : ['--db-filename', options.file]), ...(options.more ?? [])],
    env: tool.env,
    log: options.log,
  });
  const address = `127.0.0.1:${options.port}`;
  await until({
    what: 'the Temporal server',
    child,
    log: options.log,
    ready: async () => {
      const connection = await Connection.connect({ address, connectTimeout: '1s' });
      try {
        await connection.workflowService.describeNamespace({ namespace: 'default' });
      } finally {
        await connection.close();
      }
    },
  });
  return { address, child, stop: () => stopChild(child) };
}

/** Starts a MongoDB-protocol server that keeps its data in `folder`. */
export async function startMongo(options: {
  port: number;
  folder: string;
  log: string;
  say?: (text: string) => void;
  /** A member of a replica set that takes test commands: fail points, and, where the server has it, a step-down. */
  failing?: boolean;
  /** Nobody kills it in the midst of its work, and nobody looks afterwards. */
  passing?: boolean;
}): Promise<Server> {
  const tool = await findMongo(options.say ?? (() => {}));
  mkdirSync(options.folder, { recursive: true });
  const args =
    tool.kind === 'mongod'
      ? [
          '--port',
          String(options.port),
          '--bind_ip',
          '127.0.0.1',
          '--dbpath',
          options.folder,
          ...(options.failing ? ['--setParameter', 'enableTestCommands=1'] : []),
        ]
      : // Without --sync-on-commit a kill loses acknowledged writes.
        [
          options.failing ? '--enable-test-commands' : '--standalone',
          '--port',
          String(options.port),
          '--storage-path',
          options.folder,
          ...(options.passing ? [] : ['--sync-on-commit']),
          '--log-level',
          'WARNING',
        ];
  const child = startChild({ command: tool.command, args, env: tool.env, log: options.log });
  const address = `mongodb://127.0.0.1:${options.port}`;
  await until({
    what: 'the MongoDB server',
    child,
    log: options.log,
    ready: async () => (await Store.connect(`${address}/ready`, { timeoutMs: 1000 })).close(),
  });
  return { address, child, stop: () => stopChild(child) };
}

/** The folder for logs of a stack. */
export function logIn(folder: string, name: string): string {
  mkdirSync(join(folder, 'logs'), { recursive: true });
  return join(folder, 'logs', `${name}.log`);
}
