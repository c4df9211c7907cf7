import assert from 'node:assert/strict';
import type { Command } from 'commander';
import { makeProgram } from '../../client/cli/program.ts';

/** Every command that does something, by its name as typed. */
function leaves(command: Command, before = ''): [string, Command][] {
  return command.commands.flatMap((each): [string, Command][] => {
    const name = `${before}${each.name()}`;
    const own: [string, Command][] = each.commands.length === 0 || each.options.length > 0 ? [[name, each]] : [];
    return [...own, ...leaves(each, `${name} `)];
  });
}

/** Help as it is printed, texts before and after included. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (more) => (text += more) }).outputHelp();
  return text;
}

describe('help', () => {
  const commands = leaves(makeProgram());

  it('tells of every command what to type and what its exit code means', () => {
    const silent = commands.flatMap(([name, command]) => {
      const text = helpOf(command);
      return [
        ...(text.includes(`\n  npx tandem ${name}`) ? [] : [`${name}: no example`]),
        ...(/Exit codes: 0 .*1 .*2 /s.test(text) ? [] : [`${name}: no exit codes`]),
        ...(command.registeredArguments.every(({ description }) => description !== '')
          ? []
          : [`${name}: an argument without words`]),
      ];
    });
    assert.deepEqual(silent, []);
  });

  it('every command prints JSON when asked; a worker logs JSON lines unasked', () => {
    const without = commands
      .filter(([, command]) => !command.options.some(({ long }) => long === '--json'))
      .map(([name]) => name);
    assert.deepEqual(without, ['worker']);
  });
});
