import type { Command } from 'commander';
import type { SandboxClient } from '../../sandbox/sandboxClient.ts'; // oxlint-disable-line no-restricted-imports -- where the sandbox is there
import { TandemError } from '../../flows/tandemError.ts';

/** The sandbox is reached by a dynamic import alone: the published package leaves it out. */
async function openSandbox(): Promise<SandboxClient> {
  try {
    const { sandboxClient } = await import('../../sandbox/sandboxClient.ts'); // oxlint-disable-line no-restricted-imports -- where the sandbox is there
    const { readStack } = await import('../../stack/file.ts'); // oxlint-disable-line no-restricted-imports -- where the sandbox is there
    const stack = readStack();
    if (!stack) throw new TandemError('no local stack is there; start one with `npm start`');
    const origin = (port: number): string => `http://127.0.0.1:${port}`;
    const crm = stack.crm === undefined ? origin(stack.ports.crm) : { name: stack.crm, env: { ...stack.env, ...process.env } };
    return sandboxClient({ powerOffice: origin(stack.ports.powerOffice), crm });
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_MODULE_NOT_FOUND')
      throw new TandemError('the sandbox is not part of the published package; it is in the repository');
    throw error;
  }
}

/** `tandem sandbox …`: act as a person in one of the two stand-ins that `npm start` brought up. */
export function addSandboxCommands(program: Command): void {
  const sandbox = program.command('sandbox').description('act as a person in the stand-ins that `npm start` brought up');
  const run = (work: (client: SandboxClient) => Promise<unknown>, json: boolean | undefined): Promise<void> =>
    openSandbox()
      .then(work)
      .then((done) => console.log(json ? JSON.stringify(done, null, 2) : typeof done === 'string' ? done : JSON.stringify(done)));
  sandbox
    .command('edit <type> <id> <property=value...>')
    .description('edit a record: Product, ContactPerson, Supplier (PowerOffice) or Contact, Company (CRM); property= clears')
    .option('--json', 'print JSON')
    .action((type: string, id: string, pairs: string[], options: { json?: boolean }) =>
      run((client) => client.edit(type, id, pairs), options.json),
    );
  sandbox
    .command('create <type> <property=value...>')
    .description('create a record in a stand-in')
    .option('--json', 'print JSON')
    .action((type: string, pairs: string[], options: { json?: boolean }) =>
      run((client) => client.create(type, pairs), options.json),
    );
  sandbox
    .command('delete <type> <id>')
    .description('delete a record in a stand-in')
    .option('--json', 'print JSON')
    .action((type: string, id: string, options: { json?: boolean }) => run((client) => client.remove(type, id), options.json));
  sandbox
    .command('list <type>')
    .description('print the records of a type in a stand-in')
    .option('--json', 'print JSON')
    .action((type: string, options: { json?: boolean }) => run((client) => client.list(type), options.json));
  sandbox
    .command('fault <system> <kind>')
    .description(
      'let the next calls fail: status, drop-before, drop-after, truncate, html, slow, empty; system is powerOffice or crm',
    )
    .option('--path <regexp>', 'only calls whose path matches')
    .option('--method <method>', 'only calls with this method')
    .option('--status <code>', 'the status code that the fault "status" answers with', '500')
    .option('--times <n>', 'how many calls fail', '1')
    .option('--json', 'print JSON')
    .action(
      (
        system: string,
        kind: string,
        options: { path?: string; method?: string; status: string; times: string; json?: boolean },
      ) => run((client) => client.fault(system, kind, options), options.json),
    );
}
