import { spawn, type ChildProcess } from 'node:child_process';
import { compiledProgram } from './program.ts';

/** A process of the command line: what it said, and how it ended. */
export interface Run {
  readonly child: ChildProcess;
  readonly lines: string[];
  /** Exit code, or null where a signal ended it. */
  readonly ended: Promise<number | null>;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/**
 * Runs `tandem …` in a child process, with no other environment than `env`, PATH and HOME; `program`: what Node is given
 * to run, the compiled command line unless told otherwise.
 */
export function runTandem(
  args: readonly string[],
  env: Record<string, string>,
  program: readonly string[] = [compiledProgram()],
): Run {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [...program, ...args], {
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let rest = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      const parts = (rest + data.toString()).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
    });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return {
    child,
    lines,
    ended,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
}
