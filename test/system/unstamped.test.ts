import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faultSchema } from '../../sandbox/faults.ts';
import { Store } from '../../store/store.ts';
import { makeNamespace } from '../support/temporal.ts';
import { runTandem, type Run } from '../support/worker.ts';
import { eventually, makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';

const FLOWS = {
  flows: [
    {
      name: 'persons',
      source: {
        system: 'powerOffice',
        type: 'Supplier',
        scope: [
          { property: 'IsPerson', equals: true },
          { property: 'IsActive', equals: true },
        ],
      },
      target: { system: 'crm', type: 'Contact' },
      properties: [
        { source: 'FirstName', target: 'givenName', type: 'string' },
        { source: 'MailAddress.City', target: 'title', type: 'string' },
      ],
    },
    {
      name: 'projects',
      source: { system: 'powerOffice', type: 'Project' },
      target: { system: 'crm', type: 'Company' },
      properties: [{ source: 'Name', target: 'name', type: 'string' }],
    },
  ],
};

describe('what moves no stamp, and a scope that no PATCH may name', function () {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-unstamped-'));
  let world: World;
  let store: Store;
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;
  let worker: Run;
  let env: Record<string, string>;

  before(async () => {
    writeFileSync(join(folder, 'flows.json'), JSON.stringify(FLOWS));
    world = await makeWorld({
      size: { products: 1, contactPersons: 1, suppliers: 2, supplierPersons: 2, projects: 1 },
      powerOffice: { withoutPrivilege: [] },
    });
    temporal = await makeNamespace();
    const uri = mongoUri();
    store = await Store.connect(uri);
    env = workerEnv(world, uri, {
      TEMPORAL_NAMESPACE: temporal.namespace,
      TANDEM_FLOWS: join(folder, 'flows.json'),
      TANDEM_UNSTAMPED_HOURS: '0.001',
      TANDEM_CONTACT: 'drift@example.no',
    });
    worker = runTandem(['worker'], env);
  });
  after(async () => {
    await worker.stop('SIGKILL');
    await temporal.close();
    await store.close();
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const link = async (): Promise<{ sourceId: string; targetId: string }> => {
    const [first] = await eventually(
      'the links',
      () => store.links.list({ status: 'in-step', flow: 'persons' }, { limit: 5 }),
      (found) => found.length === 2,
    );
    assert.ok(first?.targetId);
    return { sourceId: first.sourceId, targetId: first.targetId };
  };
  const contact = (id: string): Record<string, unknown> | undefined => world.crm.desk.types['Contact']?.get(id);
  const supplier = (id: string): Record<string, unknown> | undefined => world.powerOffice.desk.types['Supplier']?.get(id);

  it('an edited address, whose record keeps its stamp, reaches the CRM by the comparison of its own pace', async () => {
    const { sourceId, targetId } = await link();
    const before = supplier(sourceId)?.['LastChangedDateTimeOffset'];
    world.powerOffice.desk.edit('Supplier', sourceId, { 'MailAddress.City': 'Voss' });
    assert.equal(supplier(sourceId)?.['LastChangedDateTimeOffset'], before, 'the stand-in, as the service, moves no stamp');
    await eventually(
      'the city',
      () => contact(targetId)?.['title'],
      (city) => city === 'Voss',
    );
  });

  it('status says how old such an edit may be', async () => {
    const run = runTandem(['status'], env);
    assert.equal(await run.ended, 0);
    assert.match(
      run.lines.join('\n'),
      /powerOffice:Supplier: an edit of MailAddress.City moves no stamp, so it may be 0.001 h old/,
    );
  });

  it('back from the CRM: one read of the scope, one PATCH, conditional; the clock learns nothing from a stamp that stands still', async () => {
    const { sourceId, targetId } = await link();
    const { calls } = world.powerOffice.disturbance;
    const from = calls.length;
    world.crm.desk.edit('Contact', targetId, { title: 'Bergen' });
    await eventually(
      'the city',
      () => (supplier(sourceId)?.['MailAddress'] as { City?: string } | null)?.City,
      (city) => city === 'Bergen',
    );
    const mine = calls.slice(from).filter(({ path }) => path.endsWith(`/Suppliers/${sourceId}`));
    assert.deepEqual(
      mine.map(({ method, status }) => [method, status]),
      [
        ['GET', 200],
        ['PATCH', 200],
      ],
    );
    await eventually(
      'what was learnt of conditions',
      async () => (await store.systems.get('powerOffice')).test,
      (test) => test === 'works',
    );
    const { clock } = await eventually(
      'the clock',
      () => store.systems.get('powerOffice'),
      (known) => known.clock !== undefined,
    );
    assert.ok(Math.abs((clock?.lo ?? 0) + (clock?.hi ?? 0)) / 2 < 5000, JSON.stringify(clock));
  });

  /** The calls about a record from now on, up to the moment when `settled` holds. */
  async function callsUntil(path: string, edit: () => void, settled: () => Promise<boolean>): Promise<(string | number)[][]> {
    const { calls } = world.powerOffice.disturbance;
    const busy = (): Promise<boolean> => store.links.list().then((all) => all.some((each) => each.status !== 'in-step'));
    await eventually('rest before the edit', busy, (still) => !still);
    const from = calls.length;
    edit();
    await eventually(`the end of the edit of ${path}`, settled, (done) => done);
    return calls
      .slice(from)
      .filter((call) => call.path.endsWith(path))
      .map(({ method, status }) => [method, status]);
  }

  const project = async (): Promise<{ sourceId: string; targetId: string; name: unknown; status: string; text: string }> => {
    const [found] = await store.links.list({ flow: 'projects' });
    const { sourceId = '', targetId, status = '', base, block } = found ?? {};
    return { sourceId, targetId: targetId ?? '', name: base?.source['Name'], status, text: block?.text ?? '' };
  };
  const disturb = (fault: object): void =>
    void world.powerOffice.disturbance.faults.push(
      faultSchema.parse({ method: 'PATCH', path: '/Projects/', kind: 'status', ...fault }),
    );

  it('a refused write costs one PATCH and at most one read, and blocks its link in the words of the service', async () => {
    const { sourceId, targetId } = await project();
    disturb({ status: 400, detail: 'The period is closed.' });
    const calls = await callsUntil(
      `/Projects/${sourceId}`,
      () => world.crm.desk.edit('Company', targetId, { name: 'Avvist' }),
      async () => (await project()).text.includes('The period is closed.'),
    );
    assert.deepEqual(calls[0], ['PATCH', 400]);
    assert.ok(calls.length <= 2 && calls.slice(1).every(([method]) => method === 'GET'), JSON.stringify(calls));
    world.crm.desk.edit('Company', targetId, { name: 'Tatt' });
  });

  it('a 500 on a conditional PATCH is read as contended: read, and written with one more PATCH', async () => {
    const { sourceId, targetId } = await project();
    const calls = await callsUntil(
      `/Projects/${sourceId}`,
      () => {
        disturb({ status: 500 });
        world.crm.desk.edit('Company', targetId, { name: 'Likevel' });
      },
      async () => (await project()).name === 'Likevel',
    );
    assert.equal(calls.filter(([method]) => method === 'PATCH').length, 2);
  });

  it('a PATCH that answers nothing settles after one read', async () => {
    world.powerOffice.desk.set({ silentPatch: true });
    const { sourceId, targetId } = await project();
    const calls = await callsUntil(
      `/Projects/${sourceId}`,
      () => world.crm.desk.edit('Company', targetId, { name: 'Nytt navn' }),
      async () => (await project()).name === 'Nytt navn',
    );
    assert.deepEqual(calls, [
      ['PATCH', 200],
      ['GET', 200],
    ]);
  });

  it('a start without a privilege says what it stops, and runs', async () => {
    world.powerOffice.desk.set({ withoutPrivilege: ['Supplier'] });
    const uri = mongoUri();
    const other = await makeNamespace();
    const lacking = runTandem(['worker'], { ...env, MONGODB_URI: uri, TEMPORAL_NAMESPACE: other.namespace });
    try {
      await eventually(
        'the word',
        () => lacking.lines.join('\n'),
        (text) => /"event":"privilege".*Supplier \(or Supplier_Full\) is missing/.test(text),
      );
      await eventually(
        'the start',
        () => lacking.lines.join('\n'),
        (text) => text.includes('the worker runs'),
      );
    } finally {
      await lacking.stop('SIGKILL');
      world.powerOffice.desk.set({ withoutPrivilege: [] });
      await other.close();
    }
  });
});
