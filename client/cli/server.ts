import { Option, type Command } from 'commander';
import { TandemError } from '../../flows/tandemError.ts';
import { RIGHTS, newToken, type Right } from '../http/tokens.ts';
import type { ChangeEvent } from '../model.ts';
import type { Tandem } from '../types.ts';
import { print } from './print.ts';
import { askedToStop } from './worker.ts';

type With = <T>(work: (tandem: Tandem) => Promise<T>) => Promise<T>;

/** `serve`, `token new`, `tail`: how services reach Tandem and follow it. */
// oxlint-disable-next-line max-lines-per-function -- a table of commands: what each takes, and what it calls
export function addServerCommands(program: Command, withTandem: With): void {
  program
    .command('serve')
    .description('serve the HTTP interface: /v1, webhooks, health, metrics; /v1/docs describes it')
    .option('--port <n>', 'where to listen; default TANDEM_HTTP_PORT, or 8088')
    .addOption(new Option('--only <part>', 'nothing but webhooks and health, to stand open to the world').choices(['hooks']))
    .option('--pretty', 'logs for people instead of one JSON line an event')
    .option('--json', 'logs as JSON lines (as without --pretty)')
    .action(async (options: { port?: string; only?: 'hooks'; pretty?: boolean }) => {
      const port = options.port === undefined ? undefined : Number(options.port);
      if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535))
        throw new TandemError(`--port ${options.port} is not a port; name one from 1 to 65535`);
      const { makeLog } = await import('../../worker/log.ts');
      const { openTandem } = await import('../connect.ts');
      const { aborted, serveTandem } = await import('../http/serveTandem.ts');
      const stop = askedToStop();
      const open = await openTandem();
      try {
        const running = await serveTandem(open, {
          env: process.env,
          log: makeLog(options.pretty ?? false),
          onlyHooks: options.only === 'hooks',
          ...(port === undefined ? {} : { port }),
        }).catch((error: unknown) => {
          if ((error as { code?: string }).code === 'EADDRINUSE')
            throw new TandemError(
              `port ${port ?? process.env['TANDEM_HTTP_PORT'] ?? 8088} is in use; name another one with --port`,
            );
          throw error;
        });
        await aborted(stop);
        await running.close();
      } finally {
        await open.tandem.close();
      }
    });

  program
    .command('token')
    .description('tokens of the HTTP interface')
    .command('new <name>')
    .description('make a token: it is shown once, its entry goes into TANDEM_API_TOKENS')
    .addOption(new Option('--right <right>', 'what it lets its bearer do').choices(RIGHTS).default('read'))
    .option('--json', 'print JSON')
    .action((name: string, options: { right: Right; json?: boolean }) => {
      if (!/^[\w.-]{1,60}$/.test(name))
        throw new TandemError(`"${name}" is not a name: letters, digits, dots and dashes, 60 at most`);
      const made = newToken(name, options.right);
      print(options.json, { name, right: options.right, ...made }, () =>
        [
          `token, shown this once:  ${made.token}`,
          `its entry in TANDEM_API_TOKENS:  ${made.entry}`,
          'Several entries stand behind one another, by commas. Start the server again for it to count.',
        ].join('\n'),
      );
    });

  program
    .command('tail')
    .description('follow what happens to all links, live')
    .option('--after <seq>', 'from after this event on; from now on where left out')
    .option('--json', 'print one JSON line an event')
    .action((options: { after?: string; json?: boolean }) => {
      const after = options.after === undefined ? undefined : Number(options.after);
      if (after !== undefined && !(Number.isSafeInteger(after) && after >= 0))
        throw new TandemError(`--after ${options.after} is not the number of an event`);
      return withTandem(async (tandem) => {
        for await (const event of tandem.changes({ signal: askedToStop(), ...(after === undefined ? {} : { after }) }))
          console.log(options.json ? JSON.stringify(event) : inWords(event));
      });
    });
}

/** An event as a line, without values. */
function inWords({ seq, at, kind, flow, sourceId, targetId, side, property, why, status, ended, code }: ChangeEvent): string {
  const head = `${seq}  ${at.slice(0, 19).replace('T', ' ')}  ${flow} ${sourceId} <-> ${targetId ?? '(none yet)'}`;
  if (kind === 'changed') return `${head}: ${property} written to the ${side} (${why})`;
  return `${head}: ${ended === null ? status : `${status}, ${ended}`}${code === null ? '' : ` (${code})`}`;
}
