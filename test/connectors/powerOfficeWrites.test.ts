import assert from 'node:assert/strict';
import { RateLimiter } from '../../connectors/rateLimiter.ts';
import { powerOffice, type PatchTest } from '../../connectors/powerOffice/connector.ts';
import type { Connector, Snapshot, UpdateRequest } from '../../connectors/connector.ts';
import { instantKey } from '../../flows/instant.ts';
import type { Store } from '../../store/store.ts';
import { rememberedPatchTest } from '../../worker/connectors.ts';
import { KEYS, makeStore } from '../support/world.ts';
import { failsAs } from './calls.ts';
import { scripted, type Answered, type Got } from './scripted.ts';

const OPTIONS = { priority: 'write' } as const;
const BEFORE = '2026-03-01T10:00:00.1234567+00:00';
const AFTER = '2026-03-01T10:00:05.1234567+00:00';
const SUPPLIER = { Id: 7, FirstName: 'Kari', LastName: 'Moe', IsPerson: true, IsActive: true, LastChangedDateTimeOffset: BEFORE };
const problem = (detail: string, more: object = {}): Answered => ({
  status: 400,
  body: { title: 'Bad Request', status: 400, detail, ...more },
});

/** A write to a supplier, on the condition that it is active and still called Kari. */
const write = (test: Record<string, string | boolean> = { FirstName: 'Kari' }): UpdateRequest => ({
  type: 'Supplier',
  id: '7',
  set: { FirstName: 'Nina' },
  condition: { test, version: instantKey(BEFORE) },
  fields: ['FirstName', 'IsActive'],
});

describe('writing to PowerOffice Go', function () {
  let store: Store;
  let service: Awaited<ReturnType<typeof scripted>>;
  let answer: (got: Got) => Answered;
  let capability: 'unknown' | 'works' | 'missing';
  const patchTest: PatchTest = {
    get: () => capability,
    settle(found) {
      capability = found;
      return Promise.resolve();
    },
  };
  const connect = (more: { writeReferences?: boolean } = {}, contact?: string): Connector =>
    powerOffice(
      { url: service.url, ...KEYS, userAgent: contact },
      { throttle: new RateLimiter(store.slots, 'writes', { perSecond: 1000 }), patchTest, ...more },
    );
  const methods = (): string[] => service.calls.map(({ method }) => method);

  before(async () => {
    ({ store } = await makeStore());
  });
  after(() => store.close());
  beforeEach(async () => {
    capability = 'unknown';
    answer = ({ method }) => ({
      status: 200,
      body: method === 'PATCH' ? { ...SUPPLIER, FirstName: 'Nina', LastChangedDateTimeOffset: AFTER } : SUPPLIER,
    });
    service = await scripted((got) => answer(got));
  });
  afterEach(() => service.close());

  it('tests what a PATCH may name alone: a scope that it may not name is read right before, and the properties stay tested', async () => {
    const written = await connect().update(write({ IsActive: true, IsPerson: true, FirstName: 'Kari' }), OPTIONS);
    assert.equal(written.fields['FirstName'], 'Nina');
    assert.deepEqual(methods(), ['GET', 'PATCH']);
    assert.deepEqual(service.calls[1]?.body, [
      { op: 'test', path: '/IsPerson', value: true },
      { op: 'test', path: '/FirstName', value: 'Kari' },
      { op: 'replace', path: '/FirstName', value: 'Nina' },
    ]);
    assert.equal(capability, 'works');
  });

  it('takes the time from a write that changed something, never from one that changed nothing', async () => {
    const system = connect();
    const unmapped = '2025-12-01T10:00:00.1234567+00:00';
    for (const stamp of [BEFORE, unmapped]) {
      answer = () => ({ status: 200, body: { ...SUPPLIER, LastChangedDateTimeOffset: stamp } });
      await system.update(write(), OPTIONS);
      assert.equal(system.clock.estimate.by, 'date');
    }
    answer = () => ({ status: 200, body: { ...SUPPLIER, FirstName: 'Nina', LastChangedDateTimeOffset: AFTER } });
    await system.update(write(), OPTIONS);
    assert.equal(system.clock.estimate.by, 'write');
  });

  it('writes nothing to a record that has left such a scope meanwhile', async () => {
    answer = () => ({ status: 200, body: { ...SUPPLIER, IsActive: false } });
    await failsAs(connect().update(write({ IsActive: true, FirstName: 'Kari' }), OPTIONS), 'contended');
    assert.deepEqual(methods(), ['GET']);
    assert.equal(capability, 'unknown');
  });

  it('knows a failed test by its words: contended after one call, and it shows that test works', async () => {
    answer = () =>
      problem("SupplierPatchDto: The current value 'Mona' at path 'FirstName' is not equal to the test value 'Kari'.");
    await failsAs(connect().update(write(), OPTIONS), 'contended');
    assert.deepEqual(methods(), ['PATCH']);
    assert.equal(capability, 'works');
  });

  it('takes an ordinary refusal for one at once: one PATCH, one read at most, and none once the words are known', async () => {
    const system = connect();
    const refuse = (): Answered => problem("Field is already in use. 'x' is used on (contact) Id = 12");
    answer = (got) => (got.method === 'PATCH' ? refuse() : { status: 200, body: SUPPLIER });
    assert.match((await failsAs(system.update(write(), OPTIONS), 'refused')).text, /already in use/);
    assert.deepEqual(methods(), ['PATCH', 'GET']);
    assert.equal(capability, 'unknown', 'a refusal says nothing about the capability');
    answer = () => problem("The current value 'a' at path 'b' is not equal to the test value 'c'.");
    await failsAs(system.update(write(), OPTIONS), 'contended');
    answer = refuse;
    await failsAs(system.update(write(), OPTIONS), 'refused');
    assert.deepEqual(methods(), ['PATCH', 'GET', 'PATCH', 'PATCH']);
  });

  it('a missing privilege, and a refusal that names a field, cost exactly one call', async () => {
    answer = () => ({ status: 400, body: { title: 'Missing privilege', status: 400, detail: 'Supplier_Full is required' } });
    assert.match((await failsAs(connect().update(write(), OPTIONS), 'refused')).text, /Missing privilege; Supplier_Full/);
    answer = () => problem('See errors.', { errors: { FirstName: ['too long'] } });
    assert.deepEqual((await failsAs(connect().update(write(), OPTIONS), 'refused')).fields, ['FirstName']);
    answer = () => ({ status: 400, body: { Title: 'Bad Request', Detail: 'in capitals: a missing privilege' } });
    assert.match((await failsAs(connect().update(write(), OPTIONS), 'refused')).text, /Bad Request; in capitals/);
    assert.deepEqual(methods(), ['PATCH', 'PATCH', 'PATCH']);
  });

  it('a refusal in unknown words is a failed test after all where the record has moved', async () => {
    answer = (got) => (got.method === 'PATCH' ? problem('Nei.') : { status: 200, body: { ...SUPPLIER, FirstName: 'Mona' } });
    await failsAs(connect().update(write(), OPTIONS), 'contended');
    assert.deepEqual(methods(), ['PATCH', 'GET']);
  });

  it('an answer without a body is followed by one read after the lag', async () => {
    answer = ({ method }) =>
      method === 'PATCH'
        ? { status: 200 }
        : { status: 200, body: { ...SUPPLIER, FirstName: 'Nina', LastChangedDateTimeOffset: AFTER } };
    const began = Date.now();
    const written = await connect().update(write(), OPTIONS);
    assert.deepEqual([written.fields['FirstName'], written.version], ['Nina', instantKey(AFTER)]);
    assert.deepEqual(methods(), ['PATCH', 'GET']);
    assert.ok(Date.now() - began >= 1400);
    assert.equal(capability, 'works');
  });

  it('a replica that does not show the write yet is not believed', async () => {
    answer = ({ method }) => (method === 'PATCH' ? { status: 200 } : { status: 200, body: SUPPLIER });
    await failsAs(connect().update(write(), OPTIONS), 'unreachable');
  });

  it('a 500 on a patch with a test is contended; without any test, tried to tell, it is a refusal', async () => {
    answer = (got) => (got.method === 'PATCH' ? { status: 500, body: { title: 'Error' } } : { status: 200, body: SUPPLIER });
    const system = connect();
    const error = await failsAs(system.update(write(), OPTIONS), 'contended');
    assert.equal(system.conditionProbe?.isDoubtful(error), true);
    await failsAs(system.update(write(), { ...OPTIONS, unconditional: true }), 'refused');
    answer = (got) => (got.method === 'PATCH' ? { status: 503 } : { status: 200, body: SUPPLIER });
    await failsAs(system.update(write(), OPTIONS), 'unreachable');
  });

  it('that test is missing is a verdict with a date: believed for a week, then tried again', async () => {
    const { store: own } = await makeStore();
    let now = Date.parse('2026-03-01T00:00:00Z');
    const verdict = await rememberedPatchTest(own, () => now);
    await verdict.settle('missing');
    assert.equal(verdict.get(), 'missing');
    assert.equal((await rememberedPatchTest(own, () => now)).get(), 'missing', 'another worker knows it');
    now += 8 * 24 * 3600_000;
    assert.equal(verdict.get(), 'unknown');
    await verdict.settle('missing');
    assert.equal(verdict.get(), 'missing', 'and believed anew');
    await verdict.settle('works');
    await verdict.settle('missing');
    assert.equal(verdict.get(), 'works');
    await own.systems.set('crm', {});
    await own.close();
    const { store: old } = await makeStore();
    await old.systems.set('powerOffice', { test: 'missing' });
    assert.equal((await rememberedPatchTest(old)).get(), 'unknown', 'one without a date is asked again');
    await old.close();
  });

  it('where it is missing, everything is read before the write', async () => {
    capability = 'missing';
    await connect().update(write({ IsActive: true, FirstName: 'Kari' }), OPTIONS);
    assert.deepEqual(methods(), ['GET', 'PATCH']);
    assert.deepEqual(service.calls[1]?.body, [{ op: 'replace', path: '/FirstName', value: 'Nina' }]);
    answer = () => ({ status: 200, body: { ...SUPPLIER, FirstName: 'Mona' } });
    await failsAs(connect().update(write(), OPTIONS), 'contended');
  });

  it('names as older versions wrote them are understood', async () => {
    answer = () => ({
      status: 200,
      body: { id: 7, firstName: 'Kari', mailAddress: { id: 1, city: 'Voss' }, lastChangedDateTimeOffset: BEFORE },
    });
    const seen = await connect().read({ type: 'Supplier', id: '7', fields: ['FirstName', 'MailAddress.City'] }, OPTIONS);
    assert.deepEqual([seen.id, seen.fields], ['7', { FirstName: 'Kari', 'MailAddress.City': 'Voss' }]);
  });

  it('the offset of an instant keeps its plus, and a blank stays a blank', async () => {
    answer = () => ({ status: 204 });
    const since = '2026-03-01 10:00:00.123456+01:00';
    for await (const page of connect().changed({ type: 'Supplier', fields: [], since }, OPTIONS))
      assert.fail(JSON.stringify(page));
    assert.equal(service.calls[0]?.query.get('lastChangedDateTimeOffsetGreaterThan'), since);
  });

  it('says who calls, with an address to write to, the token call included', async () => {
    await connect({}, 'Tandem (drift@example.no)').read({ type: 'Supplier', id: '7', fields: [] }, OPTIONS);
    for (const got of [...service.calls, ...service.tokens]) assert.equal(got.headers['user-agent'], 'Tandem (drift@example.no)');
    assert.equal(service.tokens.length, 1);
  });

  describe('references of its own, where an installation allows them', () => {
    const identity = { externalId: 'crm:Contact:c-1', idempotencyKey: 'k' };
    const create = (
      system: Connector,
      {
        type,
        values,
        externalId = identity.externalId,
      }: { type: string; values: Record<string, string | number>; externalId?: string },
    ): Promise<Snapshot> =>
      system.create({ type, values, fields: ['FirstName'], identity: { ...identity, externalId } }, OPTIONS);
    const sent = (): Record<string, unknown> => service.calls.at(-1)?.body as Record<string, unknown>;
    const by = { externalId: identity.externalId, values: { FirstName: 'Kari' }, since: Date.now() };

    it('are not written unless allowed, nor where a flow maps the property, nor where the type has none', async () => {
      answer = () => ({ status: 201, body: { ...SUPPLIER, ContactId: 3 } });
      await create(connect(), { type: 'Supplier', values: { FirstName: 'Kari' } });
      assert.deepEqual(sent(), { FirstName: 'Kari' });
      const system = connect({ writeReferences: true });
      await create(system, { type: 'Supplier', values: { ExternalImportReference: 'mine' } });
      assert.deepEqual(sent(), { ExternalImportReference: 'mine' });
      await create(system, { type: 'Product', values: { Name: 'x' } });
      assert.deepEqual(sent(), { Name: 'x' });
      await create(system, { type: 'Supplier', values: { FirstName: 'Kari' } });
      assert.deepEqual(sent(), { FirstName: 'Kari', ExternalImportReference: 'crm:Contact:c-1' });
      await create(system, { type: 'ContactPerson', values: { FirstName: 'Kari', ContactId: 3 } });
      assert.deepEqual(sent(), { FirstName: 'Kari', ExternalCode: 'crm:Contact:c-1' });
      await create(system, { type: 'Supplier', values: { FirstName: 'Kari' }, externalId: `crm:Contact:${'x'.repeat(60)}, y` });
      assert.match(String(sent()['ExternalImportReference']), /^tandem:[0-9a-f]{40}$/);
    });

    it('a lost answer is found by one call', async () => {
      answer = () => ({
        status: 200,
        body: [{ ...SUPPLIER, FirstName: 'Changed', ExternalImportReference: identity.externalId }],
      });
      const found = await connect({ writeReferences: true }).find({ type: 'Supplier', by, fields: ['FirstName'] }, OPTIONS);
      assert.deepEqual(
        found.map(({ id }) => id),
        ['7'],
      );
      assert.deepEqual(
        service.calls.map(({ path, query }) => [path, query.get('externalImportReference')]),
        [['Suppliers', identity.externalId]],
      );
    });

    it('an attempt that was made without one is found by what it sent', async () => {
      answer = ({ query }) => (query.has('externalImportReference') ? { status: 204 } : { status: 200, body: [SUPPLIER] });
      const found = await connect({ writeReferences: true }).find({ type: 'Supplier', by, fields: ['FirstName'] }, OPTIONS);
      assert.deepEqual(
        found.map(({ id }) => id),
        ['7'],
      );
      assert.equal(service.calls.length, 2);
    });
  });
});
