import assert from 'node:assert/strict';
import { Store } from '../../store/store.ts';
import { watchStandstills } from '../support/standstill.ts';
import { makeNamespace } from '../support/temporal.ts';
import { runTandem, type Run } from '../support/worker.ts';
import { eventually, makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';

const SIZE = { products: 20, contactPersons: 90, suppliers: 40, supplierPersons: 20 };
const LISTS = /^(?:\/v2\/(?:Products|ContactPersons|Suppliers)|\/(?:contacts|companies|products))$/i;
const PAIRS = SIZE.products + SIZE.contactPersons + SIZE.supplierPersons;

/** Waits until each list that the feeds read has been asked again. */
async function anotherLook(world: World): Promise<void> {
  const asked = (): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const { disturbance } of [world.powerOffice, world.crm])
      for (const { method, path } of disturbance.calls)
        if (method === 'GET' && LISTS.test(path)) counts.set(path, (counts.get(path) ?? 0) + 1);
    return counts;
  };
  const before = asked();
  assert.equal(before.size, 5);
  await eventually('another look at every list', asked, (now) =>
    [...before].every(([path, count]) => (now.get(path) ?? 0) > count),
  );
}

describe('the whole system, two workers as child processes', function () {
  this.timeout(240_000);
  let world: World;
  let store: Store;
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;
  let env: Record<string, string>;
  const workers: Run[] = [];
  const standstills = watchStandstills();
  const crmWrites = () => world.crm.disturbance.calls.filter((call) => call.method !== 'GET');
  const powerOfficeWrites = () =>
    world.powerOffice.disturbance.calls.filter((call) => call.method !== 'GET' && call.path !== '/OAuth/Token');

  before(async () => {
    world = await makeWorld({ size: SIZE, powerOffice: { lagMs: 1000 } });
    temporal = await makeNamespace();
    const uri = mongoUri();
    env = workerEnv(world, uri, { TEMPORAL_NAMESPACE: temporal.namespace });
    store = await Store.connect(uri);
    workers.push(runTandem(['worker'], env), runTandem(['worker'], env));
  });
  after(async () => {
    await Promise.all(workers.map((worker) => worker.stop('SIGKILL')));
    await standstills.end();
    await temporal.close();
    await store.close();
    await world.close();
  });

  it('brings every record into step: one record each, one creating call each', async () => {
    await eventually(
      { what: 'all pairs in step', withinMs: 120_000 },
      () => store.links.count({ status: 'in-step' }),
      (n) => n === PAIRS,
    );
    const complaints = workers.flatMap((worker) => worker.lines.filter((line) => /"level":[45]0|"attempt":[^1]/.test(line)));
    assert.equal(crmWrites().length, PAIRS, complaints.join('\n'));
    assert.ok(crmWrites().every((call) => call.method === 'POST' && call.status === 201));
    assert.equal(powerOfficeWrites().length, 0);
    const rows = [...(world.crm.desk.types['Contact']?.rows() ?? []), ...(world.crm.desk.types['Company']?.rows() ?? [])];
    assert.equal(rows.length, PAIRS);
    assert.equal(new Set(rows.map((row) => row['externalId'])).size, PAIRS);
    assert.ok(rows.some((row) => row['externalId'] === 'poweroffice:ContactPerson:501/2001'));
    const other = world.powerOffice.disturbance.calls.filter(
      (call) => !/^\/v2\/(Products|ContactPersons|Suppliers)$/.test(call.path) && call.path !== '/OAuth/Token',
    );
    assert.deepEqual(new Set(other.map((call) => call.path)), new Set(['/v2/ClientIntegrationInformation']));
  });

  it('stays quiet while nobody edits: no write, no message to any link', async () => {
    const before = { crm: crmWrites().length, powerOffice: powerOfficeWrites().length };
    const links = await store.links.list({ flow: 'contactperson-contact' }, { limit: 20 });
    const describe = async () =>
      Promise.all(links.map((link) => temporal.client.workflow.getHandle(`link:${link.flow}:${link.sourceId}`).describe()));
    const events = async (): Promise<number[]> => (await describe()).map((each) => each.historyLength);
    // A page that a feed read while a create was under way may still tell of it: it is handed on before the next look.
    await anotherLook(world);
    await anotherLook(world);
    // The store is written inside the activity; the workflow notes its end a moment later.
    await eventually(
      'the last workflow tasks',
      async () => (await describe()).filter(({ raw }) => raw.pendingActivities?.length || raw.pendingWorkflowTask).length,
      (busy) => busy === 0,
    );
    const was = await events();
    await new Promise((resolve) => setTimeout(resolve, 5000));
    assert.deepEqual({ crm: crmWrites().length, powerOffice: powerOfficeWrites().length }, before);
    assert.deepEqual(await events(), was);
  });

  it('carries 40 edits on each side across, one call each, and touches nothing else', async () => {
    const links = await store.links.list({ flow: 'contactperson-contact' }, { limit: 80 });
    const before = { crm: crmWrites().length, powerOffice: powerOfficeWrites().length };
    for (const [i, link] of links.entries()) {
      if (i < 40) world.powerOffice.desk.edit('ContactPerson', link.sourceId, { FirstName: `Ny${i}` });
      else world.crm.desk.edit('Contact', link.targetId ?? '', { familyName: `Etternavn${i}`, notes: `notat ${i}` });
    }
    const arrived = () =>
      links.filter((link, i) =>
        i < 40
          ? world.crm.desk.types['Contact']?.get(link.targetId ?? '')?.['givenName'] === `Ny${i}`
          : world.powerOffice.desk.types['ContactPerson']?.get(link.sourceId)?.['LastName'] === `Etternavn${i}`,
      ).length;
    await eventually('all edits on the other side', arrived, (n) => n === 80);
    // Noted with the write's answer.
    await eventually(
      'a note for each',
      () => store.history.count(),
      (n) => n >= 80,
    );
    await new Promise((resolve) => setTimeout(resolve, 3000));
    assert.equal(crmWrites().length - before.crm, 40);
    assert.equal(powerOfficeWrites().length - before.powerOffice, 40);
    assert.ok(
      links.every((link, i) => i < 40 || world.crm.desk.types['Contact']?.get(link.targetId ?? '')?.['notes'] === `notat ${i}`),
    );
    assert.equal(await store.history.count(), 80);
  });

  it('never makes more than 10 calls in any second, two workers together', () => {
    const calls = world.powerOffice.disturbance.calls.filter((call) => call.path.startsWith('/v2'));
    // Calls that came while the stand-in stood still are told as one moment's: of the second that follows they prove nothing.
    const told = (at: number): boolean => !standstills.seen.some(({ from, to }) => at > from - 1000 && at < to + 1000);
    const at = calls.map((call) => call.at);
    assert.ok(at.some(told));
    for (const [i, start] of at.entries())
      if (told(start)) assert.ok(at.slice(i, i + 12).filter((each) => each < start + 1000).length <= 10);
    assert.ok(calls.every((call) => call.status !== 429 || !told(call.at)));
  });

  it('blocks a record that the other side refuses, with its own words, and its neighbours go on', async () => {
    const [bad, good] = (await store.links.list({ flow: 'contactperson-contact' })).toReversed();
    assert.ok(bad && good);
    world.crm.desk.edit('Contact', bad.targetId ?? '', { givenName: null });
    world.crm.desk.edit('Contact', good.targetId ?? '', { givenName: 'Nabo' });
    await eventually(
      'the neighbour',
      () => world.powerOffice.desk.types['ContactPerson']?.get(good.sourceId)?.['FirstName'],
      (name) => name === 'Nabo',
    );
    const blocked = await eventually(
      'the block',
      () => store.links.byKey(bad._id),
      (link) => link?.status === 'blocked',
    );
    assert.match(blocked?.block?.text ?? '', /FirstName is required/);
    world.crm.desk.edit('Contact', bad.targetId ?? '', { givenName: 'Kort' });
    await eventually(
      'the next edit frees it',
      () => world.powerOffice.desk.types['ContactPerson']?.get(bad.sourceId)?.['FirstName'],
      (name) => name === 'Kort',
    );
    await eventually(
      'in step again',
      () => store.links.byKey(bad._id),
      (link) => link?.status === 'in-step' && link.block === null,
    );
  });

  it('an edit of both sides at once is settled, and the loser stays in the history', async () => {
    const [link] = await store.links.list({ flow: 'supplierperson-contact' }, { limit: 1 });
    assert.ok(link);
    world.powerOffice.desk.edit('Supplier', link.sourceId, { FirstName: 'Kilde' });
    await eventually(
      'the edit before',
      () => world.crm.desk.types['Contact']?.get(link.targetId ?? '')?.['givenName'],
      (name) => name === 'Kilde',
    );
    // Both moved apart while no worker looked: stop the world for that.
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    world.powerOffice.desk.edit('Supplier', link.sourceId, { LastName: 'Fra kilden' });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    world.crm.desk.edit('Contact', link.targetId ?? '', { familyName: 'Fra målet' });
    workers.push(runTandem(['worker'], env));
    await eventually(
      'the later edit wins',
      () => world.powerOffice.desk.types['Supplier']?.get(link.sourceId)?.['LastName'],
      (name) => name === 'Fra målet',
    );
    const history = await eventually(
      'history',
      () => store.history.ofLink(link._id, { property: 'LastName' }),
      (all) => all.length > 0,
    );
    assert.equal(history[0]?.before, 'Fra kilden');
    assert.match(history[0]?.why ?? '', /edited later: target/);
  });

  it('goes on after a SIGKILL as if nothing had happened', async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop('SIGKILL')));
    const [link] = await store.links.list({ flow: 'contactperson-contact', status: 'in-step' }, { limit: 1 });
    assert.ok(link);
    world.powerOffice.desk.edit('ContactPerson', link.sourceId, { FirstName: 'Etter' });
    workers.push(runTandem(['worker'], env));
    await eventually(
      'the edit',
      () => world.crm.desk.types['Contact']?.get(link.targetId ?? '')?.['givenName'],
      (name) => name === 'Etter',
    );
    assert.equal(world.crm.desk.types['Contact']?.size, SIZE.contactPersons + SIZE.supplierPersons);
  });

  it('the command line says how things stand', async () => {
    const status = runTandem(['status', '--json'], env);
    assert.equal(await status.ended, 0);
    const told = JSON.parse(status.lines.join('\n')) as { flows: { flow: string; pairs: Record<string, number> }[] };
    assert.equal(told.flows.find((flow) => flow.flow === 'product-company')?.pairs['in-step'], SIZE.products);
    const show = runTandem(['show', 'contactperson-contact', '501/2001'], env);
    assert.equal(await show.ended, 0);
    assert.match(show.lines.join('\n'), /Temporal UI: http/);
    const sync = runTandem(['sync', 'contactperson-contact', '501/2001', '--wait'], env);
    assert.equal(await sync.ended, 0);
    assert.match(sync.lines.join('\n'), /in-step/);
    const unknown = runTandem(['show', 'contactperson-contact', '1/1'], env);
    assert.equal(await unknown.ended, 2);
    assert.match(unknown.lines.join('\n'), /no link for source 1\/1/);
  });

  it('drains on SIGTERM and exits 0', async () => {
    assert.deepEqual(await Promise.all(workers.splice(0).map((worker) => worker.stop())), [0]);
  });
});

describe('bad configuration ends a worker with exit code 2 and clear sentences', function () {
  it('names every missing or malformed variable at once', async () => {
    const run = runTandem(['worker'], { POWEROFFICE_URL: 'nonsense', TANDEM_POLL_SECONDS: 'soon' });
    assert.equal(await run.ended, 2);
    const text = run.lines.join('\n');
    for (const name of [
      'POWEROFFICE_URL is not an http',
      'POWEROFFICE_CLIENT_KEY is missing',
      'CRM_TOKEN is missing',
      'TANDEM_POLL_SECONDS is not a number',
    ])
      assert.match(text, new RegExp(name));
  });

  it('a wrong key, in the system’s own words', async () => {
    const world = await makeWorld();
    try {
      const run = runTandem(['worker'], workerEnv(world, mongoUri(), { CRM_TOKEN: 'wrong' }));
      assert.equal(await run.ended, 2);
      assert.match(run.lines.join('\n'), /CRM refuses the key: 401 Unauthorized; The token is missing or unknown/);
    } finally {
      await world.close();
    }
  });

  it('another world than the store remembers', async () => {
    const world = await makeWorld();
    try {
      const uri = mongoUri();
      const store = await Store.connect(uri);
      await store.systems.set('crm', { identity: 'https://elsewhere.example' });
      await store.close();
      const run = runTandem(['worker'], workerEnv(world, uri));
      assert.equal(await run.ended, 2);
      assert.match(run.lines.join('\n'), /this store belongs to CRM at https:\/\/elsewhere.example/);
    } finally {
      await world.close();
    }
  });

  it('an unreadable flows file', async () => {
    const world = await makeWorld();
    try {
      const run = runTandem(['worker'], workerEnv(world, mongoUri(), { TANDEM_FLOWS: '/nowhere.json' }));
      assert.equal(await run.ended, 2);
      assert.match(run.lines.join('\n'), /flows file \/nowhere.json cannot be read/);
    } finally {
      await world.close();
    }
  });
});
