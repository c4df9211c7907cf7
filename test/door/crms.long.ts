import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_PROFILE } from '../../connectors/crm/profile/default.ts';
import { crmSandbox } from '../../sandbox/crm.ts';
import { serveOn } from '../../sandbox/serve.ts';
import { REAL_CRMS } from '../../stack/realCrm.ts';
import { fetched, startedAndSynced } from './startedCrm.ts';

describe('npm start with another CRM in place of the stand-in', function () {
  this.timeout(1_800_000);

  for (const name of REAL_CRMS)
    it(`${name}: npm start -- --fresh --crm ${name}`, async function () {
      await fetched(this, name);
      await startedAndSynced({
        command: `npm start -- --fresh --crm ${name}`,
        screen: new RegExp(`${name} +http://127\\.0\\.0\\.1:\\d+/\\S* \\(admin@example\\.org, tandem-demo\\)`),
      });
    });

  it('one of your own, by its address and its profile; its key is not kept', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-own-'));
    const token = 'a-key-of-my-own';
    const server = await serveOn(crmSandbox({ token, file: null }).app, 0);
    const profile = join(folder, 'mine.json');
    writeFileSync(profile, JSON.stringify({ ...DEFAULT_PROFILE, name: 'mine' }));
    try {
      await startedAndSynced({
        command: `npm start -- --fresh --crm ${server.url}`,
        screen: new RegExp(`your CRM +${server.url}`),
        env: { CRM_PROFILE: profile, CRM_TOKEN: token },
      });
    } finally {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
