import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { caller, COLLECTIONS, PERSON, type RealCrm, type StartGiven } from './crmServer.ts';
import { nodePackages } from './nodePackages.ts';
import { startChild, stopChild } from './process.ts';
import { until } from './servers.ts';

const PATH = '/odata/v4/crm';

/** SAP CAP, from npm, with the Node that its SQLite needs. */
export const fetchCap = (): Promise<string> =>
  nodePackages('cap', ['node@22.23.3', '@sap/cds@10.1.1', '@cap-js/sqlite@3.1.1', 'express@5.3.0']);

const entitySet = (path: string): string => path.charAt(0).toUpperCase() + path.slice(1);
const sets = Object.entries(COLLECTIONS).map(([type, { path, fields }]) => ({ type, set: entitySet(path), fields }));
const setOf = (type: string): string => sets.find((each) => each.type === type)?.set ?? type;

const schema = `namespace crm;
using { cuid, managed } from '@sap/cds/common';
${sets
  .map(
    ({ set, fields }) => `entity ${set} : cuid, managed { ${fields.map((name) => `${name}: String(200);`).join(' ')} }
annotate ${set} with { modifiedAt @odata.etag };
annotate ${set} with @assert.unique: { external: [externalId] };`,
  )
  .join('\n')}
`;
const service = `using { crm } from '../db/schema';
service CrmService @(path: '${PATH}') {
${sets.map(({ set }) => `  entity ${set} as projection on crm.${set};`).join('\n')}
}
`;
/** Tables are made at the first start; loopback alone is listened at. */
const server = `const { existsSync } = require('node:fs');
const { Server } = require('node:http');
const cds = require('@sap/cds');
const { listen } = Server.prototype;
Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, { port, host: '127.0.0.1' }, ...rest.filter((each) => typeof each === 'function'));
};
const isNew = !existsSync('data.db');
cds.once('served', async () => {
  if (isNew) await cds.deploy(cds.model).to('db');
});
module.exports = cds.server;
`;
const project = {
  name: 'crm',
  private: true,
  dependencies: { '@sap/cds': '*', '@cap-js/sqlite': '*' },
  cds: {
    requires: {
      db: { kind: 'sqlite', credentials: { url: 'data.db' } },
      auth: { kind: 'basic', users: { [PERSON.user]: { password: PERSON.password } } },
    },
  },
};

/** Starts a CAP service on SQLite with the entities of its profile. */
export async function startCap(home: string, { port, folder, log }: StartGiven): Promise<RealCrm> {
  for (const part of ['db', 'srv']) mkdirSync(join(folder, part), { recursive: true });
  writeFileSync(join(folder, 'db', 'schema.cds'), schema);
  writeFileSync(join(folder, 'srv', 'crm.cds'), service);
  writeFileSync(join(folder, 'server.js'), server);
  writeFileSync(join(folder, 'package.json'), JSON.stringify(project, null, 2));
  const modules = join(folder, 'node_modules');
  if (existsSync(modules)) rmSync(modules);
  symlinkSync(join(home, 'node_modules'), modules);
  const child = startChild({
    command: join(home, 'node_modules', '.bin', 'node'),
    args: [join('node_modules', '@sap', 'cds', 'bin', 'serve.js'), 'all', '--port', String(port)],
    env: process.env,
    log,
    cwd: folder,
  });
  const address = `http://127.0.0.1:${port}`;
  const signed = { authorization: `Basic ${Buffer.from(`${PERSON.user}:${PERSON.password}`).toString('base64')}` };
  const api = caller(`${address}${PATH}`, signed);
  await until({ what: 'CAP', child, log, ready: () => api.get('Contacts', { searchParams: { $top: 0 } }) });
  // A person at a screen saves over whatever is there.
  const anyway = { headers: { 'if-match': '*' } };
  return {
    address,
    child,
    stop: () => stopChild(child),
    env: { CRM_PROFILE: 'cap', CRM_URL: `${address}${PATH}`, CRM_USER: PERSON.user, CRM_PASSWORD: PERSON.password },
    screen: { url: `${address}/`, ...PERSON },
    desk: {
      async rows(type) {
        const { value } = await api.get(setOf(type)).json<{ value: Record<string, unknown>[] }>();
        return value.map((row) => ({ ...row, id: row['ID'] }));
      },
      async create(type, json) {
        const row = await api.post(setOf(type), { json }).json<Record<string, unknown>>();
        return { ...row, id: row['ID'] };
      },
      edit: async (type, id, json) => void (await api.patch(`${setOf(type)}(${id})`, { json, ...anyway })),
      remove: async (type, id) => void (await api.delete(`${setOf(type)}(${id})`, anyway)),
    },
  };
}
