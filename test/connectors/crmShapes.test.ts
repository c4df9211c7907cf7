import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { secretsFrom } from '../../connectors/crm/auth.ts';
import type { Connector } from '../../connectors/connector.ts';
import { DEFAULT_PROFILE } from '../../connectors/crm/profile/default.ts';
import { readCrm } from '../../connectors/crm/readCrm.ts';
import { RateLimiter, type RateSlots } from '../../connectors/rateLimiter.ts';
import { memorySlots } from '../support/memorySlots.ts';
import { makeStore } from '../support/world.ts';
import { OPTIONS } from './calls.ts';
import { against, changedIds, connectorOf, day, EVERY, FIELDS, idsOf, oddCrm, operationsWith, ROWS } from './oddCrm.ts';

const T0 = '001767225600.000000000';

describe('the CRM connector asks and signs in as systems want it', () => {
  it('rows that are thin are read one by one; an older look-back; a filter in a header', async () => {
    const profile = {
      ...operationsWith({ changes: { thin: true, query: {}, headers: { 'If-Modified-Since': '{since}' } } }),
      stamps: { inclusive: true, sorted: 'yes', lagMs: 0, sinceFormat: 'http', lookBackMs: 3_600_000 },
    };
    const got = await against(
      (_, url) => {
        const id = url.pathname.split('/')[2];
        return {
          body: id === undefined ? [{ id: '2' }, { id: '9' }] : ROWS.find((row) => row.id === id),
          ...(id === '9' ? { status: 404 } : {}),
        };
      },
      profile,
      async (system) => assert.deepEqual(await changedIds(system, day(2)), ['2']),
    );
    assert.equal(got[0]?.headers['if-modified-since'], 'Thu, 01 Jan 2026 23:00:00 GMT');
    assert.deepEqual(
      got.map(({ target }) => target),
      ['/people', '/people/2', '/people/9'],
    );
  });

  it('a search in a body, properties that are asked for and stand below a key', async () => {
    const profile = {
      record: { id: 'id', changed: 'properties.lastmod', externalId: 'properties.ext', values: 'properties' },
      stamps: { inclusive: true, sorted: 'yes', lagMs: 0, sinceFormat: 'ms' },
      ...operationsWith({
        changes: {
          method: 'POST',
          path: '{path}/search',
          query: {},
          items: 'results',
          body: { filters: [{ name: 'lastmod', op: 'GTE', value: '{since}' }], properties: '{fields}' },
        },
        read: { query: { properties: '{fields}' } },
        create: { body: { properties: '{properties}' } },
      }),
    };
    const record = { id: '7', properties: { lastmod: day(3), ext: 'e', givenName: 'Kari' } };
    const got = await against(
      ({ target }) => ({ body: target.endsWith('search') ? { results: [record] } : record }),
      profile,
      async (system) => {
        assert.deepEqual(await changedIds(system, day(1)), ['7']);
        assert.equal((await system.read({ type: 'Contact', id: '7', fields: FIELDS }, OPTIONS)).fields['givenName'], 'Kari');
        const identity = { externalId: 'poweroffice:X:1', idempotencyKey: 'k' };
        await system.create({ type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity }, OPTIONS);
      },
    );
    assert.deepEqual(got[0]?.body, {
      filters: [{ name: 'lastmod', op: 'GTE', value: '1767225600000' }],
      properties: ['givenName', 'lastmod', 'ext'],
    });
    assert.equal(got[1]?.target, '/people/7?properties=givenName%2Clastmod%2Cext');
    assert.deepEqual(got[2]?.body, { properties: { givenName: 'Kari', ext: 'poweroffice:X:1' } });
  });

  const update = (system: Connector, etag?: string) =>
    system.update(
      {
        type: 'Contact',
        id: '1',
        set: { givenName: 'Eva' },
        condition: { test: { givenName: 'n0' }, version: T0, ...(etag === undefined ? {} : { etag }) },
        fields: FIELDS,
      },
      OPTIONS,
    );

  it('makes a write conditional by header, of ETag, version or stamp, and by JSON Patch', async () => {
    const written = { ...ROWS[0], givenName: 'Eva', updatedAt: day(9), rev: 4, '@odata.etag': 'W/"9"' };
    const cases: [object, object, Record<string, string>][] = [
      [{ condition: { header: 'If-Match', value: '{etag}' }, record: { etag: '@odata.etag' } }, {}, { 'if-match': 'W/"1"' }],
      [{ condition: { header: 'If-Match', value: '{etag}' } }, { etag: '"h"' }, { 'if-match': '"h"' }],
      [
        { condition: { header: 'X-Version-Number', value: '{version}' }, record: { version: 'rev' } },
        {},
        { 'x-version-number': '3' },
      ],
      [
        { condition: { header: 'If-Unmodified-Since', value: '{httpStamp}' } },
        {},
        { 'if-unmodified-since': 'Thu, 01 Jan 2026 00:00:00 GMT' },
      ],
    ];
    for (const [profile, headers, sent] of cases) {
      const got = await against(
        ({ method }) => ({
          body: method === 'GET' ? { ...ROWS[0], rev: 3, '@odata.etag': 'W/"1"' } : written,
          headers: headers as Record<string, string>,
        }),
        profile,
        async (system) => {
          const { etag } = await system.read({ type: 'Contact', id: '1', fields: FIELDS }, OPTIONS);
          await update(system, etag);
        },
      );
      assert.deepEqual(
        got.map(({ method }) => method),
        ['GET', 'PATCH'],
      );
      for (const [name, value] of Object.entries(sent)) assert.equal(got[1]?.headers[name], value);
    }
    const patched = await against(
      () => ({ body: written }),
      { condition: 'jsonPatchTest', ...operationsWith({ update: { style: 'jsonPatch' } }) },
      (system) => update(system),
    );
    assert.equal(patched[0]?.headers['content-type'], 'application/json-patch+json');
    assert.deepEqual(patched[0]?.body, [
      { op: 'test', path: '/givenName', value: 'n0' },
      { op: 'replace', path: '/givenName', value: 'Eva' },
    ]);
  });

  it('sends "*" where nothing to compare with is known, and a condition with a deletion', async () => {
    const got = await against(
      ({ method }) =>
        method === 'DELETE' ? { status: 204 } : { body: method === 'GET' ? ROWS[0] : { ...ROWS[0], updatedAt: day(9) } },
      { condition: { header: 'If-Match', value: '{etag}', otherwise: '*', delete: true } },
      async (system) => {
        await update(system);
        await system.remove('Contact', '1', OPTIONS);
      },
    );
    assert.deepEqual(
      got.map(({ method, headers }) => `${method} ${headers['if-match'] ?? ''}`.trim()),
      ['GET', 'PATCH *', 'GET', 'DELETE *'],
    );
  });

  it('writes no value as the system does, and reads it back as none', async () => {
    for (const noValue of ['', false] as const) {
      const got = await against(
        () => ({ body: { ...ROWS[0], givenName: noValue, updatedAt: day(9) } }),
        { record: { noValue }, condition: { header: 'If-Match', value: '{etag}' } },
        async (system) => {
          const condition = { test: { givenName: 'n0' }, version: T0, etag: '"1"' };
          const seen = await system.update(
            { type: 'Contact', id: '1', set: { givenName: null }, condition, fields: FIELDS },
            OPTIONS,
          );
          assert.ok(seen.fields['givenName'] === null || seen.fields['givenName'] === '');
        },
      );
      assert.deepEqual(got[0]?.body, { givenName: noValue });
    }
  });

  it('signs in by key, by name and password, and by OAuth, whose token is renewed once when it is refused', async () => {
    const env = { KEY: 'k', CRM_USER: 'u', CRM_PASSWORD: 'p', CRM_CLIENT_ID: 'id', CRM_CLIENT_SECRET: 's' };
    const secret = secretsFrom(env);
    const simple: [object, Record<string, string>][] = [
      [{ kind: 'header', header: 'X-Api-Key', scheme: '', token: { env: 'KEY' } }, { 'x-api-key': 'k' }],
      [{ kind: 'basic' }, { authorization: `Basic ${Buffer.from('u:p').toString('base64')}` }],
    ];
    for (const [auth, headers] of simple) {
      const got = await against(() => ({ body: ROWS }), { auth, given: { secret } }, idsOf);
      for (const [name, value] of Object.entries(headers)) assert.equal(got[0]?.headers[name], value);
    }
    const folder = await mkdtemp(join(tmpdir(), 'tandem-auth-'));
    const file = join(folder, 'refresh');
    await writeFile(file, 'r1\n');
    try {
      for (const grant of ['client_credentials', 'refresh_token']) {
        let tokens = 0;
        const server = await oddCrm(({ target, headers }) => {
          if (target === '/token')
            return {
              body: {
                access_token: `t${++tokens}`,
                token_type: 'Bearer',
                expires_in: 3600,
                ...(grant === 'refresh_token' ? { refresh_token: `r${tokens + 1}` } : {}),
              },
            };
          return headers['authorization'] === 'Bearer t2' ? { body: ROWS } : { status: 401, body: {} };
        });
        try {
          const auth = {
            kind: 'oauth2',
            grant,
            tokenUrl: `${server.url}/token`,
            sendAs: 'post',
            scope: 'crm',
            ...(grant === 'refresh_token' ? { refreshToken: { file } } : {}),
          };
          const system = connectorOf(server.url, { auth }, { secret });
          assert.deepEqual(await idsOf(system), EVERY);
          assert.deepEqual(await idsOf(system), EVERY);
          assert.equal(tokens, 2);
          const form = new URLSearchParams(String(server.got[0]?.body));
          assert.deepEqual([form.get('grant_type'), form.get('client_id'), form.get('scope')], [grant, 'id', 'crm']);
          if (grant === 'refresh_token') {
            assert.equal(form.get('refresh_token'), 'r1');
            assert.equal((await readFile(file, 'utf8')).trim(), 'r3');
          }
        } finally {
          await server.close();
        }
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('shares a limit with whoever calls the same address with the same credential, and with nobody else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tandem-profile-'));
    const file = join(folder, 'crm.json');
    await writeFile(file, JSON.stringify({ ...DEFAULT_PROFILE, limits: [{ calls: 100, perMs: 10_000 }] }));
    const keys: string[] = [];
    const slots = memorySlots();
    const noting: RateSlots = { ...slots, say: (key, user, says) => (keys.push(key), slots.say(key, user, says)) };
    try {
      for (const [url, token] of [
        ['http://127.0.0.1:9', 'a'],
        ['http://127.0.0.1:9', 'a'],
        ['http://127.0.0.1:9', 'b'],
        ['http://127.0.0.1:10', 'a'],
      ] as const) {
        const system = await (await readCrm(file)).connect({ url, env: { CRM_TOKEN: token }, slots: noting });
        await assert.rejects(system.check());
      }
      assert.equal(keys.length, 4);
      assert.equal(new Set(keys).size, 3);
      assert.equal(keys[0], keys[1]);
      assert.ok(
        keys.every((key) => !/:[ab](:|$)/.test(key)),
        'a key shows no credential',
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('keeps within a limit that is shared, for the operations that it names', async () => {
    const { store } = await makeStore();
    try {
      const limiter = new RateLimiter(store.slots, 'crm', { perSecond: 10 });
      const began = Date.now();
      await against(
        () => ({ body: ROWS }),
        { given: { limits: [{ limiter, operations: ['list'] }] } },
        async (system) => {
          for (let i = 0; i < 6; i++) await idsOf(system);
        },
      );
      assert.ok(Date.now() - began >= 500, `${Date.now() - began} ms`);
    } finally {
      await store.close();
    }
  });
});
