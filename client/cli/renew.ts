import type { Command } from 'commander';
import { TandemError } from '../../flows/tandemError.ts';
import { Bar } from '../progress.ts';
import type { Tandem } from '../types.ts';
import { print } from './print.ts';

interface Options {
  readonly flow?: string;
  readonly rate: number;
  readonly before?: Date;
  readonly json?: boolean;
}

/** The command that wakes quiet links, so that old histories and the code that wrote them need be kept no longer. */
export function addRenewCommand(program: Command, withTandem: (work: (tandem: Tandem) => Promise<void>) => Promise<void>): void {
  program
    .command('renew')
    .description('let links begin a new history, also quiet ones, so that old histories and old code die out; touches no system')
    .option('--flow <name>', 'only links of this flow')
    .option('--rate <n>', 'how many links a second', rateOf, 10)
    .option('--before <instant>', 'only links whose history began before; goes on where an earlier run was stopped', instantOf)
    .option('--json', 'print JSON')
    .action(({ flow, rate, before, json }: Options) =>
      withTandem(async (tandem) => {
        const bar = new Bar('renewing', process.stderr);
        const done = await tandem.renew({
          flow,
          perSecond: rate,
          before,
          onProgress: (asked, all) => bar.show(asked, all, true),
        });
        bar.end();
        print(json, done, () =>
          done.left === 0
            ? `${done.asked} links have a new history`
            : `${done.asked} links were asked; ${done.left} of them still have their old history: \`npx tandem status\` tells whether a worker serves them; then \`npx tandem renew --before ${done.before}\` asks these again`,
        );
        if (done.left > 0) process.exitCode = 1;
      }),
    );
}

function rateOf(text: string): number {
  const rate = Number(text);
  if (!(rate > 0 && rate <= 1000)) throw new TandemError(`--rate: "${text}" is not a number above 0, up to 1000`);
  return rate;
}

function instantOf(text: string): Date {
  const at = new Date(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(at.getTime()))
    throw new TandemError(`--before: "${text}" is not an instant like 2026-05-17T12:00:00Z`);
  return at;
}
