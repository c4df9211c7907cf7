import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import proto from '@temporalio/proto';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { link, observed, renew, settled, stateQuery, steer, sync, vanished } from '../../workflows/link.ts';
import type { LinkActivities, LinkRecord } from '../../workflows/contract.ts';
import type { Observation, Rules } from '../../workflows/core/state.ts';
import { withBundle } from '../../worker/bundle.ts';
import { begin } from './begin.ts';
import { makeNamespace } from '../support/temporal.ts';
import { eventually, temporalAddress } from '../support/world.ts';

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });
const { History } = proto.temporal.api.history.v1;
const HISTORIES = fileURLToPath(new URL('../histories/v0.1.0', import.meta.url));
const RULES: Rules = {
  hash: 'h',
  names: { source: 'PowerOffice ContactPerson', target: 'CRM Contact' },
  pairs: [{ source: 'FirstName', target: 'givenName', type: 'string', policy: 'latest' }],
  onSourceDeleted: 'keep',
  onTargetDeleted: 'keep',
  create: {},
};
const seen = (version: number, values: Observation['values'], inScope = true): Observation => ({
  version: String(version).padStart(6, '0'),
  instant: '2026-01-01T00:00:00Z',
  values,
  inScope,
  at: [version, version],
});

/** Both systems and the store in memory, behind the activities' contract. */
class Stand implements LinkActivities {
  source = 'Kari';
  target: string | null = null;
  version = 1;
  refuse = false;
  gone = false;
  readonly done: string[] = [];
  readonly stored: LinkRecord[] = [];

  createRecord: LinkActivities['createRecord'] = ({ values }) => {
    this.done.push('create');
    this.target = String(values['givenName'] ?? '');
    return Promise.resolve({ kind: 'created', id: 'c1', seen: seen(++this.version, { givenName: this.target }), adopted: false });
  };
  writeRecord: LinkActivities['writeRecord'] = ({ side, assignments }) => {
    const [each] = assignments;
    this.done.push(`write ${side} ${String(each?.value)}`);
    if (this.refuse) return Promise.resolve({ kind: 'refused', side, code: '422', properties: [each?.property ?? ''] });
    if (side === 'source') this.source = String(each?.value);
    else this.target = String(each?.value);
    return Promise.resolve({ kind: 'written', seen: seen(++this.version, { [each?.property ?? '']: each?.value ?? null }) });
  };
  readRecords: LinkActivities['readRecords'] = ({ sides }) => {
    this.done.push(`read ${sides.join(' ')}`);
    const found = Object.fromEntries(
      sides.map((side) => [
        side,
        this.gone && side === 'source'
          ? ('gone' as const)
          : seen(this.version, side === 'source' ? { FirstName: this.source } : { givenName: this.target }),
      ]),
    );
    return Promise.resolve({ kind: 'read', found });
  };
  removeRecord: LinkActivities['removeRecord'] = () => Promise.resolve({ kind: 'removed' });
  storeLink: LinkActivities['storeLink'] = ({ link: record }) => {
    this.done.push(`store ${record.ended ?? record.status}`);
    this.stored.push(record);
    return Promise.resolve({ kind: 'stored' });
  };
}

for (const maxCachedWorkflows of [50, 0])
  describe(`the link workflow on a real server, ${maxCachedWorkflows === 0 ? 'replayed at every task' : 'cached'}`, function () {
    this.timeout(90_000);
    let temporal: Awaited<ReturnType<typeof makeNamespace>>;
    let client: Client;
    let stand: Stand;
    let codePath: string;
    let worker: Worker;
    let running: Promise<void>;
    let handle: WorkflowHandle<typeof link>;
    let n = 0;

    before(async () => {
      temporal = await makeNamespace();
      client = temporal.client;
      codePath = await withBundle((path) => Promise.resolve(path));
      await (await import('../../worker/temporal.ts')).addSearchAttributes(client.connection as never, temporal.namespace);
    });
    after(() => temporal.close());

    beforeEach(async () => {
      stand = new Stand();
      const connection = await NativeConnection.connect({ address: temporalAddress() });
      const activities = Object.fromEntries(
        (['createRecord', 'writeRecord', 'readRecords', 'removeRecord', 'storeLink'] as const).map((name) => [
          name,
          (input: never) => stand[name](input),
        ]),
      );
      worker = await Worker.create({
        connection,
        namespace: temporal.namespace,
        taskQueue: 'q',
        workflowBundle: { codePath },
        activities,
        maxCachedWorkflows,
      });
      running = worker.run().then(() => connection.close());
      handle = (await eventually(
        'a start, once the search attributes are known',
        () =>
          client.workflow
            .start(link, {
              workflowId: `link:f:${++n}`,
              taskQueue: 'q',
              args: [begin({ rules: RULES, sourceId: String(n), seen: seen(1, { FirstName: 'Kari' }), now: Date.now() })],
            })
            .catch(() => null),
        (started) => started !== null,
      )) as WorkflowHandle<typeof link>;
      await handle.executeUpdate(settled);
    });
    afterEach(async () => {
      await handle.terminate().catch(() => {});
      worker.shutdown();
      await running;
    });

    const tell = (side: 'source' | 'target', value: string, version: number): Promise<void> =>
      handle.signal(observed, {
        side,
        id: side === 'source' ? String(n) : 'c1',
        seen: seen(version, { [side === 'source' ? 'FirstName' : 'givenName']: value }),
      });
    const save = async (name: string): Promise<void> => {
      if (process.env['TANDEM_RECORD_HISTORIES'] !== undefined && maxCachedWorkflows > 0) {
        mkdirSync(HISTORIES, { recursive: true });
        writeFileSync(`${HISTORIES}/${name}.history`, History.encode(await handle.fetchHistory()).finish());
      }
    };

    it('creates, then carries an edit: one signal, one activity, ten events', async () => {
      const before = (await handle.describe()).historyLength;
      await tell('source', 'Eva', 10);
      await eventually(
        'the write',
        () => stand.target,
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
      await save('create-and-edit');
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
      assert.equal(stand.target, 'Eva');
      await save('blocked-and-retried');
    });

    it('pauses, keeps what comes meanwhile, and resumes', async () => {
      await handle.signal(steer, { kind: 'pause' });
      await handle.executeUpdate(settled);
      stand.source = 'Eva';
      stand.version = 20;
      await tell('source', 'Eva', 20);
      assert.equal((await handle.executeUpdate(settled)).status, 'paused');
      await handle.signal(steer, { kind: 'resume' });
      assert.equal((await handle.executeUpdate(settled)).status, 'in-step');
      assert.equal(stand.target, 'Eva');
      await save('paused-and-resumed');
    });

    it('loses no message over many roll-overs under a steady rain of signals', async () => {
      const first = (await handle.describe()).runId;
      for (let i = 0; i < 260; i++) await tell('source', `Eva${i}`, 100 + i * 10);
      await eventually(
        { what: 'the last value', withinMs: 60_000 },
        () => stand.target,
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
      assert.equal(stand.source, 'Siv');
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
      stand.gone = true;
      await handle.signal(vanished, { side: 'source' });
      assert.match(await handle.result(), /source gone/);
      assert.equal(stand.done.filter((each) => each === 'read source').length, 2);
      assert.equal(stand.stored.at(-1)?.ended, 'source gone');
      await save('source-gone');
    });
  });

describe('histories of earlier versions', () => {
  it('replay in this version, one for each code path', async () => {
    const root = fileURLToPath(new URL('../histories', import.meta.url));
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.history'));
    assert.ok(files.length >= 4, 'test/histories is empty: record with TANDEM_RECORD_HISTORIES=1');
    const histories = files.map((name) => ({ workflowId: name, history: History.decode(readFileSync(`${root}/${name}`)) }));
    const workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));
    for await (const result of Worker.runReplayHistories({ workflowsPath }, histories))
      assert.equal(result.error, undefined, result.workflowId);
  });
});
