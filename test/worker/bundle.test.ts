import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { hashOfSources, withBundle } from '../../worker/bundle.ts';

describe('the bundle of the workflows in a clone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bundle-'));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };
  before(() => {
    write('workflows/core/merge.ts', '1');
    write('flows/side.ts', '2');
    write('store/store.ts', '3');
    write('node_modules/.package-lock.json', '4');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is made once for the same sources', async () => {
    const made = (): Promise<[string, number]> => withBundle((path) => Promise.resolve([path, statSync(path).mtimeMs]));
    assert.deepEqual(await made(), await made());
  });

  it('is made again when a workflow, what it imports, a name or what is installed changes, and not for another room', async () => {
    const seen = [await hashOfSources(folder)];
    write('store/store.ts', '30');
    assert.equal(await hashOfSources(folder), seen[0]);
    for (const change of [
      () => write('workflows/core/merge.ts', '10'),
      () => write('flows/side.ts', '20'),
      () => write('node_modules/.package-lock.json', '40'),
      () => renameSync(join(folder, 'flows/side.ts'), join(folder, 'flows/sides.ts')),
    ]) {
      change();
      seen.push(await hashOfSources(folder));
    }
    assert.equal(new Set(seen).size, seen.length);
  });
});
