import { join } from 'node:path';
import { crmSandbox } from '../sandbox/crm.ts';
import { powerOfficeSandbox } from '../sandbox/powerOffice/server.ts';
import { CRM_SEED, seed } from '../sandbox/seed.ts';
import { serveOn } from '../sandbox/serve.ts';
import { DEMO_KEYS, DEMO_SIZE } from '../sandbox/demo.ts';

/** The stand-ins in one process, for the local stack: `standIns.ts <folder> <PowerOffice port> [<CRM port>]`. */
const [folder = '.', powerOfficePort = '0', crmPort] = process.argv.slice(2);
const powerOffice = powerOfficeSandbox({ ...DEMO_KEYS, file: join(folder, 'powerOffice.jsonl'), seed: seed(DEMO_SIZE) });
const crm =
  crmPort === undefined ? null : crmSandbox({ token: DEMO_KEYS.crmToken, file: join(folder, 'crm.jsonl'), seed: CRM_SEED });
const servers = await Promise.all([
  serveOn(powerOffice.app, Number(powerOfficePort)),
  ...(crm ? [serveOn(crm.app, Number(crmPort))] : []),
]);
console.log(`PowerOffice Go stand-in at ${servers[0].url}/v2${servers[1] ? `, CRM stand-in at ${servers[1].url}` : ''}`);
const stop = (): void => {
  void Promise.all(servers.map((server) => server.close())).then(() => {
    powerOffice.close();
    crm?.close();
    process.exit(0);
  });
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
