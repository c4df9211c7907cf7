import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import type { Dataflow, Section } from '../../flows/dataflow/document.ts';
import { readDocument } from '../../flows/dataflow/read.ts';
import { documentOf } from '../../flows/dataflow/unbind.ts';
import { writeDocument } from '../../flows/dataflow/write.ts';
import { readText } from '../../flows/file.ts';
import { bindingsBeside } from '../../worker/readFlows.ts';
import { TandemError } from '../../flows/tandemError.ts';
import { print } from './print.ts';
import { showFlows } from './show.ts';
import { table } from './table.ts';

interface Json {
  json?: boolean;
}

/** `flows`, `flows read`, `flows write`. */
export function addFlowCommands(program: Command): void {
  const json = ['--json', 'print JSON'] as const;
  const group = program
    .command('flows')
    .description('print the flows that run')
    .option(...json)
    .action(async (options: Json) => {
      const { readConfiguredFlows } = await import('../../worker/readAll.ts');
      const { flows, refused } = await readConfiguredFlows(process.env);
      print(options.json, { flows, refused }, () => showFlows(flows, refused));
    });

  group
    .command('read <file>')
    .description('read a dataflow document: what it says, and what has to be decided before it can run')
    .option(...json)
    .action(async (file: string, _: object, command: Command) => {
      const document = readDocument(await readText('dataflow document', file), file);
      print(command.optsWithGlobals<Json>().json, document, () => showDocument(document, file));
    });

  group
    .command('write <file>')
    .description('write the running flows as a dataflow document, and a binding file beside it')
    .option('--force', 'replace files that are there')
    .option(...json)
    .action(async (file: string, options: { force?: boolean }, command: Command) => {
      if (!/\.rst$/i.test(file)) throw new TandemError(`${file} does not end in .rst, as a dataflow document does`);
      const { readConfiguredFlows } = await import('../../worker/readAll.ts');
      const { flows, catalogues } = await readConfiguredFlows(process.env);
      const generated = new Date().toISOString().slice(0, 19).replace('T', ' ');
      const { document, bindings } = documentOf(flows, generated, catalogues);
      const bindingsFile = bindingsBeside(file);
      const existing = [file, bindingsFile].filter((each) => existsSync(each));
      if (existing.length > 0 && !options.force)
        throw new TandemError(`${existing.join(' and ')} would be replaced: name another file, or say --force`);
      await writeFile(file, writeDocument(document));
      await writeFile(bindingsFile, `${JSON.stringify(bindings, null, 2)}\n`);
      print(
        command.optsWithGlobals<Json>().json,
        { document: file, bindings: bindingsFile, flows: flows.map(({ name }) => name) },
        () => `wrote ${flows.length} flows to ${file}, and what a document cannot say to ${bindingsFile}`,
      );
    });
}

function showDocument(document: Dataflow, file: string): string {
  const { source, target, generated, sections, warnings } = document;
  const head = `${basename(file)}: ${source} to ${target || '(no name)'}, generated ${generated}, ${sections.length} ${sections.length === 1 ? 'section' : 'sections'}`;
  const warned = warnings.map(({ line, text }) => `${file}:${line}: warning: ${text}`);
  return [head, ...sections.map(showSection), ...(warned.length > 0 ? [warned.join('\n')] : [])].join('\n\n');
}

const IN_WORDS: Readonly<Record<Section['relation'], string>> = {
  create: 'one for every record',
  'merge-or-create': 'merged with a match, else created',
  match: 'linked with a match, never created',
  connected: 'created when connected to a linked record',
  'match-or-connected': 'linked with a match, else created when connected to a linked record',
  conditional: 'one for every record that meets the condition',
  'conditional-merge-or-create': 'merged with a match, else created, where the condition is met',
};

function showSection(section: Section): string {
  const lines = [`line ${section.line}: ${section.from} to ${section.to}: ${IN_WORDS[section.relation]}`];
  if (section.condition !== null) lines.push(`  condition: ${section.condition}`);
  if (section.connected)
    lines.push(`  connected to: ${section.connected.list.join(', ')}; linked into ${section.connected.into || '(no name)'}`);
  if (section.match.length > 0) lines.push(`  matches by: ${section.match.map((pair) => pair.join(' = ')).join(', or ')}`);
  if (section.properties.length === 0) return [...lines, '  no properties: the pair is linked and watched'].join('\n');
  const rows = section.properties.map((row) => [
    row.source,
    '<->',
    row.target,
    row.type,
    row.when.map(({ property, value }) => `${property} = "${value}"`).join(', '),
  ]);
  return [...lines, table([section.from, '', section.to, 'type', 'only where'], rows).replace(/^/gm, '  ')].join('\n');
}
