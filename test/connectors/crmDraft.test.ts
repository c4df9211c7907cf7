import assert from 'node:assert/strict';
import { draftProfile, type Draft } from '../../connectors/crm/draft/draft.ts';
import { parseProfile } from '../../connectors/crm/profile/read.ts';
import type { Profile } from '../../connectors/crm/profile/schema.ts';
import type { SystemError } from '../../connectors/systemError.ts';
import type { Answering } from '../support/answering.ts';
import { oddCrm } from './oddCrm.ts';

const AUTH = { kind: 'header', header: 'Authorization', scheme: 'Bearer', token: { env: 'CRM_TOKEN' } } as const;

async function drafted(
  answering: Answering,
  at: string,
  { headers = {}, below }: { readonly headers?: Record<string, string>; readonly below?: string | undefined } = {},
): Promise<{ draft: Draft; profile: Profile; url: string }> {
  const server = await oddCrm(answering);
  try {
    const env = { CRM_TOKEN: 't', ...(below === undefined ? {} : { CRM_URL: server.url + below }) };
    const draft = await draftProfile({ url: server.url + at, auth: AUTH, env, headers });
    return { draft, profile: parseProfile(JSON.stringify(draft.profile), 'draft.json'), url: server.url };
  } finally {
    await server.close();
  }
}

const PERSON = { id: 3, created: '2026-01-01T00:00:00Z', modified: '2026-01-02T00:00:00Z', first_name: 'Kari', last_name: 'Lie' };
const FIRM = { id: 4, created: '2026-01-01T00:00:00Z', modified: '2026-01-02T00:00:00Z', title: 'Lie AS' };

describe('a first draft of a profile', () => {
  it('of an API that can be walked through has its lists, with their slashes, and names as the flows call them', async () => {
    const { draft, profile, url } = await drafted((_, { pathname, origin }) => {
      if (pathname === '/api/')
        return { body: { people: `${origin}/api/people/`, organisations: `${origin}/api/organisations/` } };
      if (!pathname.endsWith('/') && pathname.startsWith('/api')) return { status: 301, headers: { location: `${pathname}/` } };
      const row = pathname.startsWith('/api/people/') ? PERSON : FIRM;
      if (/^\/api\/\w+\/$/.test(pathname)) return { body: { count: 1, next: null, results: [row] } };
      return /^\/api\/\w+\/\d\/$/.test(pathname) ? { body: row } : { status: 404 };
    }, '/api');
    assert.equal(draft.base, `${url}/api`);
    assert.deepEqual(
      Object.entries(profile.types).map(([name, { path, fields }]) => [
        name,
        path,
        fields.map((field) => [field.name, field.at]),
      ]),
      [
        [
          'Contact',
          '/people',
          [
            ['givenName', 'first_name'],
            ['familyName', 'last_name'],
          ],
        ],
        ['Company', '/organisations', [['title', undefined]]],
      ],
    );
    assert.deepEqual(
      [profile.operations.list?.path, profile.operations.read?.path, profile.record.changed],
      ['{path}/', '{path}/{id}/', ['modified', 'created']],
    );
    assert.ok(draft.notes.includes('as the three flows call them: People Contact, first_name givenName, last_name familyName'));
  });

  it('sees the format of stamps, an ETag in rows, the next page, and how much is not shown', async () => {
    const row = (n: number): object => ({ _id: `a${n}`, _updated: 'Thu, 01 Jan 2026 10:00:00 GMT', _etag: `e${n}`, name: 'x' });
    const { profile, draft } = await drafted((_, { pathname }) => {
      if (pathname === '/v1/people') return { body: { _items: [row(1), row(2)], _meta: { total: 9 } } };
      return pathname === '/v1/people/a1' ? { body: row(1) } : { status: 404 };
    }, '/v1/people');
    assert.equal(profile.stamps.format, 'http');
    assert.equal(profile.record.etag, '_etag');
    assert.deepEqual(profile.condition, { header: 'If-Match', value: '{etag}', delete: true });
    assert.deepEqual(
      profile.types['People']?.fields.map(({ name }) => name),
      ['name'],
    );
    assert.ok(draft.notes.some((note) => note.startsWith('/v1/people shows 2 of 9: it pages')));

    const stamps: [unknown, string][] = [
      [1_767_225_600, 'seconds'],
      [1_767_225_600_000, 'ms'],
      ['2026-01-01 10:00:00', 'iso-blank'],
    ];
    for (const [updatedAt, format] of stamps) {
      const one = { id: 'a', updatedAt, name: 'x' };
      const link = { headers: { link: '</people?page=2>; rel="next"' } };
      const seen = await drafted(
        (_, { pathname }) => (pathname === '/people' ? { body: [one], ...link } : { body: one }),
        '/people',
      );
      assert.deepEqual([seen.profile.stamps.format, seen.profile.paging.style], [format, 'link']);
    }
    const local = { id: 'a', updatedAt: '01.02.2026 10:00', name: 'x' };
    const told = await drafted((_, { pathname }) => ({ body: pathname === '/people' ? [local] : local }), '/people');
    assert.ok(told.draft.notes.some((note) => note.includes('"01.02.2026 10:00" is of no usual format')));
  });

  it('sees properties below a key, and a single record below another', async () => {
    const row = {
      id: '7',
      type: 'people',
      attributes: { updatedAt: '2026-01-01T00:00:00Z', firstName: 'Kari', lastName: 'Lie' },
    };
    const { profile, draft } = await drafted(
      ({ headers }, { pathname }) => {
        if (headers['x-app'] !== 'crm') return { status: 403, body: { message: 'X-App is missing' } };
        return { body: { data: pathname === '/people' ? [row] : row } };
      },
      '/people',
      { headers: { 'X-App': 'crm' } },
    );
    assert.deepEqual([profile.record.values, profile.record.changed], ['attributes', ['attributes.updatedAt']]);
    assert.deepEqual([profile.operations.list?.items, profile.operations.read?.out], ['data', 'data']);
    assert.deepEqual(profile.headers, { 'X-App': 'crm' });
    assert.deepEqual(
      profile.types['Contact']?.fields.map(({ name, at }) => [name, at]),
      [
        ['givenName', 'firstName'],
        ['familyName', 'lastName'],
      ],
    );
    assert.ok(draft.notes.some((note) => note.includes('"body": {"data": "{values}"}')));
  });

  it('goes on from the address of the CRM where that is known', async () => {
    const answering: Answering = (_, { pathname }) =>
      pathname === '/v1/crm/people' ? { body: [PERSON] } : pathname === '/v1/crm/people/3' ? { body: PERSON } : { status: 404 };
    for (const [below, path, base] of [
      ['/v1', '/crm/people', '/v1'],
      [undefined, '/people', '/v1/crm'],
    ] as const) {
      const { draft, profile, url } = await drafted(answering, '/v1/crm/people', { below });
      assert.deepEqual([profile.types['Contact']?.path, draft.base], [path, url + base]);
    }
  });

  it('is not made of what shows no records, and says what to do', async () => {
    const refusal = (answering: Answering): Promise<string> =>
      drafted(answering, '/people').then(
        () => '',
        (error: SystemError) => error.text,
      );
    assert.match(
      await refusal(() => ({ status: 403, body: { message: 'no' } })),
      /\(403 \{"message":"no"\}\): look at how it signs in: --header, --scheme, --token, --basic, and --also/,
    );
    // Links are no records: they have no id.
    assert.match(
      await refusal((_, { pathname }) =>
        pathname === '/people' ? { body: { links: [{ title: 'a', href: 'a' }] } } : { status: 404 },
      ),
      /without a list of records .*name the address of a list that holds a record/,
    );
  });
});
