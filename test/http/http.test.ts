import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { connectTandem, NotFound, type ChangeEvent, type Tandem } from '../../client/index.ts';
import { freePort } from '../../stack/process.ts';
import { orSkip } from '../support/orSkip.ts';
import { makeNamespace } from '../support/temporal.ts';
import { runTandem, type Run } from '../support/worker.ts';
import { holdAgainstDescription, schemathesis } from './described.ts';
import { flood } from './hookFlood.ts';
import { API_TOKENS, ask, TOKENS as tokens } from './served.ts';
import { eventually, makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';

const FLOW = 'contactperson-contact';
const SIZE = { products: 2, contactPersons: 8, suppliers: 2, supplierPersons: 2 };
const SECRET = `whsec_${Buffer.from('a secret of the test, long enough').toString('base64')}`;

describe('the HTTP interface, beside a worker on real servers', function () {
  this.timeout(180_000);
  let world: World;
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;
  let env: Record<string, string>;
  let worker: Run | undefined;
  let server: Run | undefined;
  let base = '';
  let taken: Server;
  let tandem: Tandem;

  const call = (path: string, asking?: Parameters<typeof ask>[1]): ReturnType<typeof ask> => ask(`${base}${path}`, asking);
  const post = (path: string, options: Parameters<typeof call>[1] = {}) => call(path, { method: 'POST', ...options });
  const pair = async (n: number): Promise<{ sourceId: string; targetId: string; path: string }> => {
    const { items } = await tandem.links({ flow: FLOW });
    const { sourceId = '', targetId } = items[n] ?? {};
    return { sourceId, targetId: targetId ?? '', path: `/v1/links/${FLOW}/${encodeURIComponent(sourceId)}` };
  };

  before(async () => {
    world = await makeWorld({ size: SIZE });
    temporal = await makeNamespace();
    env = workerEnv(world, mongoUri(), {
      TEMPORAL_NAMESPACE: temporal.namespace,
      TANDEM_POLL_SECONDS: '600',
      // The one worker is not taken for dead where the machine is busy.
      TANDEM_TAKEOVER_SECONDS: '60',
      CRM_WEBHOOK_SECRET: SECRET,
    });
    taken = createServer().listen(await freePort(), '127.0.0.1');
    await once(taken, 'listening');
    worker = runTandem(['worker'], { ...env, TANDEM_HTTP_PORT: String((taken.address() as AddressInfo).port) });
    tandem = await connectTandem({ env });
    await eventually(
      { what: 'all pairs in step', withinMs: 120_000 },
      async () => (await tandem.links({ status: 'in-step', limit: 100 })).items.length,
      (n) => n === SIZE.products + SIZE.contactPersons + SIZE.supplierPersons,
    );
    server = runTandem(['serve', '--port', '0'], {
      ...env,
      TANDEM_API_TOKENS: API_TOKENS,
    });
    await eventually(
      'the address',
      () => /at (http:\/\/[^\s",]+)/.exec(server?.lines.join('\n') ?? '')?.[1],
      (found) => (base = found ?? '') !== '',
    );
  });
  after(async () => {
    await tandem?.close();
    await Promise.all([server?.stop(), worker?.stop('SIGKILL')]);
    await temporal.close();
    await world.close();
    taken.close();
  });

  it('a port that is in use is a warning of the worker, which runs on', async () => {
    const warned = (): string => worker?.lines.find((line) => line.includes('is not served')) ?? '';
    await eventually('the warning', warned, (line) => line !== '');
    assert.match(warned(), /EADDRINUSE.*the worker runs on/);
    assert.equal(worker?.child.exitCode, null);
  });

  it('lists links a page at a time, and each one once', async () => {
    const seen: string[] = [];
    for (let path: string | null = `/v1/links?flow=${FLOW}&limit=3`; path !== null;) {
      const { status, body } = await call(path, { token: tokens.read.token });
      assert.equal(status, 200);
      seen.push(...(body['items'] as { sourceId: string }[]).map(({ sourceId }) => sourceId));
      path = body['next'] === null ? null : `/v1/links?flow=${FLOW}&limit=3&cursor=${encodeURIComponent(String(body['next']))}`;
    }
    assert.equal(seen.length, SIZE.contactPersons);
    assert.equal(new Set(seen).size, seen.length);
  });

  it('brings a pair into step and waits for it', async () => {
    const { sourceId, targetId, path } = await pair(0);
    world.powerOffice.desk.edit('ContactPerson', sourceId, { FirstName: 'Vigdis' });
    const { status, body } = await post(`${path}/sync?wait=60s`, { token: tokens.steer.token });
    assert.equal(status, 200);
    assert.equal(body['status'], 'in-step');
    assert.equal(world.crm.desk.types['Contact']?.get(targetId)?.['givenName'], 'Vigdis');
    const shown = await call(path);
    assert.equal((shown.body['history'] as { after: string }[])[0]?.after, 'Vigdis');
  });

  it('links a record that no feed has seen yet, at once', async () => {
    const made = world.powerOffice.desk.create('ContactPerson', { ContactId: 501, FirstName: 'Ny', LastName: 'Straks' });
    const sourceId = `${String(made['ContactId'])}/${String(made['Id'])}`;
    const { status, body } = await post(`/v1/links/${FLOW}/${encodeURIComponent(sourceId)}/sync?wait=60s`);
    assert.equal(status, 200);
    assert.equal(body['status'], 'in-step');
    const details = await tandem.getLink(FLOW, sourceId);
    assert.equal(world.crm.desk.types['Contact']?.get(details.targetId ?? '')?.['familyName'], 'Straks');
    const nowhere = await post(`/v1/links/${FLOW}/501%2F999999/sync?wait=60s`);
    assert.equal(nowhere.status, 404, 'a record that the system does not have');
    assert.match(String(nowhere.body['detail']), /has no ContactPerson 501\/999999/);
    const calls = world.powerOffice.disturbance.calls.length;
    assert.equal((await post(`/v1/links/${FLOW}/12%2Fabc/sync?wait=60s`)).status, 404, 'an id that none can have');
    assert.ok(
      world.powerOffice.disturbance.calls.slice(calls).every(({ path }) => !path.includes('abc')),
      'costs no call',
    );
  });

  it('a request with a key is carried out once', async () => {
    const { path } = await pair(1);
    const headers = { 'idempotency-key': 'one-and-the-same' };
    const body = { property: 'FirstName', choice: 'value', value: 'Avgjort' };
    const first = await post(`${path}/resolve`, { body, headers });
    assert.equal(first.status, 200);
    assert.deepEqual((await post(`${path}/resolve`, { body, headers })).body, first.body);
    const other = await post(`${path}/resolve`, { body: { ...body, value: 'Annet' }, headers });
    assert.equal(other.status, 422);
  });

  it('refuses what is malformed with every problem at once, and does nothing', async () => {
    const { path } = await pair(1);
    const { status, body, headers } = await post(`${path}/resolve?wait=yes`, { body: { choice: 'both', extra: 1 } });
    assert.equal(status, 400);
    assert.match(headers.get('content-type') ?? '', /application\/problem\+json/);
    const places = (body['errors'] as { at: string }[]).map(({ at }) => at.split('.')[0]);
    assert.deepEqual(new Set(places), new Set(['body', 'query']));
    assert.equal((await post(`${path}/resolve`, { body: '{"property":' })).status, 400);
    assert.equal((await post(`${path}/resolve`, { body: 'x=1', headers: { 'content-type': 'text/plain' } })).status, 415);
    assert.equal((await post(`${path}/resolve`, { body: { property: 'x'.repeat(70_000) } })).status, 413);
    assert.equal((await call(`${path}/resolve`)).status, 405);
    const lost = await call('/v1/linkz');
    assert.equal(lost.status, 404);
    assert.match(String(lost.body['detail']), /\/v1\/links/);
    const unknown = await call(`/v1/links?flow=contactperson-contacts`);
    assert.equal(unknown.status, 404);
    assert.match(String(unknown.body['detail']), /contactperson-contact/);
  });

  it('lets in who has a token, and lets nobody do more than its right', async () => {
    const { path } = await pair(0);
    assert.equal((await call('/v1/status', { token: null })).status, 401);
    assert.equal((await call('/v1/status', { token: 'tandem_nobody' })).status, 401);
    assert.equal((await post(`${path}/pause`, { token: tokens.read.token })).status, 403);
    assert.equal((await post(`/v1/flows/${FLOW}/pause`, { token: tokens.steer.token })).status, 403);
    assert.equal((await call('/v1/status', { token: tokens.read.token })).status, 200);
  });

  it('follows changes over a broken stream without missing one', async () => {
    const from = (await tandem.readChanges()).next;
    const people = await Promise.all([2, 3, 4].map(pair));
    for (const { sourceId } of people) world.powerOffice.desk.edit('ContactPerson', sourceId, { LastName: 'Strøm' });
    const seen: ChangeEvent[] = [];
    const read = async (headers: Record<string, string>, enough: number): Promise<void> => {
      const abort = new AbortController();
      const response = await fetch(`${base}/v1/changes?after=${from}`, {
        headers: { accept: 'text/event-stream', authorization: `Bearer ${tokens.read.token}`, ...headers },
        signal: abort.signal,
      });
      assert.equal(response.status, 200);
      let rest = '';
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        const parts = (rest + Buffer.from(chunk).toString()).split('\n\n');
        rest = parts.pop() ?? '';
        for (const part of parts) {
          const data = /^data: (.*)$/m.exec(part)?.[1];
          if (data !== undefined) seen.push(JSON.parse(data) as ChangeEvent);
        }
        if (seen.length >= enough) break;
      }
      abort.abort();
    };
    for (const { path } of people) await post(`${path}/sync?wait=60s`);
    const sources = new Set(people.map(({ sourceId }) => sourceId));
    const mine = (): ChangeEvent[] => seen.filter(({ sourceId, after }) => sources.has(sourceId) && after === 'Strøm');
    await read({}, 1);
    while (mine().length < sources.size) await read({ 'last-event-id': String(seen.at(-1)?.seq) }, seen.length + 1);
    // Every number once and in order, over the break, whatever else happened meanwhile.
    assert.deepEqual(
      seen.map(({ seq }) => seq),
      seen.map((_, i) => from + 1 + i),
    );
    assert.deepEqual(new Set(mine().map(({ sourceId }) => sourceId)), sources);
    assert.ok(mine().every(({ kind, property }) => kind === 'changed' && property === 'familyName'));
    assert.equal((await call('/v1/changes?after=999999')).status, 410);
  });

  it('a hook is a hint: its feed looks now, and what is forged changes nothing', async () => {
    const { sourceId, targetId } = await pair(5);
    world.crm.desk.edit('Contact', targetId, { givenName: 'Krok' });
    const body = JSON.stringify({ type: 'contact.updated', timestamp: new Date().toISOString(), data: { id: targetId } });
    const at = new Date();
    const send = (signature: string): Promise<Response> =>
      fetch(`${base}/hooks/crm`, {
        method: 'POST',
        body,
        headers: {
          'webhook-id': 'm1',
          'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
          'webhook-signature': signature,
        },
      });
    assert.equal((await send('v1,bm8gc2lnbmF0dXJl')).status, 401);
    assert.equal((await send(new Webhook(SECRET).sign('m1', at, body))).status, 200);
    await eventually(
      'the edit on the other side, long before the poll',
      () => world.powerOffice.desk.types['ContactPerson']?.get(sourceId)?.['FirstName'],
      (name) => name === 'Krok',
    );
  });

  it('hooks that are forged, too old, replayed or of what nobody knows change nothing, and cost a look a second', async () => {
    const { targetId } = await pair(5);
    await flood({ world, base, secret: SECRET, hooks: 1200, targetId });
  });

  it('says how it is, and every answer is in its description', async () => {
    assert.equal((await call('/healthz', { token: null })).status, 200);
    const ready = await call('/readyz', { token: null });
    assert.equal(ready.status, 200);
    assert.equal(ready.body['ready'], true);
    const metrics = await (await fetch(`${base}/metrics`)).text();
    assert.match(metrics, /tandem_pairs\{flow="contactperson-contact",status="in-step"\} \d+/);
    const { body } = await call('/v1/openapi.json');
    assert.equal(body['openapi'], '3.1.0');
    assert.ok(Object.keys(body['paths'] as object).length > 15);
  });

  it('no answer of 500 and above, and none that its description does not have', async function () {
    const program = await orSkip(this, 'schemathesis', schemathesis);
    const { token } = tokens.admin;
    const { code, said } = await holdAgainstDescription({ program, base, token, examples: 4, seconds: 10, seed: 15 });
    assert.equal(code, 0, said);
  });

  it('the library says what is not there, by the nearest name', async () => {
    await assert.rejects(
      () => tandem.getLink('contactperson-contakt', '1/1'),
      (error) => error instanceof NotFound && error.what === 'flow' && error.nearest === FLOW,
    );
    await assert.rejects(
      () => tandem.getLink(FLOW, '1/1'),
      (error) => error instanceof NotFound && error.what === 'link',
    );
  });
});
