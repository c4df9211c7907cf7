import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { serveOn } from '../../sandbox/serve.ts';
import { makeNamespace } from '../support/temporal.ts';
import { typedHere } from '../support/typedHere.ts';
import { runTandem, type Run } from '../support/worker.ts';
import { eventually, makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';
import { pageCountingCrm } from './pageCountingCrm.ts';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const SIZE = { products: 4, contactPersons: 6, suppliers: 5, supplierPersons: 3 };

/** Each example as a user has it: the command of the package, files by their names, everything else in the environment. */
describe('examples', function () {
  let world: World;
  let env: Record<string, string>;
  let worker: Run | null = null;
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;

  async function run(args: readonly string[], program?: readonly string[]): Promise<{ code: number | null; text: string }> {
    const done = runTandem(args, env, program);
    return { code: await done.ended, text: done.lines.join('\n') };
  }
  async function start(more: Record<string, string>): Promise<void> {
    env = workerEnv(world, mongoUri(), { TEMPORAL_NAMESPACE: temporal.namespace, ...more });
    worker = runTandem(['worker'], env);
  }
  /** Pairs by flow and status, as `status` tells them. */
  async function inStep(expected: Record<string, number>): Promise<void> {
    await eventually(
      'all in step',
      async () => {
        const { flows } = JSON.parse((await typedHere(['status', '--json'], env)).text) as {
          flows: { flow: string; pairs: { 'in-step'?: number } }[];
        };
        return Object.fromEntries(flows.map(({ flow, pairs }) => [flow, pairs['in-step'] ?? 0]));
      },
      (seen) => Object.entries(expected).every(([flow, n]) => seen[flow] === n),
    );
  }
  async function verifies(): Promise<void> {
    const { code, text } = await typedHere(['verify'], env);
    assert.equal(code, 0, text);
  }
  const person = (id: string): Record<string, unknown> => world.powerOffice.desk.types['ContactPerson']?.get(id) ?? {};

  beforeEach(async () => {
    world = await makeWorld({ size: SIZE });
    temporal = await makeNamespace();
  });
  afterEach(async () => {
    await worker?.stop();
    await temporal.close();
    await world.close();
  });

  it('flows.json runs, and service.ts brings a record into step, or says why it cannot be', async () => {
    const twin = String(person('501/2001')['EmailAddress']);
    const known = world.crm.desk.create('Contact', { email: ` ${twin.toUpperCase()}` });
    world.powerOffice.desk.edit('ContactPerson', '502/2002', { IsActive: false });
    await start({ TANDEM_FLOWS: at('examples/flows.json') });
    await inStep({ 'contactperson-contact': SIZE.contactPersons - 1, 'product-company': SIZE.products });
    const service = (sourceId: string, flow = 'contactperson-contact'): ReturnType<typeof run> =>
      run([flow, sourceId], ['-C', 'tandem-sources', '--import', 'tsx/esm', at('examples/service.ts')]);

    const fine = await service('501/2001');
    assert.deepEqual(fine, { code: 0, text: `contactperson-contact 501/2001 is in step with ${String(known['id'])}` });
    const other = (await run(['show', 'contactperson-contact', '503/2003', '--json'])).text;
    const { targetId } = JSON.parse(other) as { targetId: string };
    world.crm.desk.edit('Contact', targetId, { givenName: null });
    const blocked = await service('503/2003');
    assert.equal(blocked.code, 1, blocked.text);
    assert.match(blocked.text, /503\/2003 is blocked: source FirstName: .*required/);
    const strange = await service('501/2001', 'contactperson');
    assert.equal(strange.code, 2, strange.text);
    assert.match(strange.text, /there is no flow "contactperson"/);
    const nowhere = await service('999/9999');
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.text, /has no ContactPerson 999\/9999/);
  });

  it('hub.rst with its bindings runs as it is', async () => {
    await start({ TANDEM_FLOWS: at('examples/hub.rst') });
    await inStep({ people: SIZE.contactPersons, products: SIZE.products, suppliers: SIZE.supplierPersons });
    await verifies();
  });

  it('crm-profile.json describes a CRM that is unlike the default one', async () => {
    const crm = pageCountingCrm('secret');
    const served = await serveOn(crm.app, 0);
    try {
      await start({ CRM_PROFILE: at('examples/crm-profile.json'), CRM_URL: served.url, CRM_TOKEN: 'secret' });
      await inStep({
        'contactperson-contact': SIZE.contactPersons,
        'product-company': SIZE.products,
        'supplierperson-contact': SIZE.supplierPersons,
      });
      const persons = crm.rows.get('persons');
      const first = [...(persons?.values() ?? [])].find((row) => row.foreignId === 'poweroffice:ContactPerson:501/2001');
      assert.ok(first);
      assert.equal(first.attributes['givenName'], person('501/2001')['FirstName']);
      persons?.set(first.id, {
        ...first,
        modified: new Date().toISOString(),
        attributes: { ...first.attributes, familyName: 'Fra CRM' },
      });
      await eventually(
        'the edit',
        () => person('501/2001')['LastName'],
        (name) => name === 'Fra CRM',
      );
      await verifies();
    } finally {
      await worker?.stop();
      await served.close();
    }
  });
});
