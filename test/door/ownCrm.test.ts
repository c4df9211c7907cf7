import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clone, typed } from './places.ts';

describe('npm start with a CRM that is named wrongly', function () {
  this.timeout(300_000);
  const data = mkdtempSync(join(tmpdir(), 'tandem-own-'));
  after(() => rmSync(data, { recursive: true, force: true }));

  it('says what is missing, and which names there are, before anything is started', async () => {
    const { folder } = await clone();
    const said = async (command: string): Promise<string> =>
      (await typed(command, folder, { env: { TANDEM_DATA: data }, code: 1 })).stderr;
    assert.match(await said('npm start -- --fresh --crm http://127.0.0.1:9'), /CRM_TOKEN is missing/);
    assert.match(await said('npm start -- --fresh --crm pocketbas'), /there is no such CRM: did you mean "pocketbase"\?/);
  });
});
