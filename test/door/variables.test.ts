import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../stack/process.ts';
import { makeNamespace } from '../support/temporal.ts';
import { eventually, makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';
import { packed, type, typed, type Place } from './places.ts';
import { refusingMongo, refusingTemporal, type Refusing } from './refusing.ts';

const WORKER = 'exec node_modules/.bin/tandem worker';

describe('each variable, as a person gets it wrong', function () {
  this.timeout(300_000);
  let there: Place;
  let world: World;
  let env: Record<string, string>;
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;
  let refusing: Record<'temporal' | 'mongo', Refusing>;

  before(async () => {
    there = await packed();
    world = await makeWorld({ size: { products: 1, contactPersons: 1, suppliers: 1, supplierPersons: 1 } });
    temporal = await makeNamespace();
    env = workerEnv(world, mongoUri(), { TEMPORAL_NAMESPACE: temporal.namespace });
    refusing = { temporal: await refusingTemporal(), mongo: await refusingMongo() };
    writeFileSync(join(there.folder, 'broken.json'), '{ "flows": [ }');
    writeFileSync(join(there.folder, 'other.json'), '{ "flows": [{ "name": "x" }] }');
    writeFileSync(join(there.folder, 'empty.json'), '{}');
    writeFileSync(join(there.folder, 'odd.rst'), 'A to B\n======\n');
  });
  after(async () => {
    refusing.temporal.close();
    refusing.mongo.close();
    await temporal.close();
    await world.close();
  });

  /** How long this machine takes to start a worker that ends at once (ms). */
  let slowestStart = 0;
  /** What a worker with these variables says on stderr before it ends with code 2. */
  async function refused(more: Readonly<Record<string, string>>, code = 2): Promise<string[]> {
    const began = Date.now();
    const { stderr } = await typed(WORKER, there.folder, { env: { ...env, ...more }, code });
    slowestStart = Math.max(slowestStart, Date.now() - began);
    return stderr.split('\n');
  }
  /** One line begins by naming the variable, and tells what was seen and what to do. */
  function told(lines: readonly string[], name: string, { seen, next }: { readonly seen: RegExp; readonly next: RegExp }): void {
    const mine = lines.filter((line) => new RegExp(`^tandem: (\\w+ or )?${name}\\b`).test(line));
    assert.equal(mine.length, 1, `${name} in one line of ${JSON.stringify(lines)}`);
    assert.match(mine[0] ?? '', seen);
    assert.match(mine[0]?.split(';').slice(1).join(';') ?? '', next);
  }

  it('missing: all at once', async () => {
    const { stderr } = await typed(WORKER, there.folder, { code: 2 });
    const required = [
      ['POWEROFFICE_URL', /base address/],
      ['POWEROFFICE_APPLICATION_KEY', /application key/],
      ['POWEROFFICE_CLIENT_KEY', /client key/],
      ['POWEROFFICE_SUBSCRIPTION_KEY', /subscription key/],
      ['CRM_URL', /base address/],
      ['CRM_TOKEN', /token/],
    ] as const;
    for (const [name, next] of required) told(stderr.split('\n'), name, { seen: /is missing/, next });
    assert.equal(stderr.split('\n').length, required.length);
  });

  it('missing: what the profile of a CRM names for its secrets', async () => {
    const profile = JSON.parse(readFileSync(new URL('../../examples/crm-profile.json', import.meta.url), 'utf8')) as object;
    const ways = [
      [{ kind: 'basic' }, ['CRM_USER', 'CRM_PASSWORD']],
      [
        { kind: 'oauth2', grant: 'client_credentials', tokenUrl: 'http://127.0.0.1:9/token' },
        ['CRM_CLIENT_ID', 'CRM_CLIENT_SECRET'],
      ],
    ] as const;
    const said = await Promise.all(
      ways.map(([auth]) => {
        writeFileSync(join(there.folder, `${auth.kind}.json`), JSON.stringify({ ...profile, auth }));
        return refused({ CRM_PROFILE: `${auth.kind}.json` });
      }),
    );
    for (const [i, [, names]] of ways.entries())
      for (const name of names)
        told(said[i] ?? [], name, { seen: /is missing/, next: new RegExp(`set it to .* "a CRM that counts`) });
  });

  it('malformed: all at once', async () => {
    const malformed = [
      ['TEMPORAL_ADDRESS', 'http://localhost:7233', /is not host:port \("http:\/\/localhost:7233"\)/, /host and port/],
      ['MONGODB_URI', 'localhost:27017', /is not a MongoDB address/, /mongodb:\/\/host:port\/database/],
      ['POWEROFFICE_URL', 'goapi', /is not an http\(s\) address \("goapi"\)/, /goapi\.poweroffice\.net/],
      ['CRM_URL', 'crm', /is not an http\(s\) address \("crm"\)/, /base address/],
      ['TANDEM_POLL_SECONDS', 'soon', /is not a number \("soon"\)/, /pause between two looks/],
      ['TANDEM_SWEEP_HOURS', '-1', /must be more than 0/, /pause/],
      ['TANDEM_DELETION_HOURS', 'x', /is not a number/, /pause/],
      ['TANDEM_HISTORY_DAYS', '0', /must be more than 0/, /kept/],
      ['TANDEM_TAKEOVER_SECONDS', 'x', /is not a number/, /silence/],
      ['POWEROFFICE_REQUESTS_PER_SECOND', '11', /is too high/, /10 a second/],
    ] as const;
    const lines = await refused(Object.fromEntries(malformed.map(([name, value]) => [name, value])));
    for (const [name, , seen, next] of malformed) told(lines, name, { seen, next });
    const files = [
      ['TANDEM_FLOWS', 'broken.json', /broken\.json is not JSON/],
      ['TANDEM_FLOWS', 'other.json', /other\.json: flows\[0\]/],
      ['TANDEM_FLOWS', 'nowhere.json', /nowhere\.json cannot be read: ENOENT/],
      ['CRM_PROFILE', 'empty.json', /empty\.json:1: name: Invalid input/],
      ['CRM_PROFILE', 'nowhere.json', /nowhere\.json cannot be read: ENOENT/],
      ['TEMPORAL_PROFILE', 'nobody', /nobody/],
    ] as const;
    const said = await Promise.all(files.map(([name, value]) => refused({ [name]: value })));
    for (const [i, [name, , seen]] of files.entries())
      assert.ok(
        said[i]?.some((line) => line.startsWith(`tandem: ${name}: `) && seen.test(line)),
        JSON.stringify(said[i]),
      );
    assert.match(
      (await refused({ TANDEM_FLOWS: 'odd.rst' })).join('\n'),
      /^odd\.rst:\d+: .*\n {4}1 \| A to B\n {6}\| expected: /,
    );
  });

  const wrong = [
    ['POWEROFFICE_APPLICATION_KEY', /refuses the key: 401 .*invalid_client/],
    ['POWEROFFICE_CLIENT_KEY', /refuses the key: 401 .*invalid_client/],
    ['POWEROFFICE_SUBSCRIPTION_KEY', /refuses the key: 401 .*invalid subscription key/],
    ['CRM_TOKEN', /refuses the key: 401 Unauthorized; The token is missing or unknown/],
    ['TEMPORAL_NAMESPACE', /Namespace wrong is not found/],
  ] as const;
  for (const [name, seen] of wrong)
    it(`refused: ${name}`, async () => {
      const lines = await refused({ [name]: 'wrong' });
      const mine = lines.find((line) => new RegExp(`^tandem: (\\w+ or )?${name}\\b`).test(line));
      assert.match(mine ?? JSON.stringify(lines), seen);
      assert.match(mine ?? '', new RegExp(`; correct .*${name}`));
    });

  it('refused: the password of MONGODB_URI, which is not repeated', async () => {
    const lines = await refused({ MONGODB_URI: `mongodb://me:secret@127.0.0.1:${refusing.mongo.port}/tandem` });
    told(lines, 'MONGODB_URI', { seen: /refuses the key: Authentication failed\./, next: /correct MONGODB_URI/ });
    assert.doesNotMatch(lines.join('\n'), /secret/);
  });

  it('refused: TEMPORAL_API_KEY', async () => {
    const lines = await refused({
      TEMPORAL_ADDRESS: `127.0.0.1:${refusing.temporal.port}`,
      TEMPORAL_API_KEY: 'wrong',
      TEMPORAL_TLS: 'false',
    });
    told(lines, 'TEMPORAL_API_KEY', { seen: /refuses the key: Request unauthorized\./, next: /correct TEMPORAL_API_KEY/ });
  });

  const away: readonly (readonly [string, (at: string) => string])[] = [
    ['MONGODB_URI', (at) => `mongodb://${at}/tandem`],
    ['POWEROFFICE_URL', (at) => `http://${at}/v2`],
    ['CRM_URL', (at) => `http://${at}`],
    ['TEMPORAL_ADDRESS', (at) => at],
  ];
  for (const [name, valueOf] of away)
    it(`unreachable: ${name}, said at once on stderr and in the log while it waits`, async () => {
      const began = Date.now();
      const worker = type(WORKER, there.folder, {
        ...env,
        MONGODB_URI: mongoUri(),
        [name]: valueOf(`127.0.0.1:${await freePort()}`),
      });
      try {
        await eventually(
          'a line',
          () => worker.stderr.length,
          (n) => n > 0,
        );
        assert.ok(Date.now() - began < 8000 + 2 * slowestStart);
        told(worker.stderr, name, {
          seen: /cannot be reached: .*ECONNREFUSED/,
          next: new RegExp(`start it, or correct ${name}. Waiting for it`),
        });
        await eventually(
          'the log',
          () => worker.stdout.join('\n'),
          (said) => said.includes('cannot be reached; waiting for it'),
        );
        assert.equal(await worker.interrupt('SIGTERM'), 0);
      } finally {
        await worker.interrupt('SIGKILL');
      }
    });

  it('unreachable: a command says so, and ends with code 1', async () => {
    for (const [name, valueOf] of away.filter(([each]) => /^(MONGODB|TEMPORAL)/.test(each))) {
      const value = valueOf(`127.0.0.1:${await freePort()}`);
      const { stderr } = await typed('npx tandem status', there.folder, { env: { ...env, [name]: value }, code: 1 });
      told(stderr.split('\n'), name, {
        seen: /cannot be reached: .*ECONNREFUSED/,
        next: new RegExp(`start it, or correct ${name}`),
      });
    }
  });
});
