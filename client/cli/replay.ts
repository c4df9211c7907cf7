import type { Command } from 'commander';
import { TandemError } from '../../flows/tandemError.ts';
import type { Tandem } from '../types.ts';
import { print } from './print.ts';

/** The command that tells before an upgrade whether running links would go on under this build. */
export function addReplayCommand(program: Command, withTandem: (work: (tandem: Tandem) => Promise<void>) => Promise<void>): void {
  program
    .command('replay')
    .description(
      'before an upgrade: replay histories of running links and feeds in this version; names those that would stand still',
    )
    .option('--each <n>', 'how many links of every status, oldest and newest each', eachOf, 5)
    .option('--json', 'print JSON')
    .action(({ each, json }: { each: number; json?: boolean }) =>
      withTandem(async (tandem) => {
        const { DefaultLogger, Runtime } = await import('@temporalio/worker');
        // What breaks is told here, in one line each.
        Runtime.install({
          logger: new DefaultLogger('ERROR', () => {}),
          telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
        });
        const done = await tandem.replay({ each });
        const count = Object.values(done.replayed).reduce((a, b) => a + b, 0);
        const by = Object.entries(done.replayed)
          .filter(([, n]) => n > 0)
          .map(([what, n]) => `${what} ${n}`)
          .join(', ');
        print(json, done, () =>
          done.broken.length === 0
            ? `${count} histories replay in this version (${by || 'nothing runs'})`
            : [
                `${done.broken.length} of ${count} histories would stand still under this version (${by}):`,
                ...done.broken.map(({ workflowId, why }) => `  ${workflowId}: ${why}`),
                'Do not start its workers; the version that runs now goes on.',
              ].join('\n'),
        );
        if (done.broken.length > 0) process.exitCode = 1;
      }),
    );
}

function eachOf(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 1000)
    throw new TandemError(`--each: "${text}" is not a number from 1 to 1000`);
  return number;
}
