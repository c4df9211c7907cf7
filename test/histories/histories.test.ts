import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CHANGES } from './changes.ts';
import { PATHS } from './paths.ts';
import { breaksOf, bundleForReplay, folderOf, keptVersions, recorded } from './replay.ts';
import '../support/quiet.ts';

describe('recorded histories', function () {
  const histories = recorded();
  let code: string;

  before(async () => {
    code = await bundleForReplay();
  });

  it('are there for every path, and for every version in the changelog, with its workflows', () => {
    for (const path of [...Object.keys(PATHS), 'feed']) assert.ok(histories.has(`unreleased/${path}`), `${path} is not recorded`);
    const changelog = readFileSync(fileURLToPath(new URL('../../CHANGELOG.md', import.meta.url)), 'utf8');
    const versions = [...changelog.matchAll(/^## (\d+\.\d+\.\d+)/gm)].map(([, version]) => `v${version}`);
    assert.deepEqual(keptVersions(), versions.toReversed());
    for (const version of versions)
      assert.ok(readFileSync(`${folderOf(version)}/workflows.js`, 'utf8').includes('link'), version);
  });

  it('replay in this version, and ask of the activities what they asked', async () => {
    assert.deepEqual(await breaksOf(code, histories), {});
  });

  for (const { what, from, to, noticedBy } of CHANGES)
    it(`notice: ${what}`, async () => {
      const found = code.match(new RegExp(from, 'g')) ?? [];
      assert.equal(
        found.length,
        1,
        `the bundle has ${found.length} places for ${String(from)}: bring test/histories/changes.ts up to date`,
      );
      const history = histories.get(noticedBy);
      assert.ok(history, noticedBy);
      const broken = await breaksOf(code.replace(from, to), new Map([[noticedBy, history]]));
      assert.deepEqual(Object.keys(broken), [noticedBy]);
    });
});
