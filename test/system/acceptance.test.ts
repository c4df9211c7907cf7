import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linkKey } from '../../flows/names.ts';
import { Store } from '../../store/store.ts';
import type { Planned } from '../../audit/plan/plan.ts';
import type { Verification } from '../../audit/verify/verify.ts';
import { makeNamespace } from '../support/temporal.ts';
import { typedHere } from '../support/typedHere.ts';
import { runTandem, type Run } from '../support/worker.ts';
import { eventually, makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';

const SIZE = { products: 8, contactPersons: 20, suppliers: 8, supplierPersons: 6 };
const PAIRS = SIZE.products + SIZE.contactPersons + SIZE.supplierPersons;

interface Done<T> {
  readonly code: number | null;
  readonly found: T;
  readonly text: string;
}

describe('verify and plan', function () {
  this.timeout(180_000);
  let world: World;
  let store: Store;
  let env: Record<string, string>;
  let worker: Run | null = null;
  const namespaces: Awaited<ReturnType<typeof makeNamespace>>[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'tandem-acceptance-'));

  /** A store and a Temporal namespace that know nothing. */
  async function anew(): Promise<void> {
    const temporal = await makeNamespace();
    namespaces.push(temporal);
    const uri = mongoUri();
    env = workerEnv(world, uri, { TEMPORAL_NAMESPACE: temporal.namespace });
    store = await Store.connect(uri);
  }
  const inStep = (): Promise<number> => store.links.count({ status: 'in-step' });
  const stop = async (): Promise<void> => {
    await worker?.stop();
    worker = null;
  };
  async function run(...args: string[]): Promise<Done<unknown>> {
    const done = await typedHere(args, env);
    const { code } = done;
    const text = done.text
      .split('\n')
      .filter((line) => !line.startsWith('  reading'))
      .join('\n');
    let found: unknown = null;
    if (args.includes('--json') && text.includes('{')) found = JSON.parse(text.slice(text.indexOf('{')));
    return { code, found, text };
  }
  const runPlan = async (...args: string[]): Promise<Done<Planned>> => (await run('plan', '--json', ...args)) as Done<Planned>;
  const runVerify = async (...args: string[]): Promise<Done<Verification>> =>
    (await run('verify', '--json', ...args)) as Done<Verification>;
  const writes = (): { method: string; path: string; status: number }[] =>
    [world.powerOffice, world.crm].flatMap(({ disturbance }) =>
      disturbance.calls.filter((call) => call.method !== 'GET' && call.path !== '/OAuth/Token'),
    );

  before(async () => {
    world = await makeWorld({ size: SIZE });
    await anew();
  });
  after(async () => {
    await worker?.stop('SIGKILL');
    for (const each of namespaces) await each.close();
    await store.close();
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('plan foretells the creates of a first start, and writes nothing', async () => {
    const { code, found } = await runPlan('--out', join(folder, 'first.json'));
    assert.equal(code, 0);
    assert.deepEqual(
      found.summary.map(({ flow, create, link, change, leave }) => [flow, create, link, change.source + change.target, leave]),
      [
        ['product-company', SIZE.products, 0, 0, 0],
        ['contactperson-contact', SIZE.contactPersons, 0, 0, 0],
        ['supplierperson-contact', SIZE.supplierPersons, 0, 0, SIZE.suppliers - SIZE.supplierPersons],
      ],
    );
    assert.equal(found.operations.length, PAIRS);
    assert.deepEqual(writes(), []);
    assert.deepEqual(await store.sizes(), { links: 0, candidates: 0, history: 0, cursors: 0, systems: 0 });
  });

  it('a start with a plan does that much and no more; a start without it goes on', async () => {
    const plan = JSON.parse(readFileSync(join(folder, 'first.json'), 'utf8')) as Planned;
    const kept = plan.operations.filter((each) => each.flow !== 'product-company');
    writeFileSync(join(folder, 'part.json'), JSON.stringify({ ...plan, operations: kept }));
    worker = runTandem(['worker', '--apply-plan', join(folder, 'part.json')], env);
    await eventually('the planned ones', inStep, (n) => n === kept.length);
    await eventually(
      'the others, held',
      () => store.links.count({ blockCode: 'unplanned' }),
      (n) => n === SIZE.products,
    );
    world.powerOffice.desk.edit('ContactPerson', '501/2001', { FirstName: 'Uplanlagt' });
    await eventually(
      'the edit, held',
      () => store.links.count({ blockCode: 'unplanned' }),
      (n) => n === SIZE.products + 1,
    );
    assert.equal(writes().length, kept.length);
    await stop();
    worker = runTandem(['worker'], env);
    await eventually('all', inStep, (n) => n === PAIRS);
    assert.equal(writes().length, PAIRS + 1);
  });

  it('a plan for other flows or another world is refused', async () => {
    const plan = JSON.parse(readFileSync(join(folder, 'first.json'), 'utf8')) as Planned;
    writeFileSync(join(folder, 'other.json'), JSON.stringify({ ...plan, flows: 'x' }));
    const other = runTandem(['worker', '--apply-plan', join(folder, 'other.json')], env);
    assert.equal(await other.ended, 2);
    assert.match(other.lines.join('\n'), /was made for other flows/);
  });

  it('verify is all green, also as JUnit and as a page, and an active edit comes through and back', async () => {
    const before = writes().length;
    const { code, found, text } = await runVerify('--junit', join(folder, 'v.xml'), '--html', join(folder, 'v.html'));
    assert.equal(code, 0, text);
    assert.ok(found.statements.length >= 13);
    assert.ok(found.statements.every(({ broken, checked }) => broken === 0 && checked > 0));
    assert.equal(writes().length, before);
    assert.match(readFileSync(join(folder, 'v.xml'), 'utf8'), /<testsuite name="product-company" tests="3" failures="0"/);
    const page = readFileSync(join(folder, 'v.html'), 'utf8');
    assert.match(page, /all 13 statements hold/);
    assert.doesNotMatch(page, /<script|src=|href=/);

    const named = await runVerify('--flow', 'contactperson-contact', '--active', 'contactperson-contact:502/2002');
    assert.equal(named.code, 0, named.text);
    assert.deepEqual(
      named.found.statements.slice(-2).map(({ checked, held }) => [checked, held]),
      [
        [2, 2],
        [2, 2],
      ],
    );
    assert.equal(writes().length, before + 8);
  });

  it('verify names exactly the records that were edited while no worker ran, and exits 1', async () => {
    await stop();
    const links = await store.links.list({ flow: 'contactperson-contact' });
    const [first, , , second] = links;
    const [company] = await store.links.list({ flow: 'product-company' }, { limit: 1 });
    assert.ok(first && second && company);
    world.powerOffice.desk.edit('ContactPerson', first.sourceId, { LastName: 'Endret' });
    world.crm.desk.edit('Contact', second.targetId ?? '', { givenName: 'Også' });
    world.crm.desk.remove('Company', company.targetId ?? '');
    const { code, found } = await runVerify();
    assert.equal(code, 1);
    const named = found.statements.flatMap(({ flow, examples }) => examples.map(({ source }) => `${flow} ${source}`));
    assert.deepEqual(named.sort(), [first, second, company].map((link) => `${link.flow} ${link.sourceId}`).sort());
    const edited = found.statements.flatMap(({ examples }) => examples).find(({ source }) => source === first.sourceId);
    assert.equal(edited?.sourceValue, 'Endret');
  });

  it('a record that cannot be read is told by verify and plan, and counts as neither held nor broken', async () => {
    const [link] = await store.links.list({ flow: 'supplierperson-contact' }, { limit: 1 });
    const row = world.crm.desk.types['Contact']?.get(link?.targetId ?? '');
    assert.ok(link && row);
    const stamp = row['updatedAt'];
    row['updatedAt'] = null;
    const { found } = await runVerify('--flow', 'supplierperson-contact', '--junit', join(folder, 'unreadable.xml'));
    const planned = await runPlan();
    const shown = await run('verify', '--flow', 'supplierperson-contact');
    row['updatedAt'] = stamp;
    assert.deepEqual(
      found.unreadable.map(({ system, type, id }) => [system, type, id]),
      [['crm', 'Contact', link.targetId]],
    );
    assert.ok(found.statements.every(({ broken }) => broken === 0));
    assert.equal(shown.code, 2);
    assert.match(shown.text, /not checked: Contact \S+: CRM Contact \S+ cannot be read: /);
    assert.match(shown.text, /statements hold; 1 records cannot be read/);
    assert.match(readFileSync(join(folder, 'unreadable.xml'), 'utf8'), /<skipped message="CRM Contact/);
    assert.match(planned.found.unreadable.join(), /^CRM Contact \S+ cannot be read: /);
    const mine = planned.found.summary.find(({ flow }) => flow === 'supplierperson-contact');
    assert.deepEqual(mine?.examples, [{ sourceId: link.sourceId, what: 'its partner cannot be read' }]);
  });

  it('verify that cannot read a system exits 2', async () => {
    world.crm.disturbance.faults.push({ kind: 'status', status: 500, detail: 'maintenance', times: 1000, chance: 1, delay: 0 });
    const { code, text } = await run('verify');
    world.crm.disturbance.faults.length = 0;
    assert.equal(code, 2);
    assert.match(text, /maintenance/);
  });

  it('plan foretells exactly the creates and updates of a start with an empty store and full systems', async () => {
    await store.close();
    await anew();
    const { code, found } = await runPlan();
    assert.equal(code, 0);
    // One company was deleted; one name of a person was edited on either side.
    const total = (key: 'create' | 'link'): number => found.summary.reduce((sum, each) => sum + each[key], 0);
    assert.deepEqual([total('create'), total('link')], [1, PAIRS - 1]);
    assert.equal(found.operations.filter((each) => each.do === 'change').length, 2);

    const ids = (): string[] =>
      ['Contact', 'Company'].flatMap((type) => (world.crm.desk.types[type]?.rows() ?? []).map((row) => String(row['id'])));
    const before = { ids: ids(), writes: writes().length };
    worker = runTandem(['worker'], env);
    const changed = (): number =>
      writes()
        .slice(before.writes)
        .filter(({ method }) => method === 'PATCH').length;
    // A pair that is found has its status before what differs is carried.
    await eventually(
      'all',
      async () => ({ pairs: await inStep(), changed: changed() }),
      ({ pairs, changed: n }) => pairs === PAIRS && n >= 2,
    );
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.equal(ids().filter((id) => !before.ids.includes(id)).length, 1);
    assert.equal(changed(), 2);
    for (const each of found.operations) {
      if (each.do !== 'change') continue;
      const link = await store.links.byKey(linkKey(each.flow, each.sourceId));
      const row =
        each.side === 'source'
          ? world.powerOffice.desk.types['ContactPerson']?.get(each.sourceId)
          : world.crm.desk.types['Contact']?.get(link?.targetId ?? '');
      assert.equal(row?.[each.property], each.after);
    }
    const verified = await runVerify();
    assert.equal(verified.code, 0, verified.text);
  });
});
