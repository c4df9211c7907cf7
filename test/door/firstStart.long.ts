import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/world.ts';
import { clone, type, typed, type Typed } from './places.ts';

describe('the very first start, on a machine where nothing has been fetched', () => {
  const home = mkdtempSync(join(tmpdir(), 'tandem-home-'));
  const env = { HOME: home };
  let folder = '';
  let stack: Typed | null = null;

  async function start(command: string): Promise<void> {
    const begun = type(command, folder, env);
    stack = begun;
    await eventually(
      { what: 'what to type next', withinMs: 600_000 },
      () => [...begun.stdout, ...begun.stderr],
      (lines) => lines.some((line) => line.includes('Ctrl-C stops everything')),
    );
  }
  const show = async (): Promise<string> =>
    (await typed('npx tandem show contactperson-contact 501/2001', folder, { env })).stdout;

  before(async () => {
    ({ folder } = await clone());
    rmSync(join(folder, '.tandem'), { recursive: true, force: true });
    rmSync(join(folder, 'node_modules'), { recursive: true, force: true });
    mkdirSync(home, { recursive: true });
  });
  after(async () => {
    await stack?.interrupt();
    rmSync(home, { recursive: true, force: true });
  });

  it('npm ci && npm start brings up the stack, without a warning', async () => {
    await start('npm ci && npm start');
    assert.deepEqual(
      stack?.stderr.filter((line) => !line.startsWith('npm notice')),
      [],
    );
  });

  it('an edit is in step', async () => {
    await typed('npx tandem sandbox edit ContactPerson 501/2001 FirstName=Synnøve', folder, { env });
    await eventually('both sides', show, (text) => /FirstName +Synnøve +Synnøve +givenName +Synnøve/.test(text));
  });

  it('npm start -- --fresh begins anew', async () => {
    await stack?.interrupt();
    await start('npm start -- --fresh');
    assert.doesNotMatch(await show(), /Synnøve/);
  });
});
