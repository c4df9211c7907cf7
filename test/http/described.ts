import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOME } from '../../stack/file.ts';
import { installPackage, type Interpreter } from '../../stack/tools.ts';

const PACKAGE = 'schemathesis==4.32.5';

/** The program that holds an interface against its description; installed once, into .tandem. */
export async function schemathesis(): Promise<Interpreter> {
  const there = join(HOME, 'python/schemathesis/venv/bin/python');
  return existsSync(there) ? { command: there, env: process.env } : installPackage(PACKAGE, 'schemathesis');
}

export interface Holding {
  readonly program: Interpreter;
  readonly base: string;
  readonly token: string;
  /** So many requests of each kind to each operation. */
  readonly examples: number;
  /** For so long at most (s). */
  readonly seconds: number;
  readonly seed: number;
}

/** Sends whatever the description allows, and what it does not; gives what the program says, with its exit code. */
export async function holdAgainstDescription({
  program,
  base,
  token,
  examples,
  seconds,
  seed,
}: Holding): Promise<{ code: number; said: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-schemathesis-'));
  // What depends on what was asked before: a key that was used already, a number that the stream does not have yet.
  const byState = '[checks.positive_data_acceptance]\nexpected-statuses = ["2xx", "401", "403", "404", "409", "410", "422"]\n';
  writeFileSync(join(folder, 'schemathesis.toml'), byState);
  const args = [
    `-m schemathesis.cli run ${base}/v1/openapi.json --url ${base} --seed ${seed} --generation-database none`,
    `--max-examples ${examples} --max-time ${seconds} --request-timeout 15 --checks all --no-color --continue-on-failure`,
  ].flatMap((part) => part.split(' '));
  args.push('--header', `Authorization: Bearer ${token}`);
  try {
    return await new Promise((resolve) =>
      execFile(program.command, args, { cwd: folder, env: program.env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
        const code = error ? Number((error as { code?: unknown }).code ?? 1) : 0;
        resolve({ code, said: `${stdout}\n${stderr}` });
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
