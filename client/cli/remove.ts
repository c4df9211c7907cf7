import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { TandemError } from '../../flows/tandemError.ts';
import { Bar } from '../progress.ts';
import type { RemoveOptions } from '../remove.ts';
import type { Tandem } from '../types.ts';
import { print } from './print.ts';

interface Options {
  readonly keepData?: true;
  readonly deleteData?: true;
  readonly json?: boolean;
}

/** What becomes of the store's data: by flag, else by asking who sits at the terminal. Throws TandemError. */
async function whatBecomes({ keepData, deleteData }: Options, of: string): Promise<RemoveOptions['data']> {
  if (keepData && deleteData) throw new TandemError('--keep-data and --delete-data exclude each other; give one of them');
  if (keepData) return 'keep';
  if (deleteData) return 'delete';
  if (process.stdin.isTTY !== true)
    throw new TandemError({
      what: 'nobody sits at a terminal who could say what becomes of the data',
      next: 'give --keep-data or --delete-data',
    });
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking.question(
      `Links and history of ${of} in the store: keep them, so that it can go on one day, or delete them? [keep/delete] `,
    );
    const said = answer.trim().toLowerCase();
    if (said === 'keep' || said === 'delete') return said;
    throw new TandemError(`"${answer}" is neither keep nor delete; nothing was done`);
  } finally {
    asking.close();
  }
}

const became = { kept: 'kept in the store', deleted: 'deleted from the store' } as const;

/** The commands that take a flow, or the whole installation, away. */
export function addRemoveCommands(
  program: Command,
  withTandem: (work: (tandem: Tandem) => Promise<void>) => Promise<void>,
): void {
  const remove = program
    .command('remove')
    .description('take a flow or the installation away: closes workflows, stops feeds; touches no system');
  const addFlags = (command: Command): Command =>
    command
      .option('--keep-data', 'keep what the store has: it goes on from there where it is configured again')
      .option('--delete-data', 'delete what the store has')
      .option('--json', 'print JSON');
  const progress = (): { onProgress: NonNullable<RemoveOptions['onProgress']>; end: () => void } => {
    const bar = new Bar('closing', process.stderr);
    return { onProgress: (done, all) => bar.show(done, all, true), end: () => bar.end() };
  };

  addFlags(
    remove
      .command('flow <flow>')
      .description('take away a flow that is no longer configured; `tandem status` shows it as left over until then'),
  ).action((name: string, options: Options) =>
    withTandem(async (tandem) => {
      const data = await whatBecomes(options, `the flow ${name}`);
      const { onProgress, end } = progress();
      const done = await tandem.removeFlow(name, { data, onProgress });
      end();
      print(
        options.json,
        done,
        () => `removed ${name}: ${done.closed} workflows closed, ${done.links} links ${became[done.data]}; no record was touched`,
      );
    }),
  );

  addFlags(remove.command('installation').description('take the whole installation away; stop all of its workers first')).action(
    (options: Options) =>
      withTandem(async (tandem) => {
        const data = await whatBecomes(options, `the installation ${tandem.installation}`);
        const { onProgress, end } = progress();
        const done = await tandem.removeInstallation({ data, onProgress });
        end();
        print(
          options.json,
          done,
          () =>
            `removed the installation ${done.installation}: ${done.closed} workflows closed, ${done.links} links ${became[done.data]}; no record was touched`,
        );
      }),
  );
}
