import { Command, CommanderError, Option } from 'commander';
import { SystemError } from '../../connectors/systemError.ts';
import { STATUSES, type Status } from '../../workflows/core/state.ts';
import { type Tandem } from '../types.ts';
import { uiOf, workflowPage } from '../views.ts';
import { problemInWords, TandemError } from '../../flows/tandemError.ts';
import { addAcceptanceCommands } from './acceptance.ts';
import { addDoctorCommand } from './doctor.ts';
import { addFlowCommands } from './flows.ts';
import { addHelp } from './help.ts';
import { addProfileCommands } from './profile.ts';
import { addInstallationCommands } from './installation.ts';
import { print } from './print.ts';
import { showLink, showLinks, showStatus } from './show.ts';
import { addReplayCommand } from './replay.ts';
import { addRemoveCommands } from './remove.ts';
import { addRenewCommand } from './renew.ts';
import { addSandboxCommands } from './sandbox.ts';
import { addServerCommands } from './server.ts';
import { addSteeringCommands } from './steering.ts';
import { addWorkerCommand } from './worker.ts';

/** Exit codes: 0 done (or stopped as asked), 1 failed, 2 bad configuration or bad input. */
export const EXIT = { done: 0, failed: 1, refused: 2 } as const;

async function withTandem<T>(work: (tandem: Tandem) => Promise<T>): Promise<T> {
  const { connectTandem } = await import('../connect.ts');
  const tandem = await connectTandem();
  try {
    return await work(tandem);
  } finally {
    await tandem.close();
  }
}

/** Says what went wrong in plain words and gives the exit code. */
export function explain(error: unknown): { text: string | null; code: number } {
  // commander has said it already.
  if (error instanceof CommanderError) return { text: null, code: error.exitCode === 0 ? EXIT.done : EXIT.refused };
  if (error instanceof TandemError)
    return {
      // What quotes a file's line begins with its place, as compilers have it.
      text: error.problems.map((each) => `${each.quote ? '' : 'tandem: '}${problemInWords(each)}`).join('\n'),
      code: error.exitCode,
    };
  if (error instanceof SystemError) return { text: `tandem: ${error.system}: ${error.text}`, code: EXIT.failed };
  return { text: `tandem: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`, code: EXIT.failed };
}

/** The command line, as commander runs it. */
// oxlint-disable-next-line max-lines-per-function -- a table of commands: what each takes, and what it calls
export function makeProgram(): Command {
  const program = new Command('tandem')
    .description('Keeps records in PowerOffice Go and in a CRM in step, in both directions.')
    .showHelpAfterError('(tandem --help tells more)')
    .exitOverride();
  program.addHelpText(
    'after',
    '\nExit codes: 0 done, or stopped as asked; 1 failed; 2 bad configuration or bad input.\nEvery variable is in the README.',
  );
  const json = (): Option => new Option('--json', 'print JSON');

  addWorkerCommand(program);
  addFlowCommands(program);
  addProfileCommands(program);
  addAcceptanceCommands(program);

  program
    .command('status')
    .description('how things stand: pairs by status, when each feed was last looked at, and what is blocked and why')
    .addOption(json())
    .action((options: { json?: boolean }) =>
      withTandem(async (tandem) => {
        const status = await tandem.status();
        print(options.json, status, () => showStatus(status));
      }),
    );

  program
    .command('links')
    .description('list links: flow, source id, target id, status, last change')
    .option('--flow <name>', 'only links of this flow')
    .addOption(new Option('--status <status>', 'only links with this status').choices(STATUSES))
    .addOption(new Option('--limit <n>', 'how many links at most').default(50).argParser(count))
    .addOption(json())
    .action((options: { flow?: string; status?: Status; limit: number; json?: boolean }) =>
      withTandem(async (tandem) => {
        const { items } = await tandem.links(options);
        print(options.json, items, () => showLinks(items));
      }),
    );

  program
    .command('show <flow> <source-id>')
    .description('one link: both sides, the base on which they last agreed, history, and where the Temporal UI shows it')
    .addOption(new Option('--history <n>', 'how many changes to show, newest first').default(20).argParser(count))
    .addOption(json())
    .action((flow: string, sourceId: string, options: { history: number; json?: boolean }) =>
      withTandem(async (tandem) => {
        const details = await tandem.getLink(flow, sourceId, options);
        const ui = workflowPage(uiOf(process.env, tandem.namespace), details.workflowId);
        const definition = tandem.flows.find((each) => each.name === flow);
        print(options.json, { ...details, ui }, () => (definition ? showLink(definition, details, ui) : ui));
      }),
    );

  program
    .command('sync [flow] [source-id]')
    .description('read both sides of a link now and bring them into step; with --all compare everything')
    .option('--all', 'compare all records of all flows, or of the named flow')
    .option('--wait', 'wait until it is done')
    .addOption(json())
    .action(
      (flow: string | undefined, sourceId: string | undefined, options: { all?: boolean; wait?: boolean; json?: boolean }) => {
        if (!(options.all && sourceId === undefined) && (flow === undefined || sourceId === undefined))
          throw new TandemError('name a flow and a source id, or --all');
        return withTandem(async (tandem) => {
          if (flow === undefined || sourceId === undefined) {
            const asked = Date.now();
            const feeds = await tandem.syncAll(flow);
            if (options.wait) await waitForSweep(tandem, feeds, asked);
            return print(
              options.json,
              { feeds, done: options.wait ?? false },
              () => `${options.wait ? 'compared' : 'asked to compare'} ${feeds.join(', ')}`,
            );
          }
          const result = await tandem.sync(flow, sourceId, { wait: options.wait ?? false });
          print(options.json, result, () =>
            result.status === 'asked'
              ? `asked ${flow} ${sourceId} to sync`
              : `${flow} ${sourceId}: ${result.ended ? `ended, ${result.ended}` : result.status}`,
          );
          if (result.status === 'blocked' || result.status === 'conflict') process.exitCode = EXIT.failed;
        });
      },
    );

  addDoctorCommand(program);
  addInstallationCommands(program);
  addSteeringCommands(program, withTandem);
  addRenewCommand(program, withTandem);
  addReplayCommand(program, withTandem);
  addRemoveCommands(program, withTandem);
  addServerCommands(program, withTandem);
  addSandboxCommands(program);
  addHelp(program);
  return program;
}

function count(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new TandemError(`"${text}" is not a number of 1 or more`);
  return number;
}

async function waitForSweep(tandem: Tandem, feeds: readonly string[], since: number): Promise<void> {
  for (;;) {
    const { feeds: now } = await tandem.status();
    const open = now.filter((feed) => feeds.includes(feed.feed) && (feed.sweptAt === null || Date.parse(feed.sweptAt) < since));
    if (open.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
