import { writeFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { TandemError } from '../../flows/tandemError.ts';
import type { Planned } from '../../audit/plan/plan.ts';
import { print } from './print.ts';
import { Bar } from '../progress.ts';
import { table } from './table.ts';

/** Could not be checked, or bad input: nothing is said about the systems. */
const NOT_CHECKED = 2;
const BROKEN = 1;

const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** `verify`: the acceptance test. `plan`: what a start would do. */
// oxlint-disable-next-line max-lines-per-function -- a table of commands: what each takes, and what it calls
export function addAcceptanceCommands(program: Command): void {
  program
    .command('verify')
    .description('check both systems against the flows, statement by statement; writes nothing without --active')
    .option('--flow <name>', 'check this flow alone; may be given again', collect)
    .option('--junit <file>', 'write a JUnit report')
    .option('--html <file>', 'write one self-contained page')
    .option(
      '--active <flow:source-id>',
      'edit one property on each side of this pair, wait, check, put it back; may be given again',
      collect,
    )
    .addOption(new Option('--timeout <seconds>', 'how long an active edit may take').default(60).argParser(Number))
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit codes: 0 all held; 1 something broken; 2 could not check.')
    .action(
      async (options: {
        flow?: readonly string[];
        junit?: string;
        html?: string;
        active?: readonly string[];
        timeout: number;
        json?: boolean;
      }) => {
        const { open } = await import('../../audit/open.ts');
        const { verify } = await import('../../audit/verify/verify.ts');
        const { pairNamed, tryActiveEdit } = await import('../../audit/verify/active.ts');
        const { html, junit } = await import('../../audit/verify/report.ts');
        const { checklist } = await import('./checklist.ts');
        try {
          if (!(options.timeout > 0)) throw new TandemError('--timeout is a number of seconds, more than 0');
          const opened = await open(process.env);
          try {
            const flows = chosen(opened.flows, options.flow);
            const pairs = (options.active ?? []).map((text) => pairNamed(flows, text));
            const bar = new Bar('reading both systems', process.stderr);
            const found = await verify(opened, flows, (done, of) => bar.show(done, of, true));
            bar.end();
            const statements = [...found.statements];
            for (const { flow, sourceId } of pairs)
              statements.push(...(await tryActiveEdit(opened, { flow, sourceId }, options.timeout * 1000)));
            const whole = { ...found, statements };
            if (options.junit !== undefined) writeFileSync(options.junit, junit(whole));
            if (options.html !== undefined) writeFileSync(options.html, html(whole));
            print(options.json, whole, () => checklist(whole));
            if (whole.refused.length + whole.unreadable.length > 0) process.exitCode = NOT_CHECKED;
            if (statements.some(({ broken }) => broken > 0)) process.exitCode = BROKEN;
          } finally {
            await opened.close();
          }
        } catch (error) {
          // Whatever it was, nothing was shown to be broken.
          process.exitCode = NOT_CHECKED;
          throw error;
        }
      },
    );

  program
    .command('plan')
    .description('what a start would create, link, change and leave alone; writes nothing anywhere')
    .option('--out <file>', 'write the plan, for `tandem worker --apply-plan`')
    .option('--json', 'print JSON')
    .action(async (options: { out?: string; json?: boolean }) => {
      const { open } = await import('../../audit/open.ts');
      const { makePlan } = await import('../../audit/plan/plan.ts');
      const opened = await open(process.env);
      try {
        const bar = new Bar('reading both systems', process.stderr);
        const expected = 2 * (await opened.store.links.count());
        const plan = await makePlan(opened, (records) => bar.show(records, Math.max(expected, records), true));
        bar.end();
        if (options.out !== undefined) writeFileSync(options.out, `${JSON.stringify(plan, null, 2)}\n`);
        print(options.json, plan, () => showPlan(plan));
      } finally {
        await opened.close();
      }
    });
}

/** The plan as people read it. */
function showPlan(plan: Planned): string {
  const rows = plan.summary.map((each) => [
    each.flow,
    String(each.create),
    String(each.link),
    String(each.change.source),
    String(each.change.target),
    String(each.leave),
    String(each.wait),
    String(each.blocked),
  ]);
  const head = ['flow', 'create', 'link', 'change source', 'change target', 'leave alone', 'wait', 'need a person'];
  const examples = plan.summary
    .filter((each) => each.examples.length > 0)
    .map((each) =>
      [`${each.flow}, for example`, ...each.examples.map(({ sourceId, what }) => `  ${sourceId}: ${what}`)].join('\n'),
    );
  const not = [
    ...plan.refused.map(({ section, why }) => `not run: ${section}: ${why.join('; ')}`),
    ...plan.unreadable.map((each) => `not foretold: ${each}`),
  ];
  const minutes = plan.minutes < 1 ? 'less than a minute' : `about ${Math.ceil(plan.minutes)} minutes`;
  return [
    table(head, rows),
    ...examples,
    ...not,
    `A start makes ${plan.calls.powerOffice} calls to PowerOffice and ${plan.calls.crm} to the CRM, lists included: ${minutes} at the quota. Nothing was written.`,
  ].join('\n\n');
}

function chosen<T extends { readonly name: string }>(flows: readonly T[], names: readonly string[] | undefined): T[] {
  for (const name of names ?? [])
    if (!flows.some((flow) => flow.name === name))
      throw new TandemError(`there is no flow "${name}"; flows are ${flows.map((flow) => flow.name).join(', ')}`);
  return flows.filter(({ name }) => names === undefined || names.includes(name));
}
