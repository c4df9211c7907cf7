import assert from 'node:assert/strict';
import type { Connector } from '../../connectors/connector.ts';
import { parseProfile } from '../../connectors/crm/profile/read.ts';
import { formatThatReads, instantOf, stampText } from '../../connectors/crm/profile/stamps.ts';
import { profileSchema } from '../../connectors/crm/profile/schema.ts';
import type { SystemError } from '../../connectors/systemError.ts';
import { TandemError } from '../../flows/tandemError.ts';
import { all, OPTIONS } from './calls.ts';
import { against, changedIds, day, EVERY, FIELDS, idsOf, operationsWith, profileText, ROWS } from './oddCrm.ts';

const update = (system: Connector, etag?: string): Promise<unknown> =>
  system.update(
    {
      type: 'Contact',
      id: '1',
      set: { givenName: 'Eva' },
      condition: { test: { givenName: 'n0' }, version: '000000000000.000000000', ...(etag === undefined ? {} : { etag }) },
      fields: FIELDS,
    },
    OPTIONS,
  );
const refusal = (more: object): string => {
  try {
    parseProfile(profileText(more), 'p.json');
  } catch (error) {
    if (error instanceof TandemError) return error.message;
  }
  return '';
};

describe('systems unlike those that profiles are shipped for', () => {
  it('name a property otherwise than flows do, and deeper', async () => {
    const types = {
      Contact: {
        path: '/people',
        fields: [
          { name: 'givenName', at: 'name.first' },
          { name: 'familyName', at: 'last_name' },
        ],
      },
    };
    const row = { id: '1', updatedAt: day(1), name: { first: 'n0', middle: 'B' }, last_name: 'x' };
    const profile = { types, ...operationsWith({ list: { query: { fields: '{fields}', columns: '{columns}' } } }) };
    const got = await against(
      ({ method, body }) => ({
        body: method === 'GET' ? [row] : { ...row, ...(body as object), updatedAt: day(2) },
      }),
      { ...profile, ...operationsWith({ read: { out: '0' }, list: { query: { f: '{fields}', c: '{columns}' } } }) },
      async (system) => {
        const [page] = await all(system.changed({ type: 'Contact', fields: ['givenName', 'familyName'], since: null }, OPTIONS));
        assert.deepEqual(page?.fields, { givenName: 'n0', familyName: 'x' });
        await update(system);
      },
    );
    assert.match(got[0]?.target ?? '', /f=name.first%2Clast_name&c=id%2CupdatedAt%2Cname%2Clast_name/);
    assert.deepEqual(got.at(-1)?.body, { name: { first: 'Eva' } });
  });

  it('show the next page in a header: an address, or a token', async () => {
    const pages = (url: URL): { rows: object[]; next: number } => {
      const from = Number(url.searchParams.get('from') ?? 0);
      return { rows: ROWS.slice(from, from + 3), next: from + 3 };
    };
    const address = { paging: { style: 'url', size: 3, nextHeader: 'Next-Page' } };
    const token = {
      paging: { style: 'cursor', size: 3, nextHeader: 'X-Next' },
      ...operationsWith({ list: { query: { from: '{cursor}' } } }),
    };
    for (const [header, profile] of [
      ['next-page', address],
      ['x-next', token],
    ] as const)
      await against(
        (_, url) => {
          const { rows, next } = pages(url);
          const said = header === 'next-page' ? `/people?from=${next}` : String(next);
          return { body: rows, headers: next < ROWS.length ? { [header]: said } : {} };
        },
        profile,
        async (system) => assert.deepEqual(await idsOf(system), EVERY),
      );
    assert.match(refusal({ paging: { style: 'url', next: 'n', nextHeader: 'N' } }), /needs next, .* or nextHeader, and not both/);
  });

  it('answer 404 behind their last page', async () => {
    const profile = {
      paging: { style: 'page', size: 1 },
      ...operationsWith({ list: { query: { page: '{page}' } } }),
    };
    const got = await against(
      (_, url) => {
        const row = ROWS[Number(url.searchParams.get('page')) - 1];
        return row ? { body: [row] } : { status: 404, body: { detail: 'Invalid page.' } };
      },
      profile,
      async (system) => {
        assert.deepEqual(await idsOf(system), EVERY);
        assert.deepEqual([...new Set(await changedIds(system, null))], EVERY);
      },
    );
    assert.equal(got[ROWS.length]?.target, '/people?page=8');
    // The first page is another matter: there is no such list.
    await against(
      () => ({ status: 404 }),
      profile,
      (system) => assert.rejects(idsOf(system), { failure: 'gone' }),
    );
  });

  it('give an address for an id', async () => {
    const record = { id: '_links.self.href', changed: 'updatedAt' };
    const row = { updatedAt: day(1), givenName: 'n0', _links: { self: { href: 'http://crm.example/api/people/7' } } };
    const got = await against(
      (_, url) => ({ body: url.pathname === '/people' ? [row] : row }),
      { record },
      async (system) => {
        assert.deepEqual(await idsOf(system), ['7']);
        assert.equal((await system.read({ type: 'Contact', id: '7', fields: FIELDS }, OPTIONS)).id, '7');
      },
    );
    assert.equal(got[1]?.target, '/people/7');
  });

  it('want the condition in the body, and a number to be one', async () => {
    const profile = {
      record: { version: 'rev' },
      condition: { value: '{version}' },
      ...operationsWith({
        update: {
          method: 'POST',
          path: '{path}/update',
          body: { key: '{id|number}', version: '{condition|number}', values: '{values}' },
        },
      }),
    };
    const got = await against(
      ({ method }) => ({ body: { ...ROWS[0], rev: method === 'GET' ? 3 : 4, givenName: method === 'GET' ? 'n0' : 'Eva' } }),
      profile,
      async (system) => {
        const { etag } = await system.read({ type: 'Contact', id: '1', fields: FIELDS }, OPTIONS);
        await update(system, etag);
      },
    );
    assert.deepEqual(got[1]?.body, { key: 1, version: 3, values: { givenName: 'Eva' } });
    assert.match(
      refusal({ record: { version: 'rev' }, condition: { value: '{version}' } }),
      /a condition without a header needs \{condition\} in the path, query or body of update/,
    );
    assert.match(
      refusal(operationsWith({ update: { body: { v: '{version}', values: '{values}' } } })),
      /\{version\} is no variable/,
    );
  });

  it('take a whole record by PUT, without what is theirs', async () => {
    const profile = operationsWith({ update: { method: 'PUT', style: 'replace', omit: ['id', 'updatedAt', 'meta.etag'] } });
    const got = await against(
      ({ method }) => ({
        body: { ...ROWS[0], meta: { etag: 'e', tags: ['a'] }, ...(method === 'PUT' ? { givenName: 'Eva' } : {}) },
      }),
      profile,
      (system) => update(system),
    );
    assert.deepEqual(got[1]?.body, { givenName: 'Eva', familyName: 'x', meta: { tags: ['a'] } });
    assert.match(refusal(operationsWith({ update: { omit: ['id'] } })), /omit has a meaning with the style replace alone/);
  });

  it('take their token in the address, also that of a next page', async () => {
    const got = await against(
      (_, url) => {
        const second = url.searchParams.has('after');
        return {
          body: { rows: second ? ROWS.slice(3) : ROWS.slice(0, 3), next: second ? null : '/people?after=3&api_token=old' },
        };
      },
      {
        auth: { kind: 'query', parameter: 'api_token' },
        paging: { style: 'url', next: 'next' },
        ...operationsWith({ list: { items: 'rows' } }),
      },
      async (system) => assert.deepEqual(await idsOf(system), EVERY),
    );
    assert.deepEqual(
      got.map(({ target }) => target),
      ['/people?api_token=s', '/people?after=3&api_token=s'],
    );
  });

  it('take a form in place of JSON', async () => {
    const contentType = 'application/x-www-form-urlencoded';
    const got = await against(
      () => ({ body: { ...ROWS[0], givenName: 'Eva & co' } }),
      operationsWith({ create: { contentType, body: { person: '{values}', tags: ['a', 'b'] } } }),
      async (system) => {
        const identity = { externalId: 'poweroffice:X:1', idempotencyKey: 'k' };
        await system.create(
          { type: 'Contact', values: { givenName: 'Eva & co', familyName: null }, fields: FIELDS, identity },
          OPTIONS,
        );
      },
    );
    assert.match(got[0]?.headers['content-type'] ?? '', /^application\/x-www-form-urlencoded/);
    assert.equal(got[0]?.body, 'person%5BgivenName%5D=Eva+%26+co&person%5BfamilyName%5D=&tags%5B0%5D=a&tags%5B1%5D=b');
  });

  it('speak GraphQL: one address, every call a POST, failures under 200, null for what is not there', async () => {
    const fields = 'id updatedAt givenName';
    const post = { method: 'POST', path: '/graphql' };
    const more = {
      paging: { style: 'cursor', size: 3, next: 'data.people.pageInfo.endCursor', more: 'data.people.pageInfo.hasNextPage' },
      operations: {
        list: {
          ...post,
          items: 'data.people.edges',
          record: { id: 'node.id', changed: 'node.updatedAt', values: 'node' },
          body: {
            query: `query($after: String, $since: String) { people(first: 3, after: $after, since: $since) { edges { node { ${fields} } } } }`,
            variables: { after: '{cursor}', since: null },
          },
        },
        read: {
          ...post,
          out: 'data.person',
          body: { query: `query($id: ID!) { person(id: $id) {{id}} }`, variables: { id: '{id}' } },
        },
        create: { ...post, out: 'data.made.person', body: { query: 'mutation …', variables: { input: '{values}' } } },
        update: {
          ...post,
          out: 'data.changed.person',
          body: { query: 'mutation …', variables: { id: '{id}', input: '{values}' } },
        },
      },
      errors: [
        { status: 200, at: 'data.person', equals: null, operations: ['read'], is: 'gone' },
        { status: 200, at: 'errors.0.extensions.code', equals: 'CONFLICT', is: 'contended' },
        { status: 200, at: 'errors.0.message', is: 'refused' },
      ],
      errorText: ['errors.0.message'],
    };
    const got = await against(
      ({ body }) => {
        const { variables, query } = body as { query: string; variables: Record<string, unknown> };
        if (query.startsWith('mutation'))
          return { body: { errors: [{ message: 'no', extensions: { code: 'CONFLICT' } }], data: null } };
        if ('id' in variables) return { body: { data: { person: ROWS.find(({ id }) => id === variables['id']) ?? null } } };
        const from = Number(variables['after'] ?? 0);
        const edges = ROWS.slice(from, from + 3).map((node) => ({ node }));
        return {
          body: { data: { people: { edges, pageInfo: { endCursor: String(from + 3), hasNextPage: from + 3 < ROWS.length } } } },
        };
      },
      more,
      async (system) => {
        assert.deepEqual(await idsOf(system), EVERY);
        assert.equal((await system.read({ type: 'Contact', id: '2', fields: FIELDS }, OPTIONS)).fields['givenName'], 'n1');
        await assert.rejects(system.read({ type: 'Contact', id: '99', fields: FIELDS }, OPTIONS), { failure: 'gone' });
        await assert.rejects(update(system), { failure: 'contended' });
      },
    );
    assert.match(String((got[3]?.body as { query: string } | undefined)?.query), /person\(id: \$id\) \{id\} \}$/);
  });

  it('write stamps as their country does', () => {
    const stamps = (more: object): ReturnType<typeof profileSchema.parse>['stamps'] => profileSchema.shape.stamps.parse(more);
    const at = Date.UTC(2026, 6, 1, 10, 20, 30, 456);
    const local = stamps({ format: 'DD.MM.YYYY HH:mm:ss', zone: 'Europe/Oslo' });
    assert.equal(stampText(at, local), '01.07.2026 12:20:30');
    assert.equal(instantOf('01.07.2026 12:20:30', local), '2026-07-01T10:20:30.000Z');
    const tight = stamps({ format: 'YYYYMMDDHHmmssSSS' });
    assert.equal(stampText(at, tight), '20260701102030456');
    assert.equal(instantOf('20260701102030456', tight), '2026-07-01T10:20:30.456Z');
    assert.equal(instantOf('31.02.2026x', local), null);
    assert.match(refusal({ stamps: { format: 'isso' } }), /must be iso, .*or a pattern/);
    assert.deepEqual(
      [
        1782901230456,
        1782901230,
        '1782901230',
        'Wed, 01 Jul 2026 10:20:30 GMT',
        '2026-07-01 10:20:30Z',
        '2026-07-01',
        '01.07.2026',
        7,
      ].map(formatThatReads),
      ['ms', 'seconds', 'seconds', 'http', 'iso-blank', 'date', null, null],
    );
  });

  it('whose stamp cannot be read are told of the format that could', async () => {
    const row = { ...ROWS[0], updatedAt: 1782901230 };
    await against(
      () => ({ body: row }),
      {},
      (system) =>
        assert.rejects(system.read({ type: 'Contact', id: '1', fields: FIELDS }, OPTIONS), (error: SystemError) =>
          error.text.endsWith(
            'has no updatedAt that "format": "iso" can read (1782901230): under stamps, say "format": "seconds"',
          ),
        ),
    );
  });
});
