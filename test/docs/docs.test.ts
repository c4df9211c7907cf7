import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { makeProgram } from '../../client/cli/program.ts';
import { BREAKS } from '../torture/breaks.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const PAGES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...filesOf('docs', '.md')];
/** Folders of the published package, and those that only the repository has. */
const PUBLISHED = ['flows', 'workflows', 'connectors', 'store', 'activities', 'worker', 'audit', 'client'];
const OTHERS = ['sandbox', 'stack', 'bench', 'test', 'examples'];

function filesOf(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name}`);
}

interface Line {
  readonly at: string;
  readonly text: string;
  readonly code: boolean;
}

/** The lines of a page, and whether each stands in a code block. */
function linesOf(page: string): Line[] {
  let code = false;
  return textOf(page)
    .split('\n')
    .map((text, i) => {
      const fence = /^\s*```/.test(text);
      if (fence) code = !code;
      return { at: `${page}:${i + 1}`, text, code: code || fence };
    });
}
const LINES = PAGES.flatMap(linesOf);
const prose = LINES.filter(({ code }) => !code);

/** What a heading's anchor is on the sites that show Markdown. */
const anchorOf = (heading: string): string =>
  heading
    .replace(/[`*_]/g, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, '')
    .trim()
    .replace(/ /g, '-');

function brokenLink(page: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(ROOT, file))) return true;
  if (anchor === undefined) return false;
  return !linesOf(file).some(({ text, code }) => !code && /^#+ /.test(text) && anchorOf(text.replace(/^#+ /, '')) === anchor);
}

/** Every command that a page tells to type, as words: `npx tandem show <flow> --json` gives show, <flow>, --json. */
function commandsOf({ text, code }: Line): string[][] {
  const typed = code
    ? [text.replace(/\s#.*$/, '')]
    : [...text.matchAll(/`([^`]+)`/g)].map(([, inner = '']) => inner.replaceAll('\\|', '|'));
  return typed.flatMap((each) => {
    const found = /^\s*(?:\$ )?(?:[A-Z_]+=\S+ )*npx tandem\b(.*)$/.exec(each);
    return found ? [(found[1] ?? '').trim().split(/\s+/).filter(Boolean)] : [];
  });
}

/** What is wrong with a command that a page tells to type; null where the program takes it. */
function faultOf(program: Command, words: readonly string[]): string | null {
  let command = program;
  let placeholder = false;
  for (const word of words) {
    const bare = word.replace(/^\[|\]$/g, '');
    if (bare === '--help') continue;
    if (bare.startsWith('--')) {
      const name = bare.split('=')[0];
      if (!placeholder && !command.options.some(({ long }) => long === name)) return `no option ${name}`;
      continue;
    }
    const next = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (next) command = next;
    else if (/^[A-Z]+$/.test(word) && command.commands.length > 0) placeholder = true;
    else if (command.commands.length > 0 && command.registeredArguments.length === 0) return `no command ${word}`;
  }
  return null;
}

/** Every command, as it is typed; a group of commands that takes no option does nothing by itself. */
function namesOf(command: Command, before = ''): string[] {
  return command.commands.flatMap((each) => {
    const name = `${before}${each.name()}`;
    const acts = each.commands.length === 0 || each.options.length > 0;
    return [...(acts ? [name] : []), ...namesOf(each, `${name} `)];
  });
}

const VARIABLE = /\b(?:TANDEM|CRM|POWEROFFICE|MONGODB|TEMPORAL)_[A-Z_]*[A-Z]\b/g;

/** Environment variables that sources read: names that are no identifier of TypeScript's own. */
function variablesIn(folders: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (const file of folders.flatMap((folder) => filesOf(folder, '.ts'))) {
    const text = textOf(file);
    for (const [name] of text.matchAll(/(?<=env\[')[A-Z_]+(?='\])|(?<=env\.)[A-Z_]+\b|(?<=\benv: ')[A-Z_]+(?=')/g))
      names.add(name);
    for (const [, name = ''] of text.matchAll(/^\s+([A-Z]+_[A-Z_]+): (?!'|\[|\{)/gm)) if (name.match(VARIABLE)) names.add(name);
  }
  return names;
}
const ours = (names: Iterable<string>): string[] => [...names].filter((name) => name.match(VARIABLE)).sort();

describe('README and docs', () => {
  const program = makeProgram();

  it('every relative link leads somewhere', () => {
    const dead = prose.flatMap(({ at, text }) =>
      [...text.matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !/^[a-z]+:/.test(target) && brokenLink(at.replace(/:\d+$/, ''), target))
        .map((target) => `${at}: ${target}`),
    );
    assert.deepEqual(dead, []);
  });

  it('every file that is named is there', () => {
    const rooms = [...PUBLISHED, ...OTHERS, 'docs', 'bin'].join('|');
    const name = new RegExp(`\`((?:${rooms})/[\\w./-]*)\``, 'g');
    const missing = prose.flatMap(({ at, text }) =>
      [...text.matchAll(name)]
        .map(([, file = '']) => file)
        .filter((file) => !existsSync(join(ROOT, file)))
        .map((file) => `${at}: ${file}`),
    );
    assert.deepEqual(missing, []);
    const pages = [...PUBLISHED, ...OTHERS].flatMap((folder) =>
      filesOf(folder, '.ts').flatMap((file) =>
        (textOf(file).match(/\bdocs\/[\w./-]+\.md\b/g) ?? [])
          .filter((page) => !existsSync(join(ROOT, page)))
          .map((page) => `${file}: ${page}`),
      ),
    );
    assert.deepEqual(pages, [], 'pages that sources name');
  });

  it('every command that is told to type is one that the program takes', () => {
    const faults = LINES.flatMap((line) =>
      commandsOf(line).flatMap((words) => {
        const fault = faultOf(program, words);
        return fault === null ? [] : [`${line.at}: npx tandem ${words.join(' ')}: ${fault}`];
      }),
    );
    assert.deepEqual(faults, []);
    assert.equal(faultOf(program, ['shwo']), 'no command shwo');
    assert.equal(faultOf(program, ['flows', 'write', 'x.rst', '--forse']), 'no option --forse');
  });

  it('the README names every command, and every script of npm that pages name is there', () => {
    const commands = /\n## Commands\n(.*?)\n## /s.exec(textOf('README.md'))?.[1] ?? '';
    const named = new Set([...commands.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) => namesIn(cell)));
    assert.deepEqual(
      namesOf(program).filter((name) => !named.has(name)),
      [],
      'not in the table of commands',
    );
    assert.deepEqual(
      [...named].filter((name) => !namesOf(program).includes(name)),
      [],
      'in the table, yet no command',
    );
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    const unknown = LINES.flatMap(({ at, text }) =>
      [...text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)]
        .filter(([, script = '']) => !(script in scripts))
        .map(([all]) => `${at}: ${all}`),
    );
    assert.deepEqual(unknown, []);
  });

  it('the README names every variable that the package reads, and no other', () => {
    const table = /\n## Variables\n(.*?)\n## /s.exec(textOf('README.md'))?.[1] ?? '';
    const named = ours([...table.matchAll(/^\| ((?:`\w+`(?:, )?)+) /gm)].flatMap(([, cell = '']) => cell.match(/\w+/g) ?? []));
    const read = ours(variablesIn(PUBLISHED));
    const temporal = new Set(textOf('node_modules/@temporalio/envconfig/lib/envconfig-toml.js').match(VARIABLE) ?? []);
    assert.ok(read.length > 15, `only ${read.join(', ')} were found`);
    assert.deepEqual(
      read.filter((name) => !named.includes(name)),
      [],
      'read, yet not in the table',
    );
    assert.deepEqual(
      named.filter((name) => !read.includes(name) && !temporal.has(name)),
      [],
      'in the table, yet never read',
    );
    const all = new Set([...read, ...temporal, ...mentionedOutside()]);
    const strange = LINES.flatMap(({ at, text }) =>
      (text.match(VARIABLE) ?? []).filter((name) => !all.has(name)).map((name) => `${at}: ${name}`),
    );
    assert.deepEqual(strange, []);
  });

  it('every dependency has its reason, and every deliberate break its row', () => {
    const { dependencies, devDependencies } = JSON.parse(textOf('package.json')) as Record<string, Record<string, string>>;
    const cells = [...textOf('docs/dependencies.md').matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = '']) =>
      cell.split(',').map((each) => each.trim()),
    );
    const named = cells.filter((cell) => cell !== 'package' && !/^-+$/.test(cell)).sort();
    assert.deepEqual(named, Object.keys({ ...dependencies, ...devDependencies }).sort());
    const breaks = [...textOf('docs/reliability.md').matchAll(/^\| `([\w-]+)` /gm)].map(([, name = '']) => name).sort();
    assert.deepEqual(breaks, Object.keys(BREAKS).sort());
  });

  it('has one sentence a line, lines of at most 140 characters, and every page is reached from the README', () => {
    const long = prose.filter(({ text }) => Array.from(text).length > 140).map(({ at }) => at);
    assert.deepEqual(long, [], 'longer than 140 characters');
    const crowded = prose
      .filter(({ text }) => !text.trim().startsWith('|'))
      .filter(({ text }) => /[\p{L}\p{N})`"][.?!] \p{Lu}/u.test(text.replace(/`[^`]*`/g, '``').replace(/^\s*\d+\. /, '')))
      .map(({ at, text }) => `${at}: ${text}`);
    assert.deepEqual(crowded, [], 'more than one sentence in a line');
    const readme = textOf('README.md');
    assert.deepEqual(
      PAGES.filter((page) => page !== 'README.md' && !readme.includes(`(${page})`)),
      [],
    );
  });
});

/** Commands of one cell: "`sandbox edit`, `create`" are both the sandbox's. */
function namesIn(cell: string): string[] {
  let group = '';
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => {
    const [first = '', second] = name.split(' ');
    if (second !== undefined) group = `${first} `;
    return second === undefined && group === 'sandbox ' ? `${group}${name}` : name;
  });
}

/** Variables that the stack, the stand-ins and the tests read or hand on. */
function mentionedOutside(): string[] {
  return OTHERS.flatMap((folder) => filesOf(folder, '.ts')).flatMap((file) => textOf(file).match(VARIABLE) ?? []);
}
