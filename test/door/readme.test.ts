import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HOME } from '../../stack/file.ts';
import { eventually } from '../support/world.ts';
import { clone, INSTALL_PACKAGE, type, typed, type Typed } from './places.ts';

const README = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
/** The blocks of the README that name no language: what is typed, and what is then seen. */
const BLOCKS = [...README.matchAll(/^ *```\n([\s\S]*?)^ *```/gm)].map(([, text = '']) =>
  text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()])),
);
const isCommand = (line: string): boolean => /^(npm|npx) /.test(line);
const SHOWN = BLOCKS.flat().filter(isCommand);
/** Those that stand between backticks in a sentence. */
const NAMED = [...README.matchAll(/`(npm start[^`]*)`/g)].map(([, command = '']) => command);

/** What is typed elsewhere, or cannot be typed in a test. */
const ELSEWHERE: readonly string[] = [
  'npm ci && npm test', // this run
  'npm pack',
  INSTALL_PACKAGE, // test/door/places.ts types both
  'npm start -- --fresh', // test/door/firstStart.long.ts
  'npm start -- --fresh --crm pocketbase', // test/door/crms.long.ts
];

/** A line as it is whatever the time, the duration, the port and the number. */
const shape = (line: string): string =>
  line
    .trim()
    .replace(/\d+(\.\d+)?/g, '#')
    .replace(/\s+|-{2,}/g, ' ');

describe('the README, typed from its first command to its last', function () {
  this.timeout(300_000);
  const done = new Set<string>();
  let folder = '';
  let stack: Typed | null = null;

  /** A command as the README or `npm start` shows it. */
  function shown(command: string): string {
    const hints = stack?.stdout.map((line) => line.trim()) ?? [];
    assert.ok([...SHOWN, ...NAMED, ...hints].includes(command), `nobody is told to type ${command}`);
    done.add(command);
    return command;
  }
  const run = (command: string): Promise<{ stdout: string; stderr: string }> => typed(shown(command), folder);
  /** What the README shows as seen after a command. */
  const seenAfter = (command: string): string[] => {
    const block = BLOCKS[BLOCKS.findIndex((lines) => lines.at(-1) === command) + 1] ?? [];
    assert.ok(block.length > 0 && !block.some(isCommand), `the README shows nothing after ${command}`);
    return block.map(shape);
  };
  async function start(command: string): Promise<Typed> {
    const begun = type(command, folder);
    stack = begun;
    await eventually(
      { what: 'what to type next', withinMs: 150_000 },
      () => [...begun.stdout, ...begun.stderr],
      (lines) => lines.some((line) => line.includes('Ctrl-C stops everything')),
    );
    return begun;
  }

  before(async () => {
    ({ folder } = await clone());
    // What the first start fetches is here already: the servers of this run.
    mkdirSync(join(folder, '.tandem'), { recursive: true });
    for (const name of ['python', 'bin'])
      if (existsSync(join(HOME, name))) symlinkSync(join(HOME, name), join(folder, '.tandem', name));
  });
  after(async () => {
    await stack?.interrupt();
  });

  it('npm start brings up the stack and shows what the README shows', async () => {
    const [installing, starting = ''] = shown('npm ci && npm start').split(' && ');
    assert.equal(installing, 'npm ci', 'typed where the clone was made');
    const { stdout, stderr } = await start(starting);
    const seen = stdout.map(shape);
    for (const line of seenAfter('npm ci && npm start')) assert.ok(seen.includes(line), `${line} in ${seen.join('\n')}`);
    assert.deepEqual(stderr, []);
  });

  it('an edit is in step within seconds, and show tells so as in the README', async () => {
    const [edit, show] = ['sandbox edit ContactPerson 501/2001 FirstName=Synnøve', 'show contactperson-contact 501/2001'];
    await run(`npx tandem ${edit}`);
    const told = 'contactperson-contact 501/2001: wrote givenName to the target';
    await eventually(
      'a line for each change',
      () => stack?.stdout ?? [],
      (lines) => lines.some((each) => each.includes(told)),
    );
    const wanted = seenAfter(`npx tandem ${show}`);
    let seen: string[] = [];
    await eventually(
      'the table of the README',
      async () => (seen = (await run(`npx tandem ${show}`)).stdout.split('\n').map(shape)),
      () => wanted.every((line) => seen.includes(line)),
    );
  });

  it('what else it shows for a start, and what npm start says to type, ends with 0', async () => {
    const told = await Promise.all(
      ['flows', 'plan', 'verify', 'status', 'links --limit 5'].map((command) => run(`npx tandem ${command}`)),
    );
    assert.deepEqual(
      told.map(({ stderr }) => stderr.replace(/^ *reading .*$/gm, '').trim()),
      ['', '', '', '', ''],
    );
    const [flows, plan, verify] = told.map(({ stdout }) => stdout);
    assert.match(flows ?? '', /supplierperson-contact/);
    assert.match(plan ?? '', /contactperson-contact/);
    assert.match(verify ?? '', /contactperson-contact/);
  });

  it('a worker, with the variables of its world, takes part', async () => {
    const { env } = JSON.parse(readFileSync(join(folder, '.tandem/data/stack.json'), 'utf8')) as { env: Record<string, string> };
    const worker = type(shown('npx tandem worker'), folder, env);
    try {
      await eventually(
        'a worker that has started',
        () => [...worker.stdout, ...worker.stderr].join('\n'),
        (said) => said.includes('the worker runs'),
      );
      assert.deepEqual(worker.stderr, []);
    } finally {
      await worker.interrupt();
    }
  });

  it('started again it goes on where it was, also without a worker', async () => {
    await stack?.interrupt();
    assert.match(stack?.stdout.at(-1) ?? '', /stopping/);
    const { stderr } = await start(shown('npm start -- --no-worker'));
    assert.deepEqual(stderr, []);
    const { stdout } = await run('npx tandem show contactperson-contact 501/2001');
    assert.match(stdout, /FirstName +Synnøve +Synnøve +givenName +Synnøve/);
  });

  it('nothing is shown that no test types', () => {
    const typedSomewhere = [...done, ...ELSEWHERE, 'npm start'];
    const hints = stack?.stdout.map((line) => line.trim()).filter(isCommand) ?? [];
    assert.deepEqual(
      [...SHOWN, ...NAMED, ...hints].filter((command) => !typedSomewhere.includes(command)),
      [],
    );
    assert.deepEqual(
      ELSEWHERE.filter((command) => ![...SHOWN, ...NAMED].includes(command)),
      [],
    );
  });
});
