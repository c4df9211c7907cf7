import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { TandemError } from '../../flows/tandemError.ts';
import { parseProfile, profileJsonSchema } from '../../connectors/crm/profile/read.ts';
import { typeProfile } from '../../connectors/crm/profile/resolve.ts';
import { fill, fillQuery } from '../../connectors/crm/profile/template.ts';
import { floored, instantOf, stampText } from '../../connectors/crm/profile/stamps.ts';
import { profileSchema } from '../../connectors/crm/profile/schema.ts';
import { operationsWith, profileText } from './oddCrm.ts';

/** What a profile is refused for. */
function refused(text: string): readonly string[] {
  try {
    parseProfile(text, 'p.json');
  } catch (error) {
    if (error instanceof TandemError) return error.problems.map(({ what }) => what);
    throw error;
  }
  throw new assert.AssertionError({ message: 'the profile was taken' });
}
const withLines = (more: object): string => JSON.stringify(JSON.parse(profileText(more)), null, 1);

describe('a profile of a CRM', () => {
  it('is refused with line, reason and nearest name: unknown keys, values and variables', () => {
    const text = `{
  "version": 2,
  "name": "x",
  "auht": {},
  "condition": {"header": "If-Match", "value": "{etag}", "othrwise": "*"},
  "paging": {"style": "cursr"},
  "types": {"Contact": {"path": "/contacts", "fields": [
    {"name": "a"},
    {"name": "b", "typ": "string"}]}}
}`;
    assert.deepEqual(refused(text), [
      'p.json:4: unknown key "auht": did you mean "auth"?',
      'p.json:5: unknown key "othrwise": did you mean "otherwise"?',
      'p.json:6: "cursr" is not known here: did you mean "cursor"?',
      'p.json:9: unknown key "typ": did you mean "type"?',
    ]);
    assert.match(refused('{"a": 1,\n"a": 2}')[0] ?? '', /^p\.json:2: "a" is said twice/);
    assert.match(refused('{"a": 1,\n b}')[0] ?? '', /^p\.json:2: is not JSON/);
    const variables = profileText({}).replace('"{path}/{id}"', '"{path}/{idd}"').replace('{since}', '{since|upper}');
    assert.deepEqual(refused(variables), [
      'p.json:1: {since|upper}: there is no filter upper: known are raw, quote, escape, json, base64, number',
      'p.json:1: {idd} is no variable of read: did you mean "id"?',
      'p.json:1: read does not name {id}: every record would be the same',
    ]);
  });

  it('is refused for a missing operation and for what cannot be combined', () => {
    const missing = profileText({ operations: { list: { path: '{path}' }, read: { path: '/x/{id}' }, create: { path: '/x' } } });
    assert.deepEqual(refused(missing), ['p.json:1: Contact has no operation update: give it under operations']);
    const cases: [object, RegExp][] = [
      [{ paging: { style: 'cursor', next: 'n' } }, /pages by cursor and never names \{cursor\}/],
      [{ paging: { style: 'url' } }, /paging by url needs next/],
      [{ paging: { style: 'none', cap: 100 } }, /cap needs splitBy/],
      [{ condition: 'jsonPatchTest' }, /needs the style jsonPatch/],
      [{ condition: { header: 'If-Match', value: '"{version}"' } }, /\{version\} needs record.version/],
      [{ condition: { header: 'If-Match', value: 'x' } }, /compares with nothing/],
      [{ errors: [{ status: 200, is: 'refused' }] }, /a rule for a status of success needs at/],
      [{ stamps: { zone: 'Mars' } }, /Mars is no zone/],
      [{ auth: { kind: 'oauth2', grant: 'refresh_token', tokenUrl: 'https://x.example/t' } }, /needs refreshToken/],
    ];
    for (const [more, what] of cases) assert.match(refused(profileText(more)).join('\n'), what);
  });

  it('is refused on the line that says what cannot be, whichever rule it breaks', () => {
    const many = { name: 'familyName', refers: 'Compny' };
    const Contact = { path: '/people', fields: [{ name: 'givenName' }, many, { name: 'givenName' }] };
    const cap = (more: object): object => ({ ...operationsWith({ list: { paging: { cap: 10, ...more } } }) });
    // What the profile says, what it is refused for, and what stands on the line that is named.
    const cases: [object, RegExp, RegExp][] = [
      [
        { types: { Contact, Company: { path: '/c', fields: [] } } },
        /there is no type Compny: did you mean "Company"\?/,
        /"refers"/,
      ],
      [{ types: { Contact } }, /givenName is named twice/, /"name": "givenName"/],
      [
        operationsWith({ list: { query: { page: '{page}' } } }),
        /names \{page\}, but its paging is none: say "style": "page"/,
        /"list"/,
      ],
      [operationsWith({ read: { method: 'GET', body: { a: 1 } } }), /a GET has no body/, /"read"/],
      [operationsWith({ find: { query: { ref: '{externalId}' } } }), /find needs record\.externalId/, /"find"/],
      [operationsWith({ find: { query: { ref: 'x' } } }), /find does not name \{externalId\}/, /"find"/],
      [operationsWith({ changes: { query: {} } }), /changes does not name \{since\}/, /"changes"/],
      [operationsWith({ create: { body: { a: 'b' } } }), /create does not name \{values\}: nothing would be sent/, /"create"/],
      [operationsWith({ create: { upserts: true } }), /upserts needs record\.externalId and the operation find/, /"upserts"/],
      [operationsWith({ update: { omit: ['id'] } }), /omit has a meaning with the style replace alone/, /"omit"/],
      [cap({ splitBy: 'id' }), /splitBy id needs \{afterId\}/, /"list"/],
      [cap({ splitBy: 'window' }), /list knows no window/, /"list"/],
      [operationsWith({ list: { paging: { splitBy: 'id' } } }), /splitBy without cap has no meaning/, /"list"/],
      [
        operationsWith({ changes: { paging: { cap: 10, splitBy: 'window' } } }),
        /splitBy window needs \{until\} in the request/,
        /"changes"/,
      ],
      [
        { condition: { header: 'If-Match', value: '{etga}' } },
        /\{etga\} is no variable of a condition: did you mean "etag"\?/,
        /"value"/,
      ],
      [{ condition: { value: '{etag}' } }, /a condition without a header needs \{condition\}/, /"value"/],
      [{ auth: { kind: 'login', path: '/login' } }, /a log-in needs either token, .* or cookie/, /"auth"/],
      [
        { auth: { kind: 'login', path: '/login', token: 't', body: { u: '{usr}' } } },
        /\{usr\} is no variable of a log-in: did you mean "user"\?/,
        /"body"/,
      ],
      [{ errors: [{ is: 'gone' }] }, /the rule fits every failure/, /\{/],
      [{ errors: [{ status: 400, equals: 'x', is: 'gone' }] }, /equals needs at/, /\{/],
      [
        {
          auth: {
            kind: 'oauth2',
            grant: 'client_credentials',
            tokenUrl: 'https://x.example/t',
            refreshToken: { env: 'REFRESH' },
          },
        },
        /client_credentials knows no refresh token/,
        /"refreshToken"/,
      ],
      [{ extends: 'directs' }, /there is no profile directs: did you mean "directus"\?/, /"extends"/],
      [{ operations: { list: {} } }, /list has no path/, /"list"/],
      [operationsWith({ list: { path: 'people' } }), /must begin with \/ or a variable/, /"path": "people"/],
    ];
    for (const [more, what, at] of cases) {
      const text = withLines(more);
      const problem = refused(text).find((each) => what.test(each));
      assert.ok(problem, `${String(what)} is not among: ${refused(text).join('\n')}`);
      const line = Number(/^p\.json:(\d+): /.exec(problem)?.[1]);
      assert.match(text.split('\n')[line - 1] ?? '', at, `${problem} is said of another line`);
    }
  });

  it('holds no secret: the line is named, never the secret', () => {
    const cases = [
      { auth: { kind: 'header', token: 's3cr3t-value' } },
      { headers: { 'X-Api-Key': 's3cr3t-value' } },
      { headers: { 'Ocp-Apim-Subscription-Key': 's3cr3t-value' } },
      { query: { api_token: 's3cr3t-value' } },
      { note: 'Bearer s3cr3t-value' },
    ];
    for (const more of cases) {
      const [problem = ''] = refused(withLines(more));
      assert.match(problem, /^p\.json:\d+: .*secret/);
      assert.doesNotMatch(problem, /s3cr3t-value/);
    }
  });

  it('of the first form is read as version 2 says the same', async () => {
    const profile = parseProfile(
      JSON.stringify({
        name: 'old',
        types: { Contact: { path: '/people', fields: [{ name: 'givenName' }] } },
        record: { id: 'id', changed: 'changed', version: 'version', externalId: 'ext', envelope: 'data' },
        list: {
          items: 'data',
          paging: { style: 'page', limit: 'per', size: 50, page: 'page' },
          changes: { since: 'from', inclusive: false, sorted: true },
          externalId: 'ext',
        },
        ifMatch: 'version',
        idempotencyKey: 'Idempotency-Key',
      }),
      'old.json',
    );
    const { operations, condition, stamps } = typeProfile(profile, 'Contact');
    assert.deepEqual(operations.changes?.query, { per: '{size}', page: '{page}', from: '{since}' });
    assert.deepEqual(operations.create?.body, { data: '{values}' });
    assert.equal(operations.update?.contentType, 'application/merge-patch+json');
    assert.deepEqual(condition, { header: 'If-Match', value: '"{version}"', delete: false });
    assert.equal(stamps.inclusive, false);
  });

  it('has a JSON Schema for editors, and the file beside it is that schema', async () => {
    const file = await readFile(new URL('../../connectors/crm/profile/profile.schema.json', import.meta.url), 'utf8');
    assert.deepEqual(JSON.parse(file), JSON.parse(JSON.stringify(profileJsonSchema())));
  });

  it('fills templates: what has no value is left out, objects become JSON, blanks %20', () => {
    assert.equal(fillQuery({ a: '{x}', b: '{y}', c: 'at {x}', $top: '{n}' }, { x: 'p q', n: 5 }), '?a=p%20q&c=at%20p%20q&$top=5');
    assert.equal(
      fillQuery({ f: { u: { _gte: '{s}' } }, g: { u: '{none}' }, h: '{list}' }, { s: 1, list: ['a', 'b'] }),
      '?f=%7B%22u%22%3A%7B%22_gte%22%3A1%7D%7D&h=a%2Cb',
    );
    assert.deepEqual(
      fill({ data: { '...': '{values}', type: 'x' }, list: ['{none}'], keep: '{{id}}' }, { values: { a: null } }),
      {
        data: { a: null, type: 'x' },
        keep: '{id}',
      },
    );
    assert.equal(fill("name eq '{x|quote}'", { x: "O'Hara" }), "name eq 'O''Hara'");
  });

  it('knows stamps in all their forms', () => {
    const stamps = (more: object): ReturnType<typeof profileSchema.parse>['stamps'] => profileSchema.shape.stamps.parse(more);
    const at = Date.UTC(2026, 6, 1, 10, 20, 30, 456);
    assert.equal(stampText(at, stamps({ format: 'iso' })), '2026-07-01T10:20:30.456Z');
    assert.equal(stampText(at, stamps({ format: 'iso-blank', grainMs: 1000, writeZone: false })), '2026-07-01 10:20:30');
    assert.equal(stampText(at, stamps({ format: 'iso', writeZone: false, zone: 'Europe/Oslo' })), '2026-07-01T12:20:30.456');
    assert.equal(stampText(at, stamps({ format: 'seconds' })), '1782901230');
    assert.equal(stampText(at, stamps({ sinceFormat: 'date' })), '2026-07-01');
    assert.equal(instantOf('/Date(1782901230456)/', stamps({ format: 'odata' })), '2026-07-01T10:20:30.456Z');
    assert.equal(instantOf(1782901230, stamps({ format: 'seconds' })), '2026-07-01T10:20:30.000Z');
    assert.equal(instantOf('2026-07-01 12:20:30', stamps({ zone: 'Europe/Oslo' })), '2026-07-01T10:20:30.000Z');
    assert.equal(instantOf('2026-01-01 12:20:30', stamps({ zone: 'Europe/Oslo' })), '2026-01-01T11:20:30.000Z');
    assert.equal(instantOf('yesterday', stamps({})), null);
    assert.equal(new Date(floored(at, stamps({ grainMs: 86_400_000 }))).toISOString(), '2026-07-01T00:00:00.000Z');
  });
});
