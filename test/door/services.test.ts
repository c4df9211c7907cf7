import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { SPECIFICATION } from '../../flows/specification.ts';
import { freePort } from '../../stack/process.ts';
import { API_TOKENS, TOKENS } from '../http/served.ts';
import { bin, fetchGenerator } from '../strangers/generator.ts';
import { orSkip } from '../support/orSkip.ts';
import { makeNamespace } from '../support/temporal.ts';
import { eventually, makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';
import { packed, type, typed, type Typed } from './places.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FLOW = 'contactperson-contact';
const SIZE = { products: 0, contactPersons: 7, suppliers: 0, supplierPersons: 0 };
const SECRET = `whsec_${Buffer.from('a secret of the test, long enough').toString('base64')}`;
const { token } = TOKENS.admin;

/** The library in another process, called from here. */
class Caller {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor(folder: string, env: Record<string, string>) {
    const { PATH, HOME } = process.env;
    this.#child = spawn('node', ['caller.mjs'], { cwd: folder, env: { PATH, HOME, ...env } });
    this.#child.stderr.pipe(process.stderr);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }
  async ready(): Promise<void> {
    await this.#lines.next();
  }
  async call(call: string, ...args: unknown[]): Promise<never> {
    this.#child.stdin.write(`${JSON.stringify({ call, args })}\n`);
    const { value } = (await this.#lines.next()) as { value: string };
    const { result, error, message } = JSON.parse(value) as { result: unknown; error?: string; message?: string };
    if (error !== undefined) throw new Error(`${error}: ${message}`);
    return result as never;
  }
  end(): void {
    this.#child.stdin.end();
  }
}

/** What the stranger's client offers. */
interface Stranger {
  links(flow: string): Promise<{ sourceId: string; status: string }[]>;
  sync(flow: string, sourceId: string, key: string): Promise<string>;
  hold(action: 'pause' | 'resume', flow: string, sourceId: string): Promise<boolean>;
  conflicts(flow: string): Promise<{ sourceId: string; property: string }[]>;
  resolve(flow: string, sourceId: string, property: string): Promise<boolean>;
  changes(after?: number): Promise<{ seqs: number[]; values: unknown[]; next: number }>;
  missing(flow: string, sourceId: string): Promise<string | undefined>;
}

describe('services in a folder of their own, with the packed package', function () {
  this.timeout(300_000);
  let folder: string;
  let world: World;
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;
  let env: Record<string, string>;
  let base: string;
  let worker: Typed | undefined;
  let server: Typed | undefined;
  let caller: Caller;

  const contact = (id: string): Record<string, unknown> => world.crm.desk.types['Contact']?.get(id) ?? {};
  const person = (id: string): Record<string, unknown> => world.powerOffice.desk.types['ContactPerson']?.get(id) ?? {};
  const serve = async (): Promise<void> => {
    server = type(`npx tandem serve --port ${new URL(base).port}`, folder, env);
    const alive = (): Promise<boolean> =>
      fetch(`${base}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await eventually('the interface', alive, Boolean);
  };
  /** Both sides of a pair edited while it is held. */
  async function contest(sourceId: string, hold: (action: 'pause' | 'resume') => Promise<unknown>): Promise<void> {
    const { targetId } = await caller.call('getLink', FLOW, sourceId);
    await hold('pause');
    const status = async (): Promise<string> => ((await caller.call('getLink', FLOW, sourceId)) as { status: string }).status;
    await eventually('paused', status, (each) => each === 'paused');
    world.powerOffice.desk.edit('ContactPerson', sourceId, { LastName: 'Herfra' });
    world.crm.desk.edit('Contact', targetId, { familyName: 'Derfra' });
    await hold('resume');
    await eventually('a conflict', status, (each) => each === 'conflict');
  }

  before(async () => {
    ({ folder } = await packed());
    world = await makeWorld({ size: SIZE });
    temporal = await makeNamespace();
    base = `http://127.0.0.1:${await freePort()}`;
    const flows = SPECIFICATION.flows
      .filter(({ name }) => name === FLOW)
      .map((flow) => ({
        ...flow,
        properties: flow.properties?.map((pair) => (pair.source === 'lastName' ? { ...pair, policy: 'ask' } : pair)),
      }));
    writeFileSync(join(folder, 'flows.json'), JSON.stringify({ flows }));
    for (const file of ['test/door/caller.mjs', 'examples/follow.mjs', 'examples/post-hook.mjs', 'examples/other-team'])
      cpSync(join(ROOT, file), join(folder, file.split('/').at(-1) ?? ''), { recursive: true });
    env = workerEnv(world, mongoUri(), {
      TEMPORAL_NAMESPACE: temporal.namespace,
      TANDEM_FLOWS: 'flows.json',
      TANDEM_POLL_SECONDS: '600',
      TANDEM_API_TOKENS: API_TOKENS,
      CRM_WEBHOOK_SECRET: SECRET,
    });
    worker = type('npx tandem worker', folder, env);
    caller = new Caller(folder, env);
    await caller.ready();
    const inStep = async (): Promise<number> =>
      ((await caller.call('links', { status: 'in-step' })) as { items: unknown[] }).items.length;
    await eventually({ what: 'all in step', withinMs: 120_000 }, inStep, (n) => n === SIZE.contactPersons);
    await serve();
  });
  after(async () => {
    caller?.end();
    await Promise.all([server?.interrupt('SIGKILL'), worker?.interrupt('SIGKILL')]);
    await temporal?.close();
    await world?.close();
  });

  it('a script links, syncs, waits and resolves', async () => {
    const made = world.powerOffice.desk.create('ContactPerson', { ContactId: 501, FirstName: 'Ny', LastName: 'Straks' });
    const id = `${String(made['ContactId'])}/${String(made['Id'])}`;
    const done: { status: string } = await caller.call('sync', FLOW, id, { wait: true, requestId: 'first' });
    assert.equal(done.status, 'in-step');
    const { targetId }: { targetId: string } = await caller.call('getLink', FLOW, id);
    assert.equal(contact(targetId)['familyName'], 'Straks');
    const calls = world.powerOffice.disturbance.calls.length;
    assert.deepEqual(await caller.call('sync', FLOW, id, { wait: true, requestId: 'first' }), done);
    assert.equal(world.powerOffice.disturbance.calls.length, calls, 'the same request asks nothing twice');
    await contest(id, (action) => caller.call(action, FLOW, id));
    await caller.call('resolve', FLOW, id, { property: 'LastName', choice: 'target' });
    await caller.call('sync', FLOW, id, { wait: true });
    await eventually(
      'the decision',
      () => person(id)['LastName'],
      (name) => name === 'Derfra',
    );
    await assert.rejects(caller.call('getLink', FLOW, '501/20011'), /^Error: NotFound: .*did you mean/);
    await assert.rejects(caller.call('sync', FLOW, '501/999999', { wait: true }), /^Error: NotFound: .*has no ContactPerson/);
  });

  it('follow.mjs follows changes over its own restart and the worker’s, and misses none', async () => {
    const people = ((await caller.call('links', { flow: FLOW })) as { items: { sourceId: string }[] }).items.slice(0, 3);
    const edit = async (n: number, name: string): Promise<void> => {
      const sourceId = people[n]?.sourceId ?? '';
      world.powerOffice.desk.edit('ContactPerson', sourceId, { FirstName: name });
      await caller.call('sync', FLOW, sourceId, { wait: true });
    };
    const seqs = ({ stdout }: Typed): number[] =>
      stdout.flatMap((line) => [...line.matchAll(/^(\d+) .* givenName written/g)].map(([, seq]) => Number(seq)));
    const follow = async (): Promise<Typed> => {
      const run = type('exec node follow.mjs cursor', folder, env);
      await eventually(
        'following',
        () => run.stdout[0],
        (line) => line?.startsWith('following') === true,
      );
      return run;
    };
    const first = await follow();
    await edit(0, 'Ida');
    await eventually(
      'the first',
      () => seqs(first).length,
      (n) => n === 1,
    );
    await first.interrupt('SIGKILL');
    await edit(1, 'Jon');
    // Gone the moment after the edit was carried: its number may not be given yet.
    await worker?.interrupt('SIGKILL');
    worker = type('npx tandem worker', folder, env);
    const second = await follow();
    await edit(2, 'Siri');
    await eventually(
      'the others',
      // At least once: what was told just before the kill may come again.
      () => new Set([...seqs(first), ...seqs(second)]).size,
      (n) => n === 3,
    );
    await second.interrupt('SIGTERM');
    assert.equal(new Set([...seqs(first), ...seqs(second)]).size, 3);
    assert.equal(Number(readFileSync(join(folder, 'cursor'), 'utf8')), Math.max(...seqs(second)));
  });

  it('post-hook.mjs: an edit in the CRM is on the other side at once, a poll of ten minutes notwithstanding', async () => {
    const { items }: { items: { sourceId: string; targetId: string }[] } = await caller.call('links', { flow: FLOW });
    const { sourceId, targetId } = items[3] ?? { sourceId: '', targetId: '' };
    world.crm.desk.edit('Contact', targetId, { givenName: 'Krok' });
    const { stdout } = await typed(`node post-hook.mjs ${base} contact.updated ${targetId}`, folder, { env });
    assert.match(stdout, /^200 /);
    await eventually(
      'the edit',
      () => person(sourceId)['FirstName'],
      (name) => name === 'Krok',
    );
    const wrong = { ...env, CRM_WEBHOOK_SECRET: `whsec_${Buffer.from('another secret, as long').toString('base64')}` };
    assert.match((await typed(`node post-hook.mjs ${base}`, folder, { env: wrong, code: 1 })).stdout, /^401 /);
  });

  it('a workflow of another team brings a record into step from its activity', async () => {
    const { items }: { items: { sourceId: string; targetId: string }[] } = await caller.call('links', { flow: FLOW });
    const { sourceId, targetId } = items[4] ?? { sourceId: '', targetId: '' };
    world.powerOffice.desk.edit('ContactPerson', sourceId, { FirstName: 'Faktura' });
    const { stdout } = await typed(`node other-team/worker.mjs ${FLOW} ${sourceId}`, folder, { env });
    assert.match(stdout, new RegExp(`^sent to ${targetId}$`, 'm'));
    assert.equal(contact(targetId)['givenName'], 'Faktura');
  });

  it('over HTTP, by a client that a stranger’s generator made from the description', async function () {
    await orSkip(this, 'openapi-typescript', fetchGenerator);
    const run = promisify(execFile);
    const description = await (await fetch(`${base}/v1/openapi.json`, { headers: { authorization: `Bearer ${token}` } })).text();
    writeFileSync(join(folder, 'openapi.json'), description);
    await run(bin('openapi-typescript'), ['openapi.json', '-o', 'schema.d.ts'], { cwd: folder });
    const program = join(ROOT, 'test/door/stranger.mjs');
    const copy = join(ROOT, '.tandem/stranger.mjs');
    cpSync(join(folder, 'schema.d.ts'), join(ROOT, '.tandem/stranger-schema.d.ts'));
    writeFileSync(copy, readFileSync(program, 'utf8').replace('SCHEMA', './stranger-schema.js'));
    const options =
      '--noEmit --allowJs --checkJs --strict --skipLibCheck --target es2023 --lib es2023,dom --types node --module nodenext';
    await run(bin('tsc'), [...options.split(' '), copy], { cwd: ROOT }).catch((error: { stdout?: string }) =>
      assert.fail(error.stdout ?? String(error)),
    );
    const { strangersClient } = (await import(pathToFileURL(copy).href)) as {
      strangersClient: (where: { baseUrl: string; token: string }) => Stranger;
    };
    const client = strangersClient({ baseUrl: base, token });

    const links = await client.links(FLOW);
    assert.equal(links.length, SIZE.contactPersons + 1);
    const [a = '', b = ''] = links.slice(5).map(({ sourceId }) => sourceId);
    const { next: from } = await client.changes();
    world.powerOffice.desk.edit('ContactPerson', a, { FirstName: 'Før' });
    assert.equal(await client.sync(FLOW, a, 'before'), 'in-step');
    await contest(b, (action) => client.hold(action, FLOW, b));
    assert.deepEqual(
      (await client.conflicts(FLOW)).map(({ sourceId, property }) => [sourceId, property]),
      [[b, 'LastName']],
    );
    await server?.interrupt('SIGKILL');
    await serve();
    assert.equal(await client.resolve(FLOW, b, 'LastName'), true);
    assert.equal(await client.sync(FLOW, b, 'after'), 'in-step');
    const seen: number[] = [];
    const values: unknown[] = [];
    const readOn = async (): Promise<boolean> => {
      const page = await client.changes(from + seen.length);
      seen.push(...page.seqs);
      values.push(...page.values);
      return values.includes('Før') && values.includes('Herfra');
    };
    await eventually('all changes', readOn, Boolean);
    assert.deepEqual(
      seen,
      seen.map((_, i) => from + 1 + i),
      'each number once, over the restart',
    );
    assert.equal(await client.missing(FLOW, `${a}0`), a);
  });
});
