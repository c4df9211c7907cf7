import type { Command } from 'commander';
import { print } from './print.ts';

/** Commands about an installation as a whole: its database's age. */
export function addInstallationCommands(program: Command): void {
  program
    .command('migrate')
    .description("bring an older Tandem's database up to date; stop all workers first. Again, it changes nothing")
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { migrate } = await import('../installation.ts');
      const done = await migrate(process.env);
      print(options.json, done, () =>
        done.from === done.to
          ? `the database "${done.database}" is up to date (schema ${done.to})`
          : `the database "${done.database}" is at schema ${done.to} now (it was at ${done.from ?? 'none'}); ${done.links} links changed`,
      );
    });
}
