import assert from 'node:assert/strict';
import { RateLimiter } from '../../connectors/rateLimiter.ts';
import { powerOffice as makePowerOffice } from '../../connectors/powerOffice/connector.ts';
import { tokenUrl } from '../../connectors/powerOffice/token.ts';
import type { Connector } from '../../connectors/connector.ts';
import type { Store } from '../../store/store.ts';
import { KEYS, eventually, makeStore, makeWorld, type World } from '../support/world.ts';
import { all, failsAs, OPTIONS } from './calls.ts';

const NAMES = ['FirstName', 'LastName'];

describe('the PowerOffice connector', () => {
  let world: World;
  let store: Store;
  let system: Connector;
  let capability: 'unknown' | 'works' | 'missing';

  beforeEach(async () => {
    world = await makeWorld({ size: { products: 5, contactPersons: 8, suppliers: 4, supplierPersons: 2 } });
    ({ store } = await makeStore());
    capability = 'unknown';
    const throttle = new RateLimiter(store.slots, 'test', { perSecond: 10 });
    system = makePowerOffice(
      { url: world.powerOffice.url, ...KEYS },
      {
        throttle,
        patchTest: {
          get: () => capability,
          settle: (settled) => {
            capability = settled;
            return Promise.resolve();
          },
        },
      },
    );
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
        { type: 'ContactPerson', id: first.id, set: { ExternalCode: 'x'.repeat(51) }, condition, fields: NAMES },
        OPTIONS,
      ),
      'refused',
    );
    assert.match(refused.text, /maximum length of 50/);
    assert.doesNotMatch(refused.message, /maximum/);
  });

  it('renews the token once when it is refused, and says so when the key is wrong', async () => {
    await system.check();
    world.powerOffice.desk.set({ tokens: 'expire' });
    await system.check();
    assert.equal(world.powerOffice.disturbance.calls.filter((call) => call.path === '/OAuth/Token').length, 2);
    const wrong = makePowerOffice(
      { url: world.powerOffice.url, ...KEYS, clientKey: 'wrong' },
      {
        throttle: new RateLimiter(store.slots, 'test', { perSecond: 10 }),
        patchTest: { get: () => 'unknown', settle: () => Promise.resolve() },
      },
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
    const second = new RateLimiter(store.slots, 'test', { perSecond: 10 });
    const other = makePowerOffice(
      { url: world.powerOffice.url, ...KEYS },
      {
        throttle: second,
        patchTest: {
          get: () => 'unknown',
          settle: () => Promise.resolve(),
        },
      },
    );
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
        values: { Name: 'Fjord AS', 'MailAddress.City': 'Voss', 'MailAddress.ZipCode': '5700' },
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
    await eventually(
      'the list',
      () => all(system.changed({ type: 'Customer', fields: ['MailAddress.City'], since: null }, OPTIONS)),
      (rows) => rows.find(({ id }) => id === made.id)?.fields['MailAddress.City'] === 'Os',
    );
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
        values: { FirstName: 'A', LastName: 'B', ContactId: Number(made.id) },
        fields: NAMES,
        identity: { externalId: 'x', idempotencyKey: 'y' },
      },
      OPTIONS,
    );
    assert.equal(below.id.split('/')[0], made.id);
  });

  it('knows the ids and sees that a record is gone', async () => {
    const ids = [];
    for await (const page of system.ids({ type: 'Product' }, OPTIONS)) ids.push(...page.ids);
    assert.equal(ids.length, 5);
    await failsAs(system.read({ type: 'Product', id: '999', fields: [] }, OPTIONS), 'gone');
  });
});
