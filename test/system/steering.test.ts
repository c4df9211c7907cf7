import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Store } from '../../store/store.ts';
import type { LinkDocument } from '../../store/documents.ts';
import { SPECIFICATION } from '../../flows/specification.ts';
import { makeNamespace } from '../support/temporal.ts';
import { typedHere } from '../support/typedHere.ts';
import { runTandem, type Run } from '../support/worker.ts';
import { eventually, makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';

const FLOW = 'contactperson-contact';
const SIZE = { products: 2, contactPersons: 60, suppliers: 6, supplierPersons: 4 };
const PAIRS = SIZE.products + SIZE.contactPersons + SIZE.supplierPersons;

describe('a person steers, and the world goes wrong', function () {
  this.timeout(180_000);
  let world: World;
  let store: Store;
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;
  let env: Record<string, string>;
  let worker: Run;
  let folder: string;

  const contact = (link: LinkDocument) => world.crm.desk.types['Contact']?.get(link.targetId ?? '');
  const person = (link: LinkDocument) => world.powerOffice.desk.types['ContactPerson']?.get(link.sourceId);
  const writes = (): number =>
    [...world.crm.disturbance.calls, ...world.powerOffice.disturbance.calls].filter(
      (call) => call.method !== 'GET' && call.path !== '/OAuth/Token',
    ).length;
  const linkAt = async (n: number): Promise<LinkDocument> => {
    const link = (await store.links.list({ flow: FLOW }))[n];
    assert.ok(link);
    return link;
  };
  const stored = (link: LinkDocument): Promise<LinkDocument | null> => store.links.byKey(link._id);
  const tandem = async (...args: string[]): Promise<string> => {
    const { code, text } = await typedHere(args, env);
    assert.equal(code, 0, text);
    return text;
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tandem-steering-'));
    const flows = SPECIFICATION.flows.map((flow) =>
      flow.name === FLOW
        ? {
            ...flow,
            properties: flow.properties?.map((pair) => (pair.source === 'lastName' ? { ...pair, policy: 'ask' } : pair)),
          }
        : flow,
    );
    writeFileSync(join(folder, 'flows.json'), JSON.stringify({ flows }));
    world = await makeWorld({ size: SIZE });
    temporal = await makeNamespace();
    const uri = mongoUri();
    env = workerEnv(world, uri, {
      TEMPORAL_NAMESPACE: temporal.namespace,
      TANDEM_FLOWS: join(folder, 'flows.json'),
      TANDEM_DELETION_HOURS: '0.0008',
    });
    store = await Store.connect(uri);
    worker = runTandem(['worker'], env);
    await eventually(
      'all pairs in step',
      () => store.links.count({ status: 'in-step' }),
      (n) => n === PAIRS,
    );
  });
  after(async () => {
    await worker.stop('SIGKILL');
    await temporal.close();
    await store.close();
    await world.close();
    rmSync(folder, { recursive: true });
  });

  it('a write whose answer is lost has exactly one effect, a create whose answer is lost makes one record', async () => {
    const link = await linkAt(0);
    const fault = { kind: 'drop-after', status: 500, detail: '', delay: 0, times: 1, chance: 1 } as const;
    world.crm.disturbance.faults.push({ ...fault, method: 'PATCH' }, { ...fault, method: 'POST' });
    world.powerOffice.desk.edit('ContactPerson', link.sourceId, { FirstName: 'Tapt' });
    world.powerOffice.desk.create('ContactPerson', { ContactId: 777, FirstName: 'Ny', LastName: 'Person' });
    await eventually(
      'the edit',
      () => stored(link),
      (each) => each?.base.source['FirstName'] === 'Tapt' && each.base.target['givenName'] === 'Tapt',
    );
    await eventually(
      'the new pair',
      () => store.links.count({ status: 'in-step' }),
      (n) => n === PAIRS + 1,
    );
    assert.equal(contact(link)?.['version'], 2);
    assert.equal(world.crm.desk.types['Contact']?.rows().filter((row) => row['givenName'] === 'Ny').length, 1);
  });

  it('policy ask: a conflict waits for a person, whose decision both sides follow', async () => {
    const link = await linkAt(1);
    await tandem('pause', FLOW, link.sourceId);
    await eventually(
      'paused',
      () => stored(link),
      (each) => each?.status === 'paused',
    );
    world.powerOffice.desk.edit('ContactPerson', link.sourceId, { LastName: 'Herfra' });
    world.crm.desk.edit('Contact', link.targetId ?? '', { familyName: 'Derfra' });
    await tandem('resume', FLOW, link.sourceId);
    await eventually(
      'a conflict',
      () => stored(link),
      (each) => each?.status === 'conflict',
    );
    assert.match(await tandem('conflicts'), /LastName\s+Herfra\s+Derfra/);
    await tandem('resolve', FLOW, link.sourceId, 'LastName=target');
    await eventually(
      'the decision',
      () => person(link)?.['LastName'],
      (name) => name === 'Derfra',
    );
    await eventually(
      'in step',
      () => stored(link),
      (each) => each?.status === 'in-step',
    );
  });

  it('renew gives every link a new history, also under edits, and costs the systems nothing', async () => {
    const links = (await store.links.list({ flow: FLOW })).slice(4, 12);
    const before = writes();
    const begun = new Date().toISOString();
    const renewing = tandem('renew', '--rate', '500', '--json');
    for (const [n, link] of links.entries()) {
      world.powerOffice.desk.edit('ContactPerson', link.sourceId, { FirstName: `Fornyet${n}` });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const said = await renewing;
    const { asked, left } = JSON.parse(said.slice(said.indexOf('{'))) as { asked: number; left: number };
    assert.deepEqual([asked, left], [PAIRS + 1, 0]);
    // A replay needs Temporal's worker, of which a process has one.
    const replay = runTandem(['replay', '--each', '3', '--json'], env);
    assert.equal(await replay.ended, 0, replay.lines.join('\n'));
    const gate = JSON.parse(replay.lines.join('\n')) as { broken: unknown[]; replayed: object };
    assert.deepEqual(gate.broken, []);
    assert.ok(Object.entries(gate.replayed).some(([status, n]) => status === 'in-step' && n > 0));
    const old = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const run of temporal.client.workflow.list({ query: "WorkflowType = 'link' AND ExecutionStatus = 'Running'" }))
        if (run.startTime.toISOString() <= begun) found.push(run.workflowId);
      return found;
    };
    // Temporal's lists follow a moment later.
    await eventually('no link has its old history', old, ({ length }) => length === 0);
    for (const [n, link] of links.entries())
      await eventually(
        'the edit',
        () => contact(link)?.['givenName'],
        (name) => name === `Fornyet${n}`,
      );
    assert.equal(writes() - before, links.length);
  });

  it('restore puts an overwritten value back on both sides', async () => {
    const link = await linkAt(1);
    const history = await store.history.ofLink(link._id, { property: 'LastName' });
    const change = history.find((each) => each.before === 'Herfra');
    assert.ok(change);
    await tandem('restore', FLOW, link.sourceId, change._id.slice(link._id.length + 1));
    await eventually(
      'the old value',
      () => [person(link)?.['LastName'], contact(link)?.['familyName']],
      (both) => both.every((name) => name === 'Herfra'),
    );
  });

  it('a paused flow holds its edits back; they arrive after resume', async () => {
    const link = await linkAt(2);
    await tandem('pause', FLOW);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    world.powerOffice.desk.edit('ContactPerson', link.sourceId, { FirstName: 'Senere' });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    assert.notEqual(contact(link)?.['givenName'], 'Senere');
    assert.match(await tandem('status'), new RegExp(`paused by hand: ${FLOW}`));
    await tandem('resume', FLOW);
    await eventually(
      'the edit',
      () => contact(link)?.['givenName'],
      (name) => name === 'Senere',
    );
  });

  it('unlink stops a pair, relink brings it into step again', async () => {
    const link = await linkAt(3);
    await tandem('unlink', FLOW, link.sourceId);
    await eventually(
      'ended',
      () => stored(link),
      (each) => each?.ended === 'unlinked by hand',
    );
    world.powerOffice.desk.edit('ContactPerson', link.sourceId, { FirstName: 'Alene' });
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.notEqual(contact(link)?.['givenName'], 'Alene');
    await tandem('relink', FLOW, link.sourceId);
    await eventually(
      'the edit',
      () => contact(link)?.['givenName'],
      (name) => name === 'Alene',
    );
  });

  it('deleted records end their links, are not recreated, and their partners are left alone', async () => {
    const [a, b] = [await linkAt(4), await linkAt(5)];
    world.crm.desk.remove('Contact', a.targetId ?? '');
    world.powerOffice.desk.remove('ContactPerson', b.sourceId);
    await eventually(
      'the target gone',
      () => stored(a),
      (each) => each?.ended === 'target gone',
    );
    await eventually(
      'the source gone',
      () => stored(b),
      (each) => each?.ended === 'source gone',
    );
    assert.ok(contact(b));
    assert.ok(person(a));
    world.powerOffice.desk.edit('ContactPerson', a.sourceId, { FirstName: 'Igjen' });
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.equal(contact(a), undefined);
  });

  it('a supplier that stops being a person ends its link, and resumes the same one when it is again', async () => {
    const [link] = await store.links.list({ flow: 'supplierperson-contact' }, { limit: 1 });
    assert.ok(link);
    world.powerOffice.desk.edit('Supplier', link.sourceId, { IsPerson: false, LegalName: 'Firma AS' });
    await eventually(
      'out of scope',
      () => stored(link),
      (each) => each?.ended === 'out of scope',
    );
    world.powerOffice.desk.edit('Supplier', link.sourceId, { IsPerson: true, FirstName: 'Tilbake' });
    await eventually(
      'resumed',
      () => contact(link)?.['givenName'],
      (name) => name === 'Tilbake',
    );
    assert.equal(
      (
        await eventually(
          'in step',
          () => stored(link),
          (each) => each?.status === 'in-step',
        )
      )?.targetId,
      link.targetId,
    );
  });

  it('a list that lacks very many records is not believed until somebody approves', async () => {
    const links = (await store.links.list({ flow: FLOW, ended: null })).slice(10, 35);
    for (const link of links) world.powerOffice.desk.remove('ContactPerson', link.sourceId);
    await eventually(
      'what is not believed',
      () => store.cursors.get('powerOffice:ContactPerson'),
      ({ notBelieved }) => notBelieved?.some(({ missing }) => missing >= links.length) === true,
    );
    assert.match(await tandem('status'), /lacks 2\d of \d+ records/);
    assert.equal(await store.links.count({ ended: 'source gone' }), 1);
    await tandem('approve', FLOW);
    await eventually(
      'the ends',
      () => store.links.count({ ended: 'source gone' }),
      (n) => n === 26,
    );
  });

  it('with MongoDB emptied, rebuild recovers the links from their workflows, without a write', async () => {
    await worker.stop();
    const before = writes();
    const was = await store.links.list({ ended: null });
    for (const flow of new Set(was.map((link) => link.flow))) await store.links.forget(flow);
    for (const cursor of await store.cursors.all()) await store.cursors.forget(cursor._id);
    worker = runTandem(['worker'], env);
    await eventually(
      'the worker',
      () => worker.lines.join(),
      (lines) => lines.includes('the worker runs'),
    );
    await tandem('rebuild');
    const pick = (links: LinkDocument[]): unknown[] =>
      links.map(({ _id, targetId, status, base }) => ({ _id, targetId, status, base }));
    assert.deepEqual(pick(await store.links.list({ ended: null })), pick(was));
    await new Promise((resolve) => setTimeout(resolve, 3000));
    assert.equal(writes(), before);
  });

  it('with Temporal emptied, rebuild starts the workflows from MongoDB, without a write, and they live', async () => {
    const before = writes();
    for await (const run of temporal.client.workflow.list({ query: "WorkflowType = 'link' AND ExecutionStatus = 'Running'" }))
      await temporal.client.workflow.getHandle(run.workflowId).terminate('burnt');
    await eventually(
      'nothing runs',
      async () => (await temporal.client.workflow.count("WorkflowType = 'link' AND ExecutionStatus = 'Running'")).count,
      (n) => n === 0,
    );
    assert.match(await tandem('rebuild'), /[1-9]\d* workflows were started/);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    assert.equal(writes(), before);
    const link = await linkAt(0);
    world.crm.desk.edit('Contact', link.targetId ?? '', { givenName: 'Lever' });
    await eventually(
      'the next edit',
      () => person(link)?.['FirstName'],
      (name) => name === 'Lever',
    );
  });
});
