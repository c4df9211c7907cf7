import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOME } from '../../stack/file.ts';
import { fetchCrm, NotFetched, type RealCrmName } from '../../stack/realCrm.ts';
import { eventually } from '../support/world.ts';
import { clone, type, typed, type Typed } from './places.ts';

/** What the start of a stack with another CRM is typed with. */
export interface StartedCrm {
  /** As a person types it. */
  readonly command: string;
  /** What is said of where to look. */
  readonly screen: RegExp;
  readonly env?: Readonly<Record<string, string>>;
}

/** What a start fetches is here already, or is fetched for this run and the next; gives null, and says so, where it is not to be had. */
export async function fetched(context: Mocha.Context, name: RealCrmName): Promise<void> {
  try {
    await fetchCrm(name);
  } catch (error) {
    if (!(error instanceof NotFetched)) throw error;
    console.log(`    skipped: ${error.message}`);
    context.skip();
  }
}

/** Types a start, an edit on either side, and verify; then it is interrupted. */
export async function startedAndSynced({ command, screen, env: own = {} }: StartedCrm): Promise<void> {
  const { folder } = await clone();
  const data = mkdtempSync(join(tmpdir(), 'tandem-door-'));
  const env = { ...own, TANDEM_DATA: data };
  mkdirSync(join(folder, '.tandem'), { recursive: true });
  for (const name of ['python', 'bin', 'node'])
    if (existsSync(join(HOME, name)) && !existsSync(join(folder, '.tandem', name)))
      symlinkSync(join(HOME, name), join(folder, '.tandem', name));
  const stack: Typed = type(command, folder, env);
  const run = async (what: string): Promise<string> => (await typed(`npx tandem ${what}`, folder, { env })).stdout;
  try {
    const said = await eventually(
      { what: 'what to type next', withinMs: 180_000 },
      () => [...stack.stdout, ...stack.stderr].join('\n'),
      (text) => /Ctrl-C stops everything|\n {2}the worker ended/.test(text),
    );
    assert.match(said, /in step after/);
    assert.match(said, screen);
    await run('sandbox edit ContactPerson 501/2001 FirstName=Synnøve');
    const show = (): Promise<string> => run('show contactperson-contact 501/2001');
    const there = await eventually('it in the CRM', show, (text) => /FirstName +Synnøve +Synnøve +givenName +Synnøve/.test(text));
    const id = /<-> crm Contact (\S+)/.exec(there)?.[1];
    assert.ok(id, there);
    await run(`sandbox edit Contact ${id} familyName=Åsen`);
    await eventually('it in PowerOffice', show, (text) => /LastName +Åsen +Åsen +familyName +Åsen/.test(text));
    assert.match(await run('verify'), /all \d+ statements hold/);
    const kept = readFileSync(join(data, 'stack.json'), 'utf8');
    for (const secret of Object.entries(own).filter(([name]) => /TOKEN|PASSWORD/.test(name)))
      assert.ok(!kept.includes(secret[1]), 'a key of a CRM of one’s own is not kept');
  } finally {
    await stack.interrupt();
    rmSync(data, { recursive: true, force: true });
  }
}
