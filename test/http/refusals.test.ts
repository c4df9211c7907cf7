import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import type { Connection } from '@temporalio/client';
import { ROUTES } from '../../client/http/routes.ts';
import type { Flow } from '../../flows/flow.ts';
import { addSearchAttributes } from '../../worker/temporal.ts';
import { Store } from '../../store/store.ts';
import { relayTo, type Relay } from '../support/relay.ts';
import { watchStandstills } from '../support/standstill.ts';
import { makeNamespace } from '../support/temporal.ts';
import { eventually, makeWorld, mongoUri, temporalAddress, workerEnv, type World } from '../support/world.ts';
import { API_TOKENS, ask, inStep, served, TOKENS, type Asking } from './served.ts';

const FLOW = 'contactperson-contact';
const IDS = ['501/2001', '501/2002', '777/9'];

/** A valid body for each route that takes one. */
const BODIES: Readonly<Record<string, object>> = {
  linkWith: { targetId: 'c9' },
  resolveConflict: { property: 'FirstName', choice: 'source' },
  restoreValue: { changeId: '1:FirstName' },
  retryBlocked: {},
  compareAll: {},
  removeFlow: { data: 'keep' },
};

describe('what the HTTP interface refuses, on real servers', function () {
  this.timeout(180_000);
  let world: World;
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;
  let env: Record<string, string>;
  let relays: Record<'mongo' | 'temporal', Relay>;
  let store: Store;
  let there: Awaited<ReturnType<typeof served>>;

  before(async () => {
    world = await makeWorld();
    temporal = await makeNamespace();
    await addSearchAttributes(temporal.client.connection as Connection, temporal.namespace);
    const uri = mongoUri();
    const { host, pathname } = new URL(uri);
    relays = { mongo: await relayTo(host), temporal: await relayTo(temporalAddress()) };
    env = workerEnv(world, `mongodb://${relays.mongo.address}${pathname}`, {
      TEMPORAL_ADDRESS: relays.temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      TANDEM_API_TOKENS: API_TOKENS,
    });
    store = await Store.connect(uri);
    await store.prepare(365);
    there = await served(env);
    for (const [i, id] of IDS.entries()) await store.links.write(inStep(flow(), id, { targetId: `c${i}` }), flow());
  });
  after(async () => {
    await there.close();
    await store.close();
    await temporal.close();
    await world.close();
    for (const relay of Object.values(relays)) relay.close();
  });

  const flow = (): Flow => there.open.flows.find(({ name }) => name === FLOW) as Flow;
  const call = (path: string, asking?: Asking): ReturnType<typeof ask> => ask(`${there.base}${path}`, asking);
  const post = (path: string, asking: Asking = {}): ReturnType<typeof ask> => call(path, { method: 'POST', ...asking });
  const linkPath = (id = IDS[0] ?? '', name = FLOW): string => `/v1/links/${name}/${encodeURIComponent(id)}`;
  const at = (path: string, { name = FLOW, id = IDS[0] ?? '' } = {}): string =>
    path.replace('{flow}', name).replace('{sourceId}', encodeURIComponent(id));
  /** Everything but the audit of steering calls and the kept requests, which are written for what is refused too. */
  const stored = async (): Promise<unknown> => [await store.links.list(), await store.cursors.all(), await store.limits.paused()];

  for (const row of ROUTES) {
    const method = row.method.toUpperCase();
    const body = BODIES[row.operationId];
    const send = (path: string, asking: Asking = {}): ReturnType<typeof ask> =>
      call(path, { method, ...(body === undefined ? {} : { body }), ...asking });

    it(`${method} ${row.path}: token, right, names, body`, async () => {
      const before = await stored();
      assert.equal((await send(at(row.path), { token: null })).status, 401);
      const forged = await send(at(row.path), { token: 'tandem_forged' });
      assert.equal(forged.status, 401);
      assert.equal(forged.headers.get('www-authenticate'), 'Bearer');
      if (row.right !== 'read') {
        const less = row.right === 'admin' ? TOKENS.steer : TOKENS.read;
        const { status, body: said } = await send(at(row.path), { token: less.token });
        assert.equal(status, 403);
        assert.match(String(said['detail']), new RegExp(`this needs ${row.right}`));
      }
      if (row.path.includes('{flow}')) {
        const { status, body: said } = await send(at(row.path, { name: 'contactpersn-contact' }));
        assert.deepEqual([status, said['nearest']], [404, FLOW]);
      }
      if (row.path.includes('{sourceId}') && row.operationId !== 'syncLink') {
        const { status, body: said } = await send(at(row.path, { id: '501/2003' }));
        assert.deepEqual([status, said['nearest']], [404, '501/2002'], JSON.stringify(said));
        assert.match(String(said['detail']), /did you mean 501\/2002\?/);
      }
      if (body !== undefined) {
        assert.equal((await send(at(row.path), { headers: { 'content-type': 'text/plain' } })).status, 415);
        assert.equal((await send(at(row.path), { body: `"${'x'.repeat(66_000)}"` })).status, 413);
        assert.equal((await send(at(row.path), { body: '{"' })).status, 400);
        const many = await send(`${at(row.path)}?odd=1`, {
          body: { ...body, stranger: 1 },
          headers: { 'idempotency-key': 'a b' },
        });
        assert.equal(many.status, 400);
        const places = (many.body['errors'] as { at: string }[]).map((each) => each.at.split('.')[0]);
        assert.deepEqual(new Set(places), new Set(['header', 'query', 'body']));
      } else assert.equal((await send(`${at(row.path)}?odd=1`)).status, 400);
      const other = await call(at(row.path), { method: 'PUT' });
      assert.equal(other.status, 405);
      assert.match(other.headers.get('allow') ?? '', new RegExp(method));
      assert.deepEqual(await stored(), before, 'what is refused changes nothing');
    });
  }

  it('a path that is not there: the nearest; a cursor that is none: 400; an unknown property or change: 404', async () => {
    assert.match(String((await call('/v1/statos')).body['detail']), /did you mean \/v1\/status\?/);
    const cursor = await call(`${linkPath()}/history?cursor=abc`);
    assert.equal(cursor.status, 400);
    const property = await post(`${linkPath()}/resolve`, { body: { property: 'FirstNam', choice: 'source' } });
    assert.deepEqual([property.status, property.body['nearest']], [404, 'FirstName']);
    assert.equal((await post(`${linkPath()}/restore`, { body: { changeId: '9:FirstName' } })).status, 404);
    for (const limit of ['0', '501', '1.5', '1e2', ' 5', ''])
      assert.equal((await call(`/v1/links?limit=${encodeURIComponent(limit)}`)).status, 400, limit);
  });

  it('what the state of a link does not allow: 409', async () => {
    const taken = await post(`${linkPath()}/link`, { body: { targetId: 'c1' } });
    assert.equal(taken.status, 409);
    assert.match(String(taken.body['detail']), /is linked with Contact c0 already/);
    const closed = await post(`${linkPath()}/unlink`);
    assert.equal(closed.status, 409, 'its workflow does not run');
  });

  it('a key: the same again, another request, one that still runs', async () => {
    const path = '/v1/flows/product-company/withdraw';
    const print = createHash('sha256').update(['post', path, ''].join('\n')).digest('hex');
    assert.equal(await store.requests.begin('boss:running', print), 'new');
    const running = await post(path, { headers: { 'idempotency-key': 'running' } });
    assert.deepEqual([running.status, running.headers.get('retry-after')], [409, '1']);
    const first = await post(path, { headers: { 'idempotency-key': 'one' } });
    assert.deepEqual([first.status, first.body], [200, { links: 0, missing: 0, would: {} }]);
    assert.deepEqual((await post(path, { headers: { 'idempotency-key': 'one' } })).body, first.body);
    assert.equal((await post('/v1/flows/product-company/approve', { headers: { 'idempotency-key': 'one' } })).status, 422);
    const waited = (seconds: number): ReturnType<typeof post> =>
      post(`${linkPath(IDS[1])}/sync?wait=${seconds}s`, { headers: { 'idempotency-key': 'waits' } });
    assert.equal((await waited(1)).status, 200);
    assert.equal((await waited(1)).status, 200);
    assert.equal((await waited(2)).status, 422, 'another query is another request');
    // Somebody else's key is another key; one whose request was refused may come again.
    assert.equal(
      (await post('/v1/retry', { body: {}, token: TOKENS.steer.token, headers: { 'idempotency-key': 'one' } })).status,
      200,
    );
    const strange = { body: { flow: 'nothing' }, headers: { 'idempotency-key': 'two' } };
    assert.equal((await post('/v1/retry', strange)).status, 404);
    assert.equal((await post('/v1/retry', { ...strange, body: {} })).status, 200);
  });

  it('what no worker takes is kept by Temporal: a sync that nobody waits for is carried out later', async () => {
    const { status, body } = await post(`${linkPath()}/sync`);
    assert.deepEqual([status, body['status']], [200, 'asked']);
    const { events } = await temporal.client.workflow.getHandle(`link:${FLOW}:${IDS[0]}`).fetchHistory();
    const signals = (events ?? []).flatMap((event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? []);
    assert.deepEqual(signals, ['steer']);
  });

  it('every steering call leaves who, what, when and what came of it', async () => {
    const began = Date.now();
    await post(`/v1/flows/${FLOW}/pause`, { headers: { 'x-request-id': 'mine' } });
    await post(`/v1/flows/${FLOW}/resume`);
    await post(`${linkPath('1/1')}/pause`, { token: TOKENS.steer.token });
    const calls = (await store.steering.latest(3)).toReversed();
    assert.deepEqual(
      calls.map(({ who, what, path, status }) => [who, what, path, status]),
      [
        ['boss', 'pauseFlow', `/v1/flows/${FLOW}/pause`, 200],
        ['boss', 'resumeFlow', `/v1/flows/${FLOW}/resume`, 200],
        ['service', 'pauseLink', `${linkPath('1/1')}/pause`, 404],
      ],
    );
    assert.equal(calls[0]?.requestId, 'mine');
    assert.ok(calls.every(({ at: when }) => when.getTime() >= began));
  });

  it('a cursor that the stream does not have says from where one can go on', async () => {
    const event = (n: number) =>
      ({ key: `e${n}`, kind: 'status', at: new Date(), flow: FLOW, sourceId: '1', targetId: null, status: 'in-step' }) as never;
    await store.changes.append([1, 2, 3].map(event));
    const { status, body } = await call('/v1/changes?after=4');
    assert.deepEqual([status, body['goOnAfter']], [410, 3]);
    assert.equal((await call('/v1/changes?after=1&limit=1')).body['next'], 2);
  });

  it('without tokens: loopback names and pages of ones own alone', async () => {
    const open = await served({ ...env, TANDEM_API_TOKENS: '' });
    const status = (headers: Record<string, string>): Promise<number> =>
      new Promise((resolve, reject) =>
        request(`${open.base}/v1/status`, { headers }, (answer) => (answer.resume(), resolve(answer.statusCode ?? 0)))
          .on('error', reject)
          .end(),
      );
    try {
      assert.match(open.base, /^http:\/\/127\.0\.0\.1:/);
      assert.equal(await status({}), 200);
      assert.equal(await status({ host: 'localhost:1' }), 200);
      for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:80'])
        assert.equal(await status({ host }), 403, host);
      assert.equal(await status({ origin: 'http://localhost:5173' }), 200);
      for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1.evil.example'])
        assert.equal(await status({ origin }), 403, origin);
    } finally {
      await open.close();
    }
  });

  for (const [name, title, path] of [
    ['temporal', 'Temporal at', `${linkPath()}/pause`],
    ['mongo', 'MongoDB at', '/v1/status'],
  ] as const)
    it(`${name} down: 503 says which and since when, and readyz says the same`, async () => {
      const began = Date.now();
      const standstills = watchStandstills();
      relays[name].cut();
      try {
        const { status, body, headers } = await call(path, { method: path.endsWith('pause') ? 'POST' : 'GET' });
        assert.equal(status, 503, JSON.stringify(body));
        assert.ok(Date.now() - began - standstills.lost() < 15_000);
        assert.match(String(body['dependency']), new RegExp(`^${title} `));
        assert.ok(Number(headers.get('retry-after')) > 0);
        const ready = await call('/readyz', { token: null });
        assert.equal(ready.status, 503);
        const down = (ready.body['dependencies'] as { name: string; ready: boolean; since: string }[]).filter(
          (each) => !each.ready,
        );
        assert.deepEqual(
          down.map((each) => [each.name, each.since]),
          [[body['dependency'], body['since']]],
        );
        assert.equal((await call('/healthz', { token: null })).status, 200);
        if (name === 'mongo') assert.equal((await post('/v1/flows/crm/pause')).status, 503);
      } finally {
        relays[name].mend();
        await standstills.end();
      }
      const readiness = async (): Promise<number> => (await call('/readyz', { token: null })).status;
      await eventually('ready again', readiness, (status) => status === 200);
      assert.deepEqual(await store.limits.paused(), [], 'what was refused was not done');
    });
});
