import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freeLoopbackPort, isPortFree } from '../worker/loopbackPort.ts';
import type { Child } from './file.ts';

/** When a process began, as the system tells it; null where there is no such process. */
export function beganAt(pid: number): string | null {
  try {
    if (existsSync('/proc/self/stat')) return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] ?? null;
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}

/** Stops a child of an earlier start, unless its number belongs to another process by now. */
export async function stopOrphan(child: Child): Promise<boolean> {
  if (beganAt(child.pid) !== child.began) return false;
  process.kill(child.pid, 'SIGTERM');
  for (let waited = 0; waited < 8000; waited += 100) {
    if (beganAt(child.pid) !== child.began) return true;
    await sleep(100);
  }
  process.kill(child.pid, 'SIGKILL');
  return true;
}

/** Whether a process is over, by itself or by a signal. */
export const hasEnded = ({ exitCode, signalCode }: Pick<ChildProcess, 'exitCode' | 'signalCode'>): boolean =>
  exitCode !== null || signalCode !== null;

/** Ends a process that we started: politely, then for good. */
export async function stopChild(child: ChildProcess, patienceMs = 10_000): Promise<void> {
  if (hasEnded(child)) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await ended;
  clearTimeout(timer);
}

/** Starts a program in the background; its output goes to `log`. */
export function startChild({
  command,
  args,
  env,
  log,
  cwd,
}: {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly log: string;
  readonly cwd?: string;
}): ChildProcess {
  const child = spawn(command, args, {
    env,
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const out = createWriteStream(log, { flags: 'a' });
  child.stdout.pipe(out, { end: false });
  child.stderr.pipe(out, { end: false });
  child.once('error', (error) => out.write(`${error.message}\n`));
  return child;
}

/** The preferred port where it is free, else any. */
export async function freePort(preferred = 0): Promise<number> {
  if (preferred > 0 && (await isPortFree(preferred))) return preferred;
  return freeLoopbackPort();
}
