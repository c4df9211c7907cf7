import type { Command } from 'commander';
import type { Value } from '../../flows/values.ts';
import type { HeldChanges } from '../model.ts';
import type { Tandem } from '../types.ts';
import { TandemError } from '../../flows/tandemError.ts';
import { print } from './print.ts';
import { table } from './table.ts';

type With = <T>(work: (tandem: Tandem) => Promise<T>) => Promise<T>;
interface Json {
  json?: boolean;
}

const show = (value: Value): string => (value === null ? '(none)' : typeof value === 'string' ? value : JSON.stringify(value));

/** "source", "target", or a value in quotes or bare. */
function choiceOf(text: string): 'source' | 'target' | { value: Value } {
  if (text === 'source' || text === 'target') return text;
  const quoted = /^"(.*)"$/s.exec(text);
  return { value: quoted ? (quoted[1] ?? '') : text };
}

/** Commands by which a person steers: conflicts, values, blocks, pauses, endings, and lost stores. */
// oxlint-disable-next-line max-lines-per-function -- a table of commands: what each takes, and what it calls
export function addSteeringCommands(program: Command, withTandem: With): void {
  const json = ['--json', 'print JSON'] as const;

  program
    .command('conflicts')
    .description('what waits for a person: properties edited on both sides where the policy is "ask"')
    .option('--flow <name>', 'only links of this flow')
    .option(...json)
    .action((options: Json & { flow?: string }) =>
      withTandem(async (tandem) => {
        const conflicts = await tandem.conflicts(options.flow);
        print(options.json, conflicts, () =>
          conflicts.length === 0
            ? 'no conflicts wait'
            : table(
                ['flow', 'source id', 'property', 'source says', 'target says'],
                conflicts.map((each) => [each.flow, each.sourceId, each.property, show(each.source), show(each.target)]),
              ),
        );
      }),
    );

  program
    .command('resolve <flow> <source-id> <property=choice...>')
    .description('decide a property: property=source, property=target, or property="another value"')
    .option(...json)
    .action((flow: string, sourceId: string, choices: string[], options: Json) =>
      withTandem(async (tandem) => {
        const decided = choices.map((text) => {
          const at = text.indexOf('=');
          if (at < 1) throw new TandemError(`"${text}" is not property=source, property=target or property="value"`);
          return { property: text.slice(0, at), choice: choiceOf(text.slice(at + 1)) };
        });
        for (const decision of decided) await tandem.resolve(flow, sourceId, decision);
        print(
          options.json,
          { flow, sourceId, decided },
          () => `decided ${decided.map((each) => each.property).join(', ')} of ${flow} ${sourceId}; both sides follow`,
        );
      }),
    );

  program
    .command('restore <flow> <source-id> <history-id>')
    .description('put back the value that a change overwrote, on both sides; `show` lists the ids')
    .option(...json)
    .action((flow: string, sourceId: string, historyId: string, options: Json) =>
      withTandem(async (tandem) => {
        await tandem.restore(flow, sourceId, historyId);
        print(
          options.json,
          { flow, sourceId, historyId },
          () => `asked ${flow} ${sourceId} to put the value of ${historyId} back`,
        );
      }),
    );

  program
    .command('retry')
    .description('try blocked links again')
    .option('--flow <name>', 'only links of this flow')
    .option('--reason <text>', 'only links whose reason contains this text')
    .option(...json)
    .action((options: Json & { flow?: string; reason?: string }) =>
      withTandem(async (tandem) => {
        const asked = await tandem.retry(options);
        print(options.json, { asked }, () => `asked ${asked} blocked links to try again`);
      }),
    );

  for (const [name, what] of [
    ['pause', 'hold a link, a flow or a system back; edits made meanwhile arrive after resume'],
    ['resume', 'let a paused link, flow or system go on'],
  ] as const)
    program
      .command(`${name} <flow-or-system> [source-id]`)
      .description(what)
      .option(...json)
      .action((flow: string, sourceId: string | undefined, options: Json) =>
        withTandem(async (tandem) => {
          await tandem[name](flow, sourceId);
          print(
            options.json,
            { [name]: flow, sourceId: sourceId ?? null },
            () => `${name}d ${flow}${sourceId === undefined ? '' : ` ${sourceId}`}`,
          );
        }),
      );

  program
    .command('link <flow> <source-id> <target-id>')
    .description('link a source record that has no partner with this target record; values that differ go by policy')
    .option(...json)
    .action((flow: string, sourceId: string, targetId: string, options: Json) =>
      withTandem(async (tandem) => {
        await tandem.link(flow, sourceId, targetId);
        print(options.json, { flow, sourceId, targetId }, () => `asked ${flow} ${sourceId} to link with ${targetId}`);
      }),
    );

  for (const [name, what] of [
    ['unlink', 'end a link by hand; neither record is touched, and nothing is carried any more'],
    ['relink', 'resume a link that was unlinked, or link a record anew whose target is gone'],
  ] as const)
    program
      .command(`${name} <flow> <source-id>`)
      .description(what)
      .option(...json)
      .action((flow: string, sourceId: string, options: Json) =>
        withTandem(async (tandem) => {
          await tandem[name](flow, sourceId);
          print(options.json, { [name]: flow, sourceId }, () => `asked ${flow} ${sourceId} to ${name}`);
        }),
      );

  const said = ({ links, would, missing }: HeldChanges): string =>
    `${links} links that were held back${
      links === 0
        ? ''
        : ` (${Object.entries(would)
            .map(([what, n]) => `${n}: ${what}`)
            .join(', ')})`
    }${missing === 0 ? '' : `; ${missing} records that a list of ids lacks are read, and their links end where they are gone`}`;
  for (const [name, description, done] of [
    ['approve', 'let all pass that the brake holds back of a flow, however long it takes', 'let pass'],
    ['withdraw', 'give up what the brake holds back of a flow: its links look again', 'withdrawn'],
  ] as const)
    program
      .command(`${name} <flow>`)
      .description(description)
      .option(...json)
      .action((flow: string, options: Json) =>
        withTandem(async (tandem) => {
          const held = await tandem[name](flow);
          print(options.json, { flow, ...held }, () => `${done}: ${said(held)}`);
        }),
      );

  program
    .command('rebuild')
    .description('after one of both stores was lost: links from their workflows, workflows from the links; writes to no system')
    .option(...json)
    .action((options: Json) =>
      withTandem(async (tandem) => {
        const tty = process.stderr.isTTY;
        const done = await tandem.rebuild((n) => {
          if (tty && n % 50 === 0) process.stderr.write(`\r  ${n} links`);
        });
        if (tty) process.stderr.write('\r');
        print(
          options.json,
          done,
          () => `${done.stored} links were stored from their workflows, ${done.started} workflows were started from the store`,
        );
      }),
    );
}
