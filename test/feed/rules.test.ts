import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Store } from '../../store/store.ts';
import { makeNamespace } from '../support/temporal.ts';
import { runTandem, type Run } from '../support/worker.ts';
import { eventually, makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';

const SUPPLIERS = 8;
const PERSONS = 5;
const flowOf = (name: string, type: string, scope: readonly object[]): object => ({
  name,
  source: { system: 'powerOffice', type: 'Supplier', scope },
  target: { system: 'crm', type },
  properties: [],
});
const PERSON = [{ property: 'IsPerson', equals: true }];

describe('other flows and another time, for feeds that are watched already', function () {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-rules-'));
  const file = join(folder, 'flows.json');
  let world: World;
  let store: Store;
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;
  let env: Record<string, string>;
  let worker: Run;

  before(async () => {
    world = await makeWorld({ size: { products: 0, contactPersons: 0, suppliers: SUPPLIERS, supplierPersons: PERSONS } });
    temporal = await makeNamespace();
    const uri = mongoUri();
    store = await Store.connect(uri);
    env = workerEnv(world, uri, { TEMPORAL_NAMESPACE: temporal.namespace, TANDEM_FLOWS: file });
    writeFileSync(file, JSON.stringify({ flows: [flowOf('persons', 'Contact', PERSON)] }));
    worker = runTandem(['worker'], env);
    await eventually(
      'the first flow',
      () => store.links.count({ status: 'in-step' }),
      (n) => n === PERSONS,
    );
    // The first reading is at its end.
    await eventually(
      'the first look',
      () => store.cursors.get('powerOffice:Supplier'),
      ({ looks }) => looks > 1,
    );
    assert.equal(await worker.stop('SIGTERM'), 0);
    const flows = [flowOf('persons', 'Contact', []), flowOf('companies', 'Company', [])];
    writeFileSync(file, JSON.stringify({ flows }));
    worker = runTandem(['worker'], { ...env, TANDEM_TAKEOVER_SECONDS: '7' });
  });
  after(async () => {
    await worker.stop('SIGKILL');
    await temporal.close();
    await store.close();
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('a new flow, and a wider scope, link the records that were there before', async () => {
    await eventually(
      'all',
      () => store.links.count({ status: 'in-step' }),
      (n) => n === 2 * SUPPLIERS,
    );
    assert.equal(await store.links.count({ flow: 'companies' }), SUPPLIERS);
  });

  it('a feed that runs already takes over the time after which its watcher is replaced', async () => {
    const handle = temporal.client.workflow.getHandle('feed:powerOffice:Supplier');
    const times = await eventually(
      'the next run',
      async () => {
        const { events } = await handle.fetchHistory();
        return (events ?? []).flatMap((event) => {
          const timeout = event.activityTaskScheduledEventAttributes?.heartbeatTimeout?.seconds;
          return timeout ? [Number(timeout)] : [];
        });
      },
      (seconds) => seconds.at(-1) === 7,
    );
    assert.deepEqual(times, [7]);
  });
});
