import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { caller, COLLECTIONS, collectionOf, orStop, PERSON, type RealCrm, type StartGiven } from './crmServer.ts';
import { nodePackages } from './nodePackages.ts';
import { startChild, stopChild } from './process.ts';
import { until } from './servers.ts';

/** The static token of the first user; it opens the local stack's Directus alone. */
const TOKEN = 'tandem-demo-token';
const DATABASE = 'data.db';
const START_MS = 120_000;

/** Directus, from npm: some 500 MB, minutes the first time. */
export const fetchDirectus = (): Promise<string> => nodePackages('directus', ['directus@11.3.5']);

const field = (name: string): object => ({
  field: name,
  type: 'string',
  ...(name === 'externalId' ? { schema: { is_unique: true } } : {}),
});
const stamp = (name: string, special: string): object => ({
  field: name,
  type: 'timestamp',
  meta: { special: [special], readonly: true },
});

const collection = (name: string, fields: readonly string[]): object => ({
  collection: name,
  schema: {},
  meta: {},
  fields: [
    { field: 'id', type: 'uuid', schema: { is_primary_key: true }, meta: { special: ['uuid'], readonly: true } },
    ...fields.map(field),
    stamp('date_created', 'date-created'),
    stamp('date_updated', 'date-updated'),
  ],
});

/** Starts Directus on SQLite with the collections of its profile. */
export async function startDirectus(home: string, { port, folder, log }: StartGiven): Promise<RealCrm> {
  const env = {
    ...process.env,
    HOST: '127.0.0.1',
    PORT: String(port),
    DB_CLIENT: 'sqlite3',
    DB_FILENAME: join(folder, DATABASE),
    SECRET: 'tandem-demo-secret-of-the-local-stack',
    ADMIN_EMAIL: PERSON.user,
    ADMIN_PASSWORD: PERSON.password,
    ADMIN_TOKEN: TOKEN,
    TELEMETRY: 'false',
    // Pages of the screen load from elsewhere otherwise, and the log is read by nobody.
    LOG_LEVEL: 'warn',
  };
  const cli = join(home, 'node_modules', 'directus', 'cli.js');
  const made = join(folder, 'bootstrapped');
  if (!existsSync(made)) {
    await promisify(execFile)(process.execPath, [cli, 'bootstrap'], { env, cwd: folder, timeout: START_MS });
    // A database that is half made is made again.
    writeFileSync(made, '');
  }
  const child = startChild({ command: process.execPath, args: [cli, 'start'], env, log, cwd: folder });
  const address = `http://127.0.0.1:${port}`;
  await until({ what: 'Directus', child, log, ready: () => caller(address).get('server/ping'), patienceMs: START_MS });
  const api = caller(address, { authorization: `Bearer ${TOKEN}` });
  await orStop(child, async () => {
    const { data: known } = await api.get('collections').json<{ data: { collection: string }[] }>();
    for (const { path, fields } of Object.values(COLLECTIONS))
      if (!known.some((each) => each.collection === path)) await api.post('collections', { json: collection(path, fields) });
  });
  const items = (type: string): string => `items/${collectionOf(type)}`;
  return {
    address,
    child,
    stop: () => stopChild(child),
    env: { CRM_PROFILE: 'directus', CRM_URL: address, CRM_TOKEN: TOKEN },
    screen: { url: `${address}/admin`, ...PERSON },
    desk: {
      async rows(type) {
        return (await api.get(items(type), { searchParams: { limit: -1 } }).json<{ data: Record<string, unknown>[] }>()).data;
      },
      async create(type, json) {
        return (await api.post(items(type), { json }).json<{ data: Record<string, unknown> }>()).data;
      },
      edit: async (type, id, json) => void (await api.patch(`${items(type)}/${id}`, { json })),
      remove: async (type, id) => void (await api.delete(`${items(type)}/${id}`)),
    },
  };
}
