import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { pino } from 'pino';
import { installationNamed } from '../../flows/installation.ts';
import { WORKFLOWS } from '../../flows/names.ts';
import { withBundle } from '../../worker/bundle.ts';
import { readConfig } from '../../worker/config.ts';
import { deploymentOf, tellUntilCurrent, versioned } from '../../worker/deployment.ts';
import { replayRunning } from '../../worker/replay.ts';
import { addSearchAttributes } from '../../worker/temporal.ts';
import { tendingTroubles } from '../../worker/unserved.ts';
import type { link } from '../../workflows/link.ts';
import { lastVersionBundle } from '../histories/replay.ts';
import { Walker } from '../histories/walker.ts';
import { makeNamespace } from '../support/temporal.ts';
import { eventually, temporalAddress } from '../support/world.ts';
import { begin } from '../workflows/begin.ts';
import { RULES } from '../workflows/links.ts';
import { Stand, standActivities } from '../workflows/stand.ts';
import '../support/quiet.ts';

const STATUSES = ['linking', 'in-step', 'blocked'];
const installation = installationNamed('tandem');
/** `ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS` of a worker deployment. */
const SPREADING = 1;

describe('worker versioning', () => {
  it('takes both of its variables or none', () => {
    const env = {
      POWEROFFICE_URL: 'http://127.0.0.1:1/v2',
      POWEROFFICE_APPLICATION_KEY: 'a',
      POWEROFFICE_CLIENT_KEY: 'b',
      POWEROFFICE_SUBSCRIPTION_KEY: 'c',
      CRM_URL: 'http://127.0.0.1:2',
    };
    assert.equal(deploymentOf(readConfig(env)), null);
    assert.throws(() => readConfig({ ...env, TEMPORAL_DEPLOYMENT_NAME: 'tandem' }), /TEMPORAL_WORKER_BUILD_ID is missing/);
    assert.throws(
      () => readConfig({ ...env, TEMPORAL_DEPLOYMENT_NAME: 'a.b', TEMPORAL_WORKER_BUILD_ID: '1' }),
      /TEMPORAL_DEPLOYMENT_NAME must have no "\."/,
    );
    const both = readConfig({ ...env, TEMPORAL_DEPLOYMENT_NAME: 'tandem', TEMPORAL_WORKER_BUILD_ID: '2' });
    assert.deepEqual(deploymentOf(both), { deploymentName: 'tandem', buildId: '2' });
  });
});

describe('what an upgrade meets', function () {
  this.timeout(180_000);
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;
  let stand: Stand;
  const stops: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    temporal = await makeNamespace();
    await addSearchAttributes(temporal.client.connection as never, temporal.namespace);
    stand = new Stand();
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
    await temporal.close();
  });

  async function work(options: Partial<WorkerOptions>): Promise<() => Promise<void>> {
    const connection = await NativeConnection.connect({ address: temporalAddress() });
    const worker = await Worker.create({
      connection,
      namespace: temporal.namespace,
      taskQueue: installation.queue,
      activities: { ...standActivities(() => stand), watchFeed: () => new Promise((done) => setTimeout(done, 500)) },
      ...options,
    });
    const running = worker.run().then(() => connection.close());
    const stop = async (): Promise<void> => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await running;
    };
    stops.push(stop);
    return stop;
  }

  async function startLink(sourceId: string): Promise<Walker> {
    const state = begin({ rules: RULES, sourceId, seen: stand.shown('source'), now: Date.now() });
    const handle = await temporal.client.workflow.start<typeof link>(WORKFLOWS.link, {
      workflowId: installation.linkWorkflowId('f', sourceId),
      taskQueue: installation.queue,
      args: [state],
    });
    return new Walker({ handle, stand, id: sourceId });
  }
  const startFeed = () =>
    temporal.client.workflow.start(WORKFLOWS.feed, {
      workflowId: installation.feedWorkflowId('crm', 'Contact'),
      taskQueue: installation.queue,
      args: [{ system: 'crm', type: 'Contact', takeoverSeconds: 60 }],
    });

  it('replay names what would stand still, and status says who is served by nobody and whose tasks fail', async () => {
    const { client } = temporal;
    const troubles = async (): Promise<string[]> =>
      (await tendingTroubles(client, installation)).map(({ code, sentence }) => `${code}: ${sentence}`);
    assert.deepEqual(await replayRunning({ client, installation }, { statuses: STATUSES, each: 2 }), {
      replayed: { feeds: 0 },
      broken: [],
    });
    assert.deepEqual(await troubles(), ['no-worker: no worker serves the task queue "tandem": links and feeds wait']);

    // A version whose feed began with a timer.
    const code = await withBundle((path) => readFile(path, 'utf8'));
    const other = code.replace('await watching.run(', 'await new Promise((done) => setTimeout(done, 1)); await watching.run(');
    assert.notEqual(other, code);
    const stop = await work({ workflowBundle: { code: other } });
    await startFeed();
    for (const id of ['1', '2', '3']) await (await startLink(id)).settled();
    await eventually('a worker is seen', troubles, (each) => each.length === 0);
    const { broken } = await eventually(
      'the feed is broken',
      () => replayRunning({ client, installation }, { statuses: STATUSES, each: 2 }),
      // Temporal's lists follow a moment later.
      (done) => done.broken.length > 0 && isDeepStrictEqual(done.replayed, { linking: 0, 'in-step': 2, blocked: 0, feeds: 1 }),
    );
    assert.deepEqual(
      broken.map(({ workflowId }) => workflowId),
      ['feed:crm:Contact'],
    );
    assert.match(broken[0]?.why ?? '', /^Nondeterminism error: .*TimerStarted/);

    // Started by somebody else, with nothing that a link could begin from.
    await client.workflow.start(WORKFLOWS.link, { workflowId: 'link:f:4', taskQueue: installation.queue, args: [] });
    const said = await eventually('the tasks fail', troubles, (each) => each.some((one) => one.startsWith('task-fails')));
    assert.deepEqual(said, ['task-fails: the workflow tasks of at least 1 link keep failing, as those of link:f:4']);
    await client.workflow.getHandle('link:f:4').terminate();
    await stop();
  });

  it('two builds side by side: the current one is given the tasks, links go over to it, and the other says that it gets none', async () => {
    const { client, namespace } = temporal;
    const done: string[] = [];
    const activitiesOf = (build: string) => {
      const all = standActivities(() => stand);
      return { ...all, writeRecord: (input: never) => (done.push(build), all.writeRecord(input)) };
    };
    const version = (buildId: string) => ({ deploymentName: 'tandem', buildId });
    // Accepted is not yet everywhere: a task that comes before the routing is spread still goes to the former build.
    const spread = async (): Promise<boolean> => {
      const { workerDeploymentInfo: info } = await client.workflowService.describeWorkerDeployment({
        namespace,
        deploymentName: 'tandem',
      });
      return Number(info?.routingConfigUpdateState) !== SPREADING;
    };
    const makeCurrent = (buildId: string) =>
      eventually(
        `${buildId} is current`,
        () =>
          client.workflowService
            .setWorkerDeploymentCurrentVersion({ namespace, deploymentName: 'tandem', buildId })
            .then(spread)
            .catch((error: Error) => error.message),
        (answer) => answer === true,
      );
    const lines: string[] = [];
    const log = pino({ base: null }, { write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) });
    const told = new AbortController();

    await work({
      workflowBundle: { codePath: await lastVersionBundle() },
      activities: activitiesOf('old'),
      ...versioned(version('old')),
    });
    await makeCurrent('old');
    const walker = await startLink('1');
    await walker.settled();
    await walker.edit('source', { FirstName: 'Eva' });
    await walker.settled();

    await work({
      workflowBundle: { codePath: await withBundle((path) => Promise.resolve(path)) },
      activities: activitiesOf('new'),
      ...versioned(version('new')),
    });
    const telling = tellUntilCurrent(client, { version: version('new'), log, signal: told.signal, lookMs: 100 });
    await eventually(
      'it says that it gets no task',
      () => lines,
      (all) => all.length > 0,
    );
    assert.match(lines[0] ?? '', /^build new of tandem is not current, build old is: .*set-current-version/);
    await walker.edit('source', { FirstName: 'Liv' });
    await walker.settled();
    assert.deepEqual(done, ['old', 'old']);

    await makeCurrent('new');
    await eventually(
      'it says that it is current',
      () => lines,
      (all) => all.length > 1,
    );
    assert.match(lines[1] ?? '', /^build new of tandem is current/);
    await walker.edit('source', { FirstName: 'Siv' });
    await eventually(
      'the write',
      () => stand.values.target['givenName'],
      (name) => name === 'Siv',
    );
    assert.deepEqual(done, ['old', 'old', 'new']);
    told.abort();
    await telling;
    await walker.handle.terminate();
  });
});
