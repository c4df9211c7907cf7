import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clone, INSTALL_PACKAGE, packed, typed } from './places.ts';

interface Manifest {
  readonly engines: { readonly node: string };
}
const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Manifest;
/** The oldest of each range that `engines` allows, and the newest there is; each with an npm that runs on it. */
const OLDEST = [...engines.node.matchAll(/\d+\.\d+/g)].map(([version]) => `${version}.0`);
const PAIRS = [...OLDEST.flatMap((node) => [[node, '10'] as const, [node, '11'] as const]), ['latest', '12'] as const];

describe('an install on every Node and npm that may be had, oldest and newest', () => {
  const home = mkdtempSync(join(tmpdir(), 'tandem-installs-'));
  const reach: Record<string, string> = {};
  before(async () => {
    for (const name of ['registry', 'cafile', 'https-proxy']) {
      const value = (await typed(`npm config get ${name}`, tmpdir())).stdout.trim();
      if (value !== 'null') reach[`npm_config_${name.replaceAll('-', '_')}`] = value;
    }
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  /** What is said on stderr, but for the news that a newer npm is out. */
  const warnings = (stderr: string): string[] =>
    stderr.split('\n').filter((line) => line !== '' && !line.startsWith('npm notice'));

  /** A folder with `node`, `npm` and `npx` of those versions, to stand first on PATH. */
  async function programs(node: string, npm: string): Promise<string> {
    const folder = join(home, `node-${node}-npm-${npm}`);
    const bin = join(folder, 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{}');
    await typed(`npm install --no-save --ignore-scripts node-${process.platform}-${process.arch}@${node} npm@${npm}`, folder);
    symlinkSync(join(folder, `node_modules/node-${process.platform}-${process.arch}/bin/node`), join(bin, 'node'));
    for (const name of ['npm', 'npx']) symlinkSync(join(folder, `node_modules/npm/bin/${name}-cli.js`), join(bin, name));
    return bin;
  }

  for (const [node, npm] of PAIRS)
    it(`Node ${node}, npm ${npm}: npm ci in a clone and the package's install print no warning, and the program runs`, async () => {
      const bin = await programs(node, npm);
      // Settings of this machine's own may be such that npm warns of them; how it reaches the registry is all that is kept.
      const env = {
        PATH: `${bin}:${process.env['PATH'] ?? ''}`,
        npm_config_userconfig: join(home, 'none'),
        ...reach,
      };
      const { folder } = await clone();
      const again = await typed('npm ci', folder, { env });
      assert.deepEqual(warnings(again.stderr), []);
      const { folder: from } = await packed();
      const empty = join(home, `empty-${node}-${npm}`);
      mkdirSync(empty);
      const install = INSTALL_PACKAGE.replace('./', `${from}/`);
      const said = await typed(install, empty, { env });
      assert.deepEqual(warnings(said.stderr), []);
      for (const { stdout } of [again, said]) assert.doesNotMatch(stdout, /warn|deprecated|vulnerab/i);
      for (const where of [folder, empty])
        assert.match((await typed('npx tandem --help', where, { env })).stdout, /Usage: tandem/);
    });
});
