import { explain, makeProgram } from '../../client/cli/program.ts';

/** What a command needs of the environment besides its own variables, and what tests do. */
const KEPT = /^(PATH|HOME|TANDEM_TEST_\w+)$/;

/**
 * A command as somebody types it where nobody sits at a terminal, in this process: a child needs a second of computing to
 * start. One at a time; `out`: what it printed on stdout, `text`: on either. test/door/ types commands as children, as those do that run on (`worker`, `serve`).
 */
export async function typedHere(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ code: number; out: string; text: string }> {
  const { stdout, stderr, stdin, exitCode } = process;
  const [said, out]: [string[], string[]] = [[], []];
  const were = { ...process.env };
  const terminals = [stdout, stderr, stdin].map((stream) => [stream, stream.isTTY] as const);
  const writes = [stdout, stderr].map((stream) => [stream, Object.getOwnPropertyDescriptor(stream, 'write')] as const);
  for (const name of Object.keys(were)) if (!KEPT.test(name)) delete process.env[name];
  Object.assign(process.env, env);
  for (const [stream] of terminals) stream.isTTY = false as true;
  stderr.write = (text: string | Uint8Array) => said.push(String(text)) > 0;
  stdout.write = (text: string | Uint8Array) => said.push(String(text)) + out.push(String(text)) > 0;
  process.exitCode = 0;
  try {
    await makeProgram().parseAsync(args, { from: 'user' });
  } catch (error) {
    const { code, text } = explain(error);
    if (text !== null) said.push(`${text}\n`);
    process.exitCode ||= code;
  } finally {
    for (const [stream, own] of writes)
      if (own) Object.defineProperty(stream, 'write', own);
      else Reflect.deleteProperty(stream, 'write');
    for (const [stream, isTTY] of terminals) stream.isTTY = isTTY;
    for (const name of Object.keys(process.env)) if (!(name in were)) delete process.env[name];
    Object.assign(process.env, were);
  }
  const code = Number(process.exitCode);
  process.exitCode = exitCode;
  const [text = '', printed = ''] = [said, out].map((each) => each.join('').replace(/\n$/, ''));
  return { code, out: printed, text };
}
