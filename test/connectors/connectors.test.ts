import assert from 'node:assert/strict';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { RateLimiter } from '../../connectors/rateLimiter.ts';
import { SystemError, type Failure } from '../../connectors/systemError.ts';
import { crm as makeCrm } from '../../connectors/crm/connector.ts';
import { DEFAULT_PROFILE, type Profile } from '../../connectors/crm/profile.ts';
import { powerOffice as makePowerOffice } from '../../connectors/powerOffice/connector.ts';
import { tokenUrl } from '../../connectors/powerOffice/token.ts';
import type { Page, Connector } from '../../connectors/connector.ts';
import { serveOn } from '../../sandbox/serve.ts';
import type { Store } from '../../store/store.ts';
import { CRM_TOKEN, KEYS, eventually, makeStore, makeWorld, type World } from '../support/world.ts';

const OPTIONS = { priority: 'feed' } as const;
const NAMES = ['FirstName', 'LastName'];

async function all(
  pages: AsyncIterable<Page>,
): Promise<{ id: string; fields: Readonly<Record<string, unknown>>; instant: string; version: string }[]> {
  const records = [];
  for await (const page of pages) records.push(...page.records);
  return records;
}

async function failure(work: Promise<unknown>): Promise<SystemError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof SystemError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: 'no failure' });
}
const failsAs = async (work: Promise<unknown>, expected: Failure): Promise<SystemError> => {
  const error = await failure(work);
  assert.equal(error.failure, expected, error.text);
  return error;
};

describe('the PowerOffice connector', () => {
  let world: World;
  let store: Store;
  let system: Connector;
  let capability: 'unknown' | 'works' | 'missing';

  beforeEach(async () => {
    world = await makeWorld({ size: { products: 5, contactPersons: 8, suppliers: 4, supplierPersons: 2 } });
    ({ store } = await makeStore());
    capability = 'unknown';
    const throttle = new RateLimiter(store.slots, 'test', 10);
    system = makePowerOffice({ url: world.powerOffice.url, ...KEYS }, throttle, {
      get: () => capability,
      accepted: () => {
        capability = 'works';
        return Promise.resolve();
      },
    });
  });
  afterEach(async () => {
    await world.close();
    await store.close();
  });

  it('finds the token beside the base address', () => {
    assert.equal(tokenUrl('https://goapi.poweroffice.net/v2'), 'https://goapi.poweroffice.net/OAuth/Token');
    assert.equal(tokenUrl('https://goapi.poweroffice.net/Demo/v2/'), 'https://goapi.poweroffice.net/Demo/OAuth/Token');
  });

  it('reads everything, then only what changed, equal instants included', async () => {
    const everything = await all(system.changed({ type: 'ContactPerson', fields: NAMES, since: null }, OPTIONS));
    assert.equal(everything.length, 8);
    assert.match(everything[0]?.id ?? '', /^\d+\/\d+$/);
    const last = everything.at(-1)?.instant ?? '';
    assert.deepEqual(await all(system.changed({ type: 'ContactPerson', fields: NAMES, since: last }, OPTIONS)), []);
    world.powerOffice.desk.edit('ContactPerson', everything[0]?.id ?? '', { FirstName: 'Eva' });
    const changed = await eventually(
      'the edit in the feed',
      () => all(system.changed({ type: 'ContactPerson', fields: NAMES, since: last }, OPTIONS)),
      (rows) => rows.length > 0,
    );
    assert.deepEqual(
      changed.map((row) => row.fields['FirstName']),
      ['Eva'],
    );
  });

  it('asks only for the fields that are needed', async () => {
    await all(system.changed({ type: 'Supplier', fields: ['FirstName'], since: null }, OPTIONS));
    const list = world.powerOffice.disturbance.calls.find((call) => call.path === '/v2/Suppliers');
    assert.match(decodeURIComponent(list?.query ?? ''), /Fields=Id,LastChangedDateTimeOffset,FirstName&/);
  });

  it('loses no row when many share one instant at a page edge', async () => {
    const stamp = '2026-01-10T10:00:00.0000001+00:00';
    const rows = Array.from({ length: 4500 }, (_, i) => ({
      Id: 10_000 + i,
      ContactId: 1,
      FirstName: 'A',
      LastName: 'B',
      LastChangedDateTimeOffset: i < 4300 ? stamp : `2026-01-11T10:00:00.${String(i).padStart(7, '0')}+00:00`,
    }));
    for (const row of rows) world.powerOffice.desk.types['ContactPerson']?.restore(`1/${row.Id}`, row);
    const seen = await all(system.changed({ type: 'ContactPerson', fields: NAMES, since: '2026-01-10T00:00:00Z' }, OPTIONS));
    assert.equal(
      new Set(seen.map((row) => row.id)).size,
      4508 - 8 + seen.filter((row) => Number(row.id.split('/')[1]) < 10_000).length,
    );
  });

  it('writes on the condition that the value seen still stands', async () => {
    const [first] = await all(system.changed({ type: 'ContactPerson', fields: NAMES, since: null }, OPTIONS));
    assert.ok(first);
    const condition = { test: { FirstName: first.fields['FirstName'] as string }, version: first.version };
    const written = await system.update(
      { type: 'ContactPerson', id: first.id, set: { FirstName: 'Nina' }, condition, fields: NAMES },
      OPTIONS,
    );
    assert.equal(written.fields['FirstName'], 'Nina');
    assert.equal(capability, 'works');
    await failsAs(
      system.update({ type: 'ContactPerson', id: first.id, set: { FirstName: 'Mona' }, condition, fields: NAMES }, OPTIONS),
      'contended',
    );
  });

  it('carries the text of a refusal, and tells it from a test that did not hold', async () => {
    const [first] = await all(system.changed({ type: 'ContactPerson', fields: NAMES, since: null }, OPTIONS));
    assert.ok(first);
    const condition = { test: { FirstName: first.fields['FirstName'] as string }, version: first.version };
    const refused = await failsAs(
      system.update(
        { type: 'ContactPerson', id: first.id, set: { FirstName: 'x'.repeat(101) }, condition, fields: NAMES },
        OPTIONS,
      ),
      'refused',
    );
    assert.match(refused.text, /maximum length of 100/);
    assert.doesNotMatch(refused.message, /maximum/);
  });

  it('renews the token once when it is refused, and says so when the key is wrong', async () => {
    await system.check();
    world.powerOffice.desk.set({ tokens: 'expire' });
    await system.check();
    assert.equal(world.powerOffice.disturbance.calls.filter((call) => call.path === '/OAuth/Token').length, 2);
    const wrong = makePowerOffice(
      { url: world.powerOffice.url, ...KEYS, clientKey: 'wrong' },
      new RateLimiter(store.slots, 'test', 10),
      { get: () => 'unknown', accepted: () => Promise.resolve() },
    );
    await failsAs(wrong.check(), 'unauthorized');
  });

  it('never takes what is cut short, an error page or a reset for data', async () => {
    const { faults } = world.powerOffice.disturbance;
    const fault = { path: 'ContactPersons', detail: '', status: 503, delay: 0, times: 1, chance: 1 };
    faults.push({ ...fault, kind: 'truncate' });
    await failsAs(all(system.changed({ type: 'ContactPerson', fields: NAMES, since: null }, OPTIONS)), 'malformed');
    faults.push({ ...fault, kind: 'html' });
    await failsAs(all(system.changed({ type: 'ContactPerson', fields: NAMES, since: null }, OPTIONS)), 'malformed');
    faults.push({ ...fault, kind: 'drop-before' });
    assert.match(
      (await failsAs(all(system.changed({ type: 'ContactPerson', fields: NAMES, since: null }, OPTIONS)), 'unreachable')).text,
      /cannot be reached/,
    );
    faults.push({ ...fault, kind: 'status', status: 429, retryAfter: 3 });
    assert.equal(
      (await failsAs(all(system.changed({ type: 'ContactPerson', fields: NAMES, since: null }, OPTIONS)), 'throttled'))
        .retryAfterMs,
      3000,
    );
  });

  it('takes a slot for every call, so that two throttles on one store never make 11 calls in a second', async () => {
    const second = new RateLimiter(store.slots, 'test', 10);
    const other = makePowerOffice({ url: world.powerOffice.url, ...KEYS }, second, {
      get: () => 'unknown',
      accepted: () => Promise.resolve(),
    });
    await Promise.all(Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? system : other).check()));
    const at = world.powerOffice.disturbance.calls.filter((call) => call.path.startsWith('/v2')).map((call) => call.at);
    for (const [i, start] of at.entries()) assert.ok(at.slice(i).filter((each) => each < start + 1000).length <= 10);
    assert.ok((at.at(-1) ?? 0) - (at[0] ?? 0) < 3600, 'and yet the quota is used');
  });

  it('amounts are plain digits with us and numbers there, exactly or not at all; nested properties go into their object', async () => {
    const [product] = await all(system.changed({ type: 'Product', fields: ['UnitPrice'], since: null }, OPTIONS));
    assert.ok(product);
    const condition = { test: { UnitPrice: String(product.fields['UnitPrice']) }, version: product.version };
    const written = await system.update(
      { type: 'Product', id: product.id, set: { UnitPrice: '12.30' }, condition, fields: ['UnitPrice'] },
      OPTIONS,
    );
    assert.equal(written.fields['UnitPrice'], '12.3');
    assert.equal(world.powerOffice.desk.types['Product']?.get(product.id)?.['UnitPrice'], 12.3);
    const much = { ...condition, test: { UnitPrice: '12.3' } };
    const error = await failsAs(
      system.update(
        { type: 'Product', id: product.id, set: { UnitPrice: '12345678901234567.89' }, condition: much, fields: ['UnitPrice'] },
        OPTIONS,
      ),
      'refused',
    );
    assert.deepEqual(error.fields, ['UnitPrice']);
    const made = await system.create(
      {
        type: 'Customer',
        values: { LegalName: 'Fjord AS', 'MailAddress.City': 'Voss' },
        fields: ['MailAddress.City'],
        identity: { externalId: 'x', idempotencyKey: 'y' },
      },
      OPTIONS,
    );
    assert.equal(made.fields['MailAddress.City'], 'Voss');
    const moved = await system.update(
      {
        type: 'Customer',
        id: made.id,
        set: { 'MailAddress.City': 'Os' },
        condition: { test: { 'MailAddress.City': 'Voss' }, version: made.version },
        fields: ['MailAddress.City'],
      },
      OPTIONS,
    );
    assert.equal(moved.fields['MailAddress.City'], 'Os');
    const [listed] = await eventually(
      'the list',
      () => all(system.changed({ type: 'Customer', fields: ['MailAddress.City'], since: null }, OPTIONS)),
      (rows) => rows[0]?.fields['MailAddress.City'] === 'Os',
    );
    assert.equal(listed?.id, made.id);
    const owned = await failsAs(
      system.create(
        {
          type: 'ContactPerson',
          values: { FirstName: 'A', LastName: 'B' },
          fields: NAMES,
          identity: { externalId: 'x', idempotencyKey: 'y' },
        },
        OPTIONS,
      ),
      'refused',
    );
    assert.deepEqual(owned.fields, ['ContactId']);
    const below = await system.create(
      {
        type: 'ContactPerson',
        values: { FirstName: 'A', LastName: 'B', ContactId: 77 },
        fields: NAMES,
        identity: { externalId: 'x', idempotencyKey: 'y' },
      },
      OPTIONS,
    );
    assert.match(below.id, /^77\//);
  });

  it('knows the ids and sees that a record is gone', async () => {
    const ids = [];
    for await (const page of system.ids('Product', OPTIONS)) ids.push(...page);
    assert.equal(ids.length, 5);
    await failsAs(system.read({ type: 'Product', id: '999', fields: [] }, OPTIONS), 'gone');
  });
});

describe('the CRM connector', () => {
  let world: World;
  const make = (profile: Profile = DEFAULT_PROFILE): Connector => makeCrm(world.crm.url, CRM_TOKEN, profile);
  const FIELDS = ['givenName', 'familyName'];
  const identity = { externalId: 'poweroffice:ContactPerson:1/2', idempotencyKey: 'k1' };

  beforeEach(async () => {
    world = await makeWorld();
  });
  afterEach(() => world.close());

  it('creates once under one key, and finds it by its external id', async () => {
    const system = make();
    const made = await system.create({ type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity }, OPTIONS);
    const again = await system.create({ type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity }, OPTIONS);
    assert.equal(again.id, made.id);
    assert.equal(
      (
        await failsAs(
          system.create(
            { type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity: { ...identity, idempotencyKey: 'k2' } },
            OPTIONS,
          ),
          'refused',
        )
      ).status,
      409,
    );
    const found = await system.find(
      { type: 'Contact', by: { externalId: identity.externalId, values: {}, since: 0 }, fields: FIELDS },
      OPTIONS,
    );
    assert.deepEqual(
      found.map((each) => each.id),
      [made.id],
    );
  });

  it('writes mapped properties alone, on the condition of the ETag', async () => {
    const system = make();
    const made = await system.create({ type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity }, OPTIONS);
    world.crm.desk.edit('Contact', made.id, { notes: 'keep me' });
    await failsAs(
      system.update(
        {
          type: 'Contact',
          id: made.id,
          set: { givenName: 'Eva' },
          condition: { test: { givenName: 'Kari' }, etag: made.etag, version: made.version },
          fields: FIELDS,
        },
        OPTIONS,
      ),
      'contended',
    );
    const now = await system.read({ type: 'Contact', id: made.id, fields: FIELDS }, OPTIONS);
    await system.update(
      {
        type: 'Contact',
        id: made.id,
        set: { givenName: 'Eva' },
        condition: { test: { givenName: 'Kari' }, etag: now.etag, version: now.version },
        fields: FIELDS,
      },
      OPTIONS,
    );
    assert.equal(world.crm.desk.types['Contact']?.get(made.id)?.['notes'], 'keep me');
    assert.equal(world.crm.desk.types['Contact']?.get(made.id)?.['givenName'], 'Eva');
  });

  it('pages through everything, oldest change first, and includes the instant it is asked from', async () => {
    const system = make();
    for (let i = 0; i < 450; i++) world.crm.desk.create('Contact', { givenName: `n${i}` });
    const seen = await all(system.changed({ type: 'Contact', fields: FIELDS, since: null }, OPTIONS));
    assert.equal(new Set(seen.map((each) => each.id)).size, 450);
    const since = seen[440]?.instant ?? null;
    const later = await all(system.changed({ type: 'Contact', fields: FIELDS, since }, OPTIONS));
    assert.ok(later.some((each) => each.id === seen[440]?.id));
  });

  it('does without what a CRM lacks: a read before the write, an answer without a body', async () => {
    const { ifMatch: _, idempotencyKey: __, ...rest } = DEFAULT_PROFILE;
    world.crm.desk.set({ ifMatch: false, idempotency: false, emptyUpdate: true });
    const system = make(rest);
    assert.equal(system.features().conditional, 'none');
    const made = await system.create({ type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity }, OPTIONS);
    const condition = { test: { givenName: 'Kari' }, version: made.version };
    const written = await system.update(
      { type: 'Contact', id: made.id, set: { givenName: 'Eva' }, condition, fields: FIELDS },
      OPTIONS,
    );
    assert.equal(written.fields['givenName'], 'Eva');
    await failsAs(
      system.update({ type: 'Contact', id: made.id, set: { givenName: 'Mia' }, condition, fields: FIELDS }, OPTIONS),
      'contended',
    );
  });

  it('finds by content where there is no external id', async () => {
    const { externalId: _, ...record } = DEFAULT_PROFILE.record;
    const { externalId: __, ...list } = DEFAULT_PROFILE.list;
    world.crm.desk.set({ externalId: false });
    const system = make({ ...DEFAULT_PROFILE, record, list });
    const made = await system.create(
      { type: 'Contact', values: { givenName: 'Kari', familyName: 'Lie' }, fields: FIELDS, identity },
      OPTIONS,
    );
    const found = await system.find(
      {
        type: 'Contact',
        by: { externalId: 'x', values: { givenName: 'Kari', familyName: 'Lie' }, since: Date.now() - 60_000 },
        fields: FIELDS,
      },
      OPTIONS,
    );
    assert.deepEqual(
      found.map((each) => each.id),
      [made.id],
    );
  });

  it('measures the clock of the system by the answers to its own writes', async () => {
    await world.close();
    world = await makeWorld({ crm: { clockOffsetMs: 240_000 } });
    const system = make();
    await system.check();
    assert.equal(system.clock.estimate.by, 'date');
    assert.ok(Math.abs((system.clock.estimate.lo + system.clock.estimate.hi) / 2 - 240_000) < 1500);
    await system.create({ type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity }, OPTIONS);
    assert.equal(system.clock.estimate.by, 'write');
    assert.ok(Math.abs((system.clock.estimate.lo + system.clock.estimate.hi) / 2 - 240_000) < 200);
  });

  it('an answer given again for a key of long ago does not set the clock', async () => {
    const first = make();
    const made = await first.create({ type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity }, OPTIONS);
    const row = world.crm.desk.types['Contact']?.get(made.id) ?? {};
    // The stand-in answers with the very row that it remembers.
    row['updatedAt'] = new Date(Date.now() - 600_000).toISOString();
    const second = make();
    const again = await second.create({ type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity }, OPTIONS);
    assert.equal(again.id, made.id);
    assert.equal(second.clock.estimate.by, 'date');
    assert.ok(again.at[1] < Date.now() - 500_000);
  });

  it('writes one element of a list and sends the others along as they are', async () => {
    let row: Record<string, unknown> = {
      id: 7,
      version: 1,
      updatedAt: '2026-01-01T00:00:00.000Z',
      addresses: [
        { type: 'work', city: 'Oslo' },
        { type: 'home', city: 'Bergen', zip: '5003' },
      ],
    };
    const app = new Hono<{ Bindings: HttpBindings }>();
    app.get('/people/7', (context) => context.json(row));
    app.patch('/people/7', async (context) => {
      row = { ...row, ...(await context.req.json<Record<string, unknown>>()), version: 2, updatedAt: new Date().toISOString() };
      return context.json(row);
    });
    const server = await serveOn(app, 0);
    try {
      const Person = {
        path: '/people',
        fields: [{ name: 'addresses.city', type: 'string' as const, writable: true }],
        lists: ['addresses'],
      };
      const system = makeCrm(server.url, 'x', { ...DEFAULT_PROFILE, types: { Person } });
      const path = 'addresses[type="home"].city';
      const before = await system.read({ type: 'Person', id: '7', fields: [path, 'addresses.city'] }, OPTIONS);
      assert.deepEqual(before.fields, { [path]: 'Bergen', 'addresses.city': ['Oslo', 'Bergen'] });
      const condition = { test: { [path]: 'Bergen' }, version: before.version, etag: before.etag };
      const after = await system.update({ type: 'Person', id: '7', set: { [path]: 'Voss' }, condition, fields: [path] }, OPTIONS);
      assert.equal(after.fields[path], 'Voss');
      assert.deepEqual(row['addresses'], [
        { type: 'work', city: 'Oslo' },
        { type: 'home', city: 'Voss', zip: '5003' },
      ]);
      await failsAs(
        system.update({ type: 'Person', id: '7', set: { [path]: 'Os' }, condition, fields: [path] }, OPTIONS),
        'contended',
      );
    } finally {
      await server.close();
    }
  });
});
