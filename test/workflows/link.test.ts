import assert from 'node:assert/strict';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { link, observed, renew, settled, stateQuery, steer, sync, vanished } from '../../workflows/link.ts';
import { withBundle } from '../../worker/bundle.ts';
import { addSearchAttributes } from '../../worker/temporal.ts';
import { begin } from './begin.ts';
import { RULES } from './links.ts';
import { sight, Stand, standActivities } from './stand.ts';
import { makeNamespace } from '../support/temporal.ts';
import { eventually, temporalAddress } from '../support/world.ts';
import '../support/quiet.ts';

for (const maxCachedWorkflows of [50, 0])
  describe(`the link workflow on a real server, ${maxCachedWorkflows === 0 ? 'replayed at every task' : 'cached'}`, function () {
    let temporal: Awaited<ReturnType<typeof makeNamespace>>;
    let client: Client;
    let stand: Stand;
    /** By the id of its workflow: what one that was ended still does is its own. */
    const stands = new Map<string, Stand>();
    let worker: Worker;
    let running: Promise<void>;
    let handle: WorkflowHandle<typeof link>;
    let n = 0;

    before(async () => {
      temporal = await makeNamespace();
      client = temporal.client;
      await addSearchAttributes(client.connection as never, temporal.namespace);
      const connection = await NativeConnection.connect({ address: temporalAddress() });
      const codePath = await withBundle((path) => Promise.resolve(path));
      const activities = standActivities((id) => stands.get(id) as Stand);
      worker = await Worker.create({
        connection,
        namespace: temporal.namespace,
        taskQueue: 'q',
        workflowBundle: { codePath },
        activities,
        maxCachedWorkflows,
      });
      running = worker.run().then(() => connection.close());
    });
    after(async () => {
      worker.shutdown();
      await running;
      await temporal.close();
    });

    beforeEach(async () => {
      stand = new Stand();
      n += 1;
      stands.set(`link:f:${n}`, stand);
      handle = (await eventually(
        'a start, once the search attributes are known',
        () =>
          client.workflow
            .start(link, {
              workflowId: `link:f:${n}`,
              taskQueue: 'q',
              args: [begin({ rules: RULES, sourceId: String(n), seen: stand.shown('source'), now: Date.now() })],
            })
            .catch(() => null),
        (started) => started !== null,
      )) as WorkflowHandle<typeof link>;
      await handle.executeUpdate(settled);
    });
    afterEach(() => handle.terminate().catch(() => {}));

    const tell = (side: 'source' | 'target', value: string, version: number): Promise<void> =>
      handle.signal(observed, {
        side,
        id: side === 'source' ? String(n) : 'c1',
        seen: sight(version, side === 'source' ? { FirstName: value, LastName: 'Lie' } : { givenName: value, familyName: 'Lie' }),
      });

    it('creates, then carries an edit: one signal, one activity, ten events', async () => {
      const before = (await handle.describe()).historyLength;
      await tell('source', 'Eva', 10);
      await eventually(
        'the write',
        () => stand.values.target['givenName'],
        (value) => value === 'Eva',
      );
      const after = await eventually(
        'the events',
        async () => (await handle.describe()).historyLength,
        (length) => length >= before + 10,
      );
      // The update that waited for the creation has three events of its own behind it.
      assert.ok(after - before <= 11, `${after - before} events`);
      assert.deepEqual(stand.done, ['create', 'write target Eva']);
    });

    it('says what it is: search attributes, memo, and nothing of its values', async () => {
      const description = await eventually(
        'the status',
        () => handle.describe(),
        (each) => JSON.stringify(each.searchAttributes).includes('in-step'),
      );
      assert.deepEqual(description.searchAttributes['TandemStatus'], ['in-step']);
      assert.equal(description.memo?.['pair'], `PowerOffice ContactPerson ${n} <-> CRM Contact c1`);
      assert.ok(!JSON.stringify([description.memo, description.searchAttributes]).includes('Kari'));
    });

    it('blocks on a refusal and tries again when asked', async () => {
      stand.refuse = true;
      await tell('source', 'Eva', 10);
      assert.equal((await handle.executeUpdate(settled)).status, 'blocked');
      stand.refuse = false;
      await handle.signal(steer, { kind: 'retry' });
      assert.equal((await handle.executeUpdate(settled)).status, 'in-step');
      assert.equal(stand.values.target['givenName'], 'Eva');
    });

    it('pauses, keeps what comes meanwhile, and resumes', async () => {
      await handle.signal(steer, { kind: 'pause' });
      await handle.executeUpdate(settled);
      stand.values.source['FirstName'] = 'Eva';
      stand.version = 20;
      await tell('source', 'Eva', 20);
      assert.equal((await handle.executeUpdate(settled)).status, 'paused');
      await handle.signal(steer, { kind: 'resume' });
      assert.equal((await handle.executeUpdate(settled)).status, 'in-step');
      assert.equal(stand.values.target['givenName'], 'Eva');
    });

    it('loses no message over many roll-overs under a steady rain of signals', async () => {
      const first = (await handle.describe()).runId;
      for (let i = 0; i < 260; i++) await tell('source', `Eva${i}`, 100 + i * 10);
      await eventually(
        'the last value',
        () => stand.values.target['givenName'],
        (value) => value === 'Eva259',
      );
      // The roll-over follows in the task after the write.
      await eventually(
        'another run',
        async () => (await handle.describe()).runId,
        (run) => run !== first,
      );
      assert.equal((await handle.query(stateQuery)).source.seen?.values['FirstName'], 'Eva259');
    });

    /** Another run of the same link, and how it stands. */
    const rolledOver = async (first: string): Promise<Awaited<ReturnType<typeof handle.describe>>> =>
      eventually(
        'another run',
        () => handle.describe(),
        ({ runId }) => runId !== first,
      );

    it('continues as new when asked, though nothing else happens, and says what it is as before', async () => {
      const before = await handle.describe();
      await handle.signal(renew);
      const after = await rolledOver(before.runId);
      assert.deepEqual(after.memo, before.memo);
      assert.deepEqual(after.memo?.['status'], 'in-step');
      assert.deepEqual(after.searchAttributes['TandemStatus'], ['in-step']);
      const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
      assert.match(currentDetails, /CRM Contact c1[\s\S]*in step since/);
      await tell('target', 'Siv', 30);
      assert.equal((await handle.executeUpdate(settled)).status, 'in-step');
      assert.equal(stand.values.source['FirstName'], 'Siv');
      assert.deepEqual(stand.done, ['create', 'write source Siv']);
    });

    it('continues as new though somebody always waits for it', async () => {
      const { runId } = await handle.describe();
      for (let i = 0; i < 22; i++) await handle.executeUpdate(sync, { args: [{ wait: true, requestId: `r${i}` }] });
      await rolledOver(runId);
      const reads = stand.done.length;
      await handle.executeUpdate(sync, { args: [{ wait: true, requestId: 'r3' }] });
      assert.equal(stand.done.length, reads, 'a request that was heard before the roll-over asks nothing');
    });

    it('closes when its source is gone, after two reads some time apart', async () => {
      stand.gone = 'source';
      await handle.signal(vanished, { side: 'source' });
      assert.match(await handle.result(), /source gone/);
      assert.equal(stand.done.filter((each) => each === 'read source').length, 2);
      assert.equal(stand.stored.at(-1)?.ended, 'source gone');
    });
  });
