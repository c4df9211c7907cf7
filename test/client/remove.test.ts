import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection } from '@temporalio/client';
import { startLink, type Home } from '../../activities/messenger.ts';
import { rulesOf } from '../../activities/observation.ts';
import { openTandem, type OpenTandem } from '../../client/connect.ts';
import { feedsOf, type Flow } from '../../flows/flow.ts';
import { installationNamed } from '../../flows/installation.ts';
import { SPECIFICATION } from '../../flows/specification.ts';
import type { Store } from '../../store/store.ts';
import { addSearchAttributes, startFeeds, stopFeeds } from '../../worker/temporal.ts';
import { claimWorld, worldOf } from '../../worker/world.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { makeNamespace } from '../support/temporal.ts';
import { typedHere } from '../support/typedHere.ts';
import { makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';

const GONE = 'supplierperson-contact';
const STAYS = 'contactperson-contact';

describe('taking a flow, or the installation, away', function () {
  let world: World;
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;
  let folder: string;
  let env: Record<string, string>;
  let all: OpenTandem;
  let store: Store;
  let home: Home;
  /** As the configuration is once the flow was taken out of it. */
  let later: OpenTandem;

  before(async () => {
    world = await makeWorld();
    temporal = await makeNamespace();
    await addSearchAttributes(temporal.client.connection as Connection, temporal.namespace);
    folder = await mkdtemp(join(tmpdir(), 'tandem-remove-'));
    const reduced = join(folder, 'flows.json');
    await writeFile(reduced, JSON.stringify({ flows: SPECIFICATION.flows.filter(({ name }) => name !== GONE) }));
    env = workerEnv(world, mongoUri(), { TEMPORAL_NAMESPACE: temporal.namespace });
    all = await openTandem({ env });
    later = await openTandem({ env: { ...env, TANDEM_FLOWS: reduced } });
    env = { ...env, TANDEM_FLOWS: reduced };
    ({ store } = all);
    await store.prepare(365);
    const ours = worldOf(installationNamed('tandem'), { powerOffice: 'po', crm: 'crm' });
    await claimWorld(store, temporal.client, ours);
    home = { client: temporal.client, installation: ours.installation, world: ours.id };
    // As a worker has left it: none runs now.
    for (const name of [GONE, STAYS]) {
      const flow = all.flows.find((each) => each.name === name) as Flow;
      const records = ['1', '2', '3'].map((sourceId) =>
        newRecord({ flow: name, rules: rulesOf(flow), sourceId, seen: null, now: Date.now() }),
      );
      for (const record of records) await startLink(home, flow, record);
      await store.links.discover(records, flow);
    }
    await startFeeds(home, all.flows, 60);
    for (const feed of feedsOf(all.flows)) await store.cursors.takeOver(feed);
  });
  after(async () => {
    for (const each of [all, later]) await each.tandem.close();
    await temporal.close();
    await world.close();
    await rm(folder, { recursive: true });
  });

  const statusOf = async (id: string): Promise<string> => (await temporal.client.workflow.getHandle(id).describe()).status.name;
  const feeds = (): Promise<string[]> =>
    Promise.all(['powerOffice:Supplier', 'powerOffice:ContactPerson', 'crm:Contact'].map((feed) => statusOf(`feed:${feed}`)));

  const typed = (...args: string[]): ReturnType<typeof typedHere> => typedHere(args, env);

  it('a flow that is configured, or that a worker runs, is not taken away', async () => {
    await assert.rejects(all.tandem.removeFlow(GONE, { data: 'keep' }), /is still configured; take it out of TANDEM_FLOWS/);
    const worker = { _id: 'tandem:host:1', installation: 'tandem', at: Date.now(), flows: [GONE], apart: null };
    await store.workers.beat(worker);
    await assert.rejects(later.tandem.removeFlow(GONE, { data: 'keep' }), /still runs in worker tandem:host:1/);
    await assert.rejects(later.tandem.removeInstallation({ data: 'keep' }), /still runs in worker tandem:host:1/);
    await store.workers.forget(worker._id);
    assert.equal(await statusOf(`link:${GONE}:1`), 'RUNNING');
  });

  it('taken out of the configuration it is left over, and feeds that no flow uses stop', async () => {
    assert.deepEqual((await all.tandem.status()).leftOver, []);
    assert.deepEqual((await later.tandem.status()).leftOver, [{ flow: GONE, links: 3 }]);
    assert.deepEqual(await stopFeeds(home, await store.cursors.all(), later.flows), ['powerOffice:Supplier']);
    assert.deepEqual(await feeds(), ['TERMINATED', 'RUNNING', 'RUNNING']);
  });

  it('on the command line: says what is missing, and closes; kept data is nobody’s left-over', async () => {
    const unsaid = await typed('remove', 'flow', GONE);
    assert.equal(unsaid.code, 2);
    assert.match(unsaid.text, /give --keep-data or --delete-data/);
    const run = await typed('remove', 'flow', GONE, '--keep-data', '--json');
    assert.equal(run.code, 0, run.text);
    assert.deepEqual(JSON.parse(run.out), { flow: GONE, closed: 3, links: 3, data: 'kept', feeds: [] });
    assert.equal(await statusOf(`link:${GONE}:2`), 'TERMINATED');
    assert.equal(await statusOf(`link:${STAYS}:2`), 'RUNNING');
    assert.equal(await store.links.count({ flow: GONE }), 3);
    assert.deepEqual((await later.tandem.status()).leftOver, []);
  });

  it('a name of which nothing is left is told with the nearest one', async () => {
    await assert.rejects(later.tandem.removeFlow('contactpersn-contact', { data: 'keep' }), { what: 'flow', nearest: STAYS });
    await assert.rejects(later.tandem.removeFlow("x' OR TandemFlow != '", { data: 'delete' }), { what: 'flow' });
    assert.equal(await statusOf(`link:${STAYS}:2`), 'RUNNING');
  });

  it('what was kept can still be deleted; configured again, a flow is removed no longer', async () => {
    const done = await later.tandem.removeFlow(GONE, { data: 'delete' });
    assert.deepEqual([done.closed, done.links, done.data], [0, 3, 'deleted']);
    assert.equal(await store.links.count({ flow: GONE }), 0);
    assert.equal(await store.links.count({ flow: STAYS }), 3);
    assert.ok(!(await store.cursors.all()).some(({ _id }) => _id === 'powerOffice:Supplier'));
    await store.owner.setRemoved(GONE, true);
    await store.owner.setConfigured([GONE, STAYS]);
    assert.deepEqual((await store.whose())?.removed, []);
  });

  it('the installation goes as a whole, and the database is nobody’s', async () => {
    const seen: number[] = [];
    const done = await all.tandem.removeInstallation({ data: 'delete', onProgress: (n) => seen.push(n) });
    assert.deepEqual(done, { installation: 'tandem', closed: 8, links: 3, data: 'deleted' });
    assert.deepEqual(seen, [1, 2, 3]);
    assert.equal(await statusOf('world'), 'TERMINATED');
    assert.deepEqual(await feeds(), ['TERMINATED', 'TERMINATED', 'TERMINATED']);
    assert.equal(await store.whose(), null);
    assert.equal(world.crm.disturbance.calls.length + world.powerOffice.disturbance.calls.length, 0, 'no system is touched');
  });
});
