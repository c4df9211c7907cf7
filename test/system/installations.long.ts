import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connectTandem } from '../../client/connect.ts';
import { Store } from '../../store/store.ts';
import { mostInASecond } from '../connectors/calls.ts';
import { makeNamespace } from '../support/temporal.ts';
import { runTandem, type Run } from '../support/worker.ts';
import { eventually, makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';

const SIZE = { products: 3, contactPersons: 40, suppliers: 4, supplierPersons: 2 };
const PAIRS = SIZE.products + SIZE.contactPersons + SIZE.supplierPersons;
const FLOW = 'contactperson-contact';

interface Installed {
  readonly name: string;
  readonly world: World;
  readonly env: Record<string, string>;
  readonly store: Store;
}

describe('two installations in one namespace, on one MongoDB server and one subscription key', function () {
  this.timeout(240_000);
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;
  let a: Installed;
  let b: Installed;
  const workers: Run[] = [];

  async function install(name: string, mongo: string): Promise<Installed> {
    const world = await makeWorld({ size: SIZE });
    const env = workerEnv(world, mongo, {
      TEMPORAL_NAMESPACE: temporal.namespace,
      TANDEM_INSTALLATION: name,
      POWEROFFICE_REQUESTS_PER_SECOND: '10',
      // As they are where nobody says anything: in the server's own database for limits.
      TANDEM_LIMITS_URI: '',
    });
    return { name, world, env, store: await Store.connect(mongo, { database: name }) };
  }

  before(async () => {
    temporal = await makeNamespace();
    const uri = mongoUri();
    const [server = ''] = /^mongodb:\/\/[^/]+/.exec(uri) ?? [];
    a = await install('tandem', uri);
    // Without a path, the database is the installation's.
    b = await install(`kunde-${randomUUID().slice(0, 8)}`, server);
    workers.push(runTandem(['worker'], a.env), runTandem(['worker'], a.env), runTandem(['worker'], b.env));
  });
  after(async () => {
    await Promise.all(workers.map((worker) => worker.stop('SIGKILL')));
    await temporal.close();
    for (const { store, world } of [a, b]) await Promise.all([store.close(), world.close()]);
  });

  const idsOf = async (query: string): Promise<string[]> => {
    const ids: string[] = [];
    for await (const { workflowId } of temporal.client.workflow.list({ query })) ids.push(workflowId);
    return ids;
  };

  it('creates every link of each in its own CRM, once', async () => {
    for (const { name, store } of [a, b])
      await eventually(
        { what: `${name}: all pairs in step`, withinMs: 120_000 },
        () => store.links.count({ status: 'in-step' }),
        (n) => n === PAIRS,
      );
    for (const { name, world } of [a, b]) {
      const rows = ['Contact', 'Company'].flatMap((type) => world.crm.desk.types[type]?.rows() ?? []);
      const prefix = name === 'tandem' ? 'poweroffice:' : `${name}:poweroffice:`;
      assert.equal(rows.length, PAIRS);
      assert.ok(rows.every((row) => String(row['externalId']).startsWith(prefix)));
      assert.equal(new Set(rows.map((row) => row['externalId'])).size, PAIRS);
    }
  });

  it('keeps ids, queues, visibility and status apart', async () => {
    for (const { name, env } of [a, b]) {
      const links = await eventually(
        'all links are visible',
        () => idsOf(`WorkflowType = 'link' AND TaskQueue = '${name}'`),
        (ids) => ids.length === PAIRS,
      );
      const prefix = name === 'tandem' ? 'link:' : `${name}:link:`;
      assert.ok(links.every((id) => id.startsWith(prefix)));
      const tandem = await connectTandem({ env });
      try {
        const status = await tandem.status();
        assert.equal(status.installation, name);
        assert.equal(
          status.flows.reduce((sum, { pairs }) => sum + (pairs['in-step'] ?? 0), 0),
          PAIRS,
        );
        assert.deepEqual(await tandem.rebuild(), { stored: 0, started: 0 }, 'sees no link of the other');
      } finally {
        await tandem.close();
      }
    }
  });

  it('three workers keep to one quota, and each installation has its share of it', async () => {
    for (const { store, world } of [a, b])
      for (const link of await store.links.list({ flow: FLOW }))
        world.crm.desk.edit('Contact', link.targetId ?? '', { familyName: `Ny ${link.sourceId}` });
    const arrived = ({ world }: Installed): number =>
      (world.powerOffice.desk.types['ContactPerson']?.rows() ?? []).filter((row) => String(row['LastName']).startsWith('Ny '))
        .length;
    await eventually(
      { what: 'every edit in PowerOffice', withinMs: 60_000 },
      () => arrived(a) + arrived(b),
      (n) => n === 2 * SIZE.contactPersons,
    );
    const calls = [a, b]
      .flatMap(({ name, world }) => world.powerOffice.disturbance.calls.map((call) => ({ ...call, name })))
      .filter(({ path }) => path.startsWith('/v2'))
      .toSorted((one, other) => one.at - other.at);
    assert.ok(mostInASecond(calls.map(({ at }) => at)) <= 10);
    assert.ok(calls.every(({ status }) => status !== 429));
    const writes = calls.filter(({ method }) => method === 'PATCH').slice(8, 48);
    const share = writes.filter(({ name }) => name === b.name).length / writes.length;
    assert.ok(share > 0.35 && share < 0.65, `${b.name}: ${share}`);
  });

  it('refuses a start with the other’s CRM, or its database, with exit code 2, and leaves nothing behind', async () => {
    const state = async (): Promise<unknown> =>
      Promise.all([a, b].map(async ({ store }) => [await store.whose(), await store.systems.all()])).then((seen) =>
        JSON.stringify(seen, (key, value: unknown) => (key === 'clock' ? undefined : value)),
      );
    const before = await state();
    const writes = (): number =>
      [a, b].flatMap(({ world }) => world.crm.disturbance.calls).filter(({ method }) => method !== 'GET').length;
    const written = writes();
    const nobodys = await Store.connect(mongoUri());
    const running = (await idsOf("ExecutionStatus = 'Running'")).length;
    const swapped = [
      [{ ...a.env, CRM_URL: b.env['CRM_URL'] ?? '' }, /CRM at .* the configuration names/],
      [{ ...b.env, MONGODB_URI: a.env['MONGODB_URI'] ?? '' }, /belongs to the installation "tandem"/],
      // Temporal alone knows better.
      [
        { ...a.env, CRM_URL: b.env['CRM_URL'] ?? '', MONGODB_URI: mongoUri().replace(/[^/]+$/, nobodys.database) },
        /namespace .* has the installation "tandem" for CRM/,
      ],
    ] as const;
    const runs = swapped.map(([env]) => runTandem(['worker'], env));
    const codes = await Promise.all(runs.map((run) => run.ended));
    assert.deepEqual(codes, [2, 2, 2], runs.flatMap((run) => run.lines).join('\n'));
    for (const [i, [, says]] of swapped.entries()) assert.match(runs[i]?.lines.join('\n') ?? '', says);
    assert.equal(await state(), before);
    assert.equal(await nobodys.whose(), null);
    assert.equal((await nobodys.sizes()).systems, 0);
    assert.equal(writes(), written);
    assert.equal((await idsOf("ExecutionStatus = 'Running'")).length, running);
    await nobodys.close();
  });
});
