import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { showStatus } from '../../client/cli/show.ts';
import { diagnose } from '../../client/doctor/doctor.ts';
import { openTandem, type OpenTandem } from '../../client/connect.ts';
import { TandemError } from '../../flows/tandemError.ts';
import { freePort } from '../../stack/process.ts';
import { logIn, startMongo, startTemporal, type Server } from '../../stack/servers.ts';
import { readExposition } from './exposition.ts';
import { metricsNamed, ofTemporal, PROMTOOL } from './monitoring.ts';
import { runTandem, type Run } from '../support/worker.ts';
import { eventually, makeWorld, workerEnv, type World } from '../support/world.ts';

const FLOW = 'contactperson-contact';

interface Relied {
  readonly name: string;
  readonly ready: boolean;
  readonly sentence: string | null;
  readonly since: string | null;
}

describe('an installation in operation', function () {
  this.timeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), 'tandem-culprit-'));
  let world: World;
  let env: Record<string, string>;
  let worker: Run;
  let open: OpenTandem;
  let temporal: Server;
  let mongo: Server;
  let ports: { temporal: number; mongo: number; http: number };

  const say = (): void => {};
  const beginTemporal = async (): Promise<Server> =>
    startTemporal({
      port: ports.temporal,
      uiPort: await freePort(),
      file: join(folder, 'temporal.db'),
      log: logIn(folder, 'temporal'),
      say,
    });
  const beginMongo = (): Promise<Server> =>
    startMongo({ port: ports.mongo, folder: join(folder, 'mongo'), log: logIn(folder, 'mongo'), say });
  const readyz = async (): Promise<{ status: number; retryAfter: string | null; all: readonly Relied[] }> => {
    const response = await fetch(`http://127.0.0.1:${ports.http}/readyz`);
    const body = (await response.json()) as { dependencies: Relied[]; systems: Relied[] };
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      all: [...body.dependencies, ...body.systems],
    };
  };
  /** What `status` says, also where it cannot answer. */
  const status = async (): Promise<string> => {
    try {
      return showStatus(await open.tandem.status());
    } catch (error) {
      if (error instanceof TandemError) return error.message;
      throw error;
    }
  };
  const everybodySays = async (sentence: string, ready: 200 | 503): Promise<void> => {
    const asked = await eventually(`readyz says ${sentence}`, readyz, ({ all }) =>
      all.some((each) => each.sentence === sentence),
    );
    assert.equal(asked.status, ready);
    assert.equal(asked.retryAfter, ready === 503 ? '5' : null);
    assert.deepEqual(
      asked.all.flatMap((each) => (each.ready ? [] : [each.sentence])),
      [sentence],
      'and nobody else',
    );
    assert.ok(asked.all.every((each) => each.ready || !Number.isNaN(Date.parse(each.since ?? ''))));
    await eventually('the log', () => worker.lines.some((line) => line.includes(`${sentence};`)), Boolean);
    await eventually('status', status, (said) => said.includes(sentence));
    const { findings, exitCode } = await diagnose(env);
    const blamed = findings.filter(({ state }) => state === 'failed').map(({ text }) => text);
    assert.ok(blamed.length > 0 && blamed.every((text) => text.startsWith(sentence)), `doctor: ${blamed.join('\n')}`);
    assert.equal(exitCode, 1);
  };
  const everybodyIsBack = async (): Promise<void> => {
    await eventually(
      'all are ready',
      () => readyz().catch(() => null),
      (found) => found?.status === 200 && found.all.length === 4 && found.all.every((each) => each.ready),
    );
  };

  before(async () => {
    ports = { temporal: await freePort(), mongo: await freePort(), http: await freePort() };
    [temporal, mongo] = await Promise.all([beginTemporal(), beginMongo()]);
    world = await makeWorld({ size: { products: 1, contactPersons: 2, suppliers: 1, supplierPersons: 1 } });
    env = {
      ...workerEnv(world, `${mongo.address}/culprit`, { TANDEM_HTTP_PORT: String(ports.http) }),
      TEMPORAL_ADDRESS: temporal.address,
    };
    worker = runTandem(['worker'], env);
    await eventually(
      { what: 'the worker', withinMs: 90_000 },
      () => worker.lines.join(),
      (said) => said.includes('the worker runs'),
    );
    await everybodyIsBack();
    open = await openTandem({ env });
    await eventually(
      'all pairs in step',
      async () => (await open.tandem.links({ status: 'in-step' })).items.length,
      (n) => n === 4,
    );
  });
  after(async () => {
    await open?.tandem.close();
    await worker?.stop('SIGKILL');
    await Promise.all([temporal?.stop(), mongo?.stop(), world?.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  it("shows its metrics, and Temporal's, as Prometheus reads them", async () => {
    const { sourceId = '' } = (await open.tandem.links({ flow: FLOW })).items[0] ?? {};
    world.powerOffice.desk.edit('ContactPerson', sourceId, { FirstName: 'Målt' });
    const page = async (): Promise<string> => (await fetch(`http://127.0.0.1:${ports.http}/metrics`)).text();
    // A start that is quick has made few calls; its feeds go on asking.
    const awaited = [
      /^tandem_propagation_delay_seconds_count\{.*\} 1$/m,
      /^tandem_feed_pause_seconds\{/m,
      /^tandem_calls_total\{.*"powerOffice".*\} ([6-9]|\d\d+)$/m,
    ];
    const text = await eventually('the delay of an edit, and a few calls', page, (found) =>
      awaited.every((each) => each.test(found)),
    );
    const samples = readExposition(text);
    const value = (name: string, labels: Record<string, string> = {}): number | undefined =>
      samples.find((each) => each.name === name && Object.entries(labels).every(([key, wanted]) => each.labels[key] === wanted))
        ?.value;
    assert.equal(value('tandem_pairs', { flow: FLOW, status: 'in-step' }), 2);
    assert.equal(value('tandem_workers'), 1);
    assert.equal(value('tandem_dependency_up', { dependency: 'store' }), 1);
    assert.equal(value('tandem_system_up', { system: 'crm' }), 1);
    assert.ok((value('tandem_calls_total', { system: 'powerOffice', result: 'ok' }) ?? 0) > 5);
    assert.ok((value('tandem_quota_calls_total', { system: 'powerOffice' }) ?? 0) > 0);
    assert.ok((value('tandem_quota_calls_per_second', { system: 'powerOffice' }) ?? 99) <= 8);
    assert.equal(value('tandem_feed_pause_seconds', { feed: 'crm:Contact' }), 1);
    assert.equal(value('tandem_oldest_change_not_carried_seconds', { flow: FLOW }), 0);
    // Temporal's own, of this worker.
    assert.ok(samples.some(({ name }) => name.startsWith('temporal_')));
    // No pair and no person is named.
    assert.ok(!text.includes(sourceId) && !text.includes('Målt'));
    const missing = metricsNamed().filter(
      (name) => !samples.some((each) => each.name === name) && !text.includes(`# TYPE ${name} `) && !ofTemporal(name),
    );
    assert.deepEqual(missing, [], 'named by the dashboard or an alert, yet not shown');
    if (existsSync(PROMTOOL)) {
      const ours = text.slice(0, text.indexOf('# HELP temporal_'));
      const checked = spawnSync(PROMTOOL, ['check', 'metrics'], { input: ours, encoding: 'utf8' });
      assert.equal(checked.status, 0, checked.stderr);
    }
  });

  it('status links to lists in the Temporal UI: all, blocked, conflicts, each flow', async () => {
    const { views } = await open.tandem.status();
    const counted = async (): Promise<Record<string, number>> => {
      const counts: Record<string, number> = {};
      for (const { name, url } of views)
        counts[name] = (await open.client.workflow.count(new URL(url).searchParams.get('query') ?? '')).count;
      return counts;
    };
    // Temporal's lists follow a moment later.
    const found = await eventually('four pairs', counted, (counts) => counts['all pairs'] === 4);
    assert.deepEqual(found, {
      'all pairs': 4,
      'all blocked': 0,
      'all conflicts': 0,
      'flow product-company': 1,
      'flow contactperson-contact': 2,
      'flow supplierperson-contact': 1,
    });
    assert.match(showStatus(await open.tandem.status()), /all blocked: http:\/\/\S+TandemStatus/);
  });

  it('what is sent by hand in the Temporal UI is taken, and what is nonsense stops no link', async () => {
    const { sourceId = '' } = (await open.tandem.links({ flow: FLOW })).items[0] ?? {};
    const { workflowId } = await open.tandem.getLink(FLOW, sourceId);
    const link = open.client.workflow.getHandle(workflowId);
    for (const name of ['steer', 'observed', 'vanished']) {
      await link.signal(name);
      await link.signal(name, 'nonsense');
    }
    await link.signal('steer', { kind: 'explode' });
    const becomes = (wanted: string): Promise<unknown> =>
      eventually(
        wanted,
        async () => (await open.tandem.getLink(FLOW, sourceId)).status,
        (now) => now === wanted,
      );
    await link.signal('pause');
    await becomes('paused');
    await link.signal('resume', 'something');
    await becomes('in-step');
    const calls = (method: string): number =>
      world.powerOffice.disturbance.calls.filter((call) => call.method === method && call.path.includes(`/${sourceId}`)).length;
    for (const sent of [[], ['something']]) {
      const read = calls('GET');
      await link.signal('sync', ...sent);
      await eventually(
        'the record is read',
        () => calls('GET'),
        (n) => n > read,
      );
    }
    await becomes('in-step');
    const { targetId } = await open.tandem.getLink(FLOW, sourceId);
    const was = world.crm.desk.types['Contact']?.get(targetId ?? '')?.['givenName'] as string;
    world.crm.desk.edit('Contact', targetId ?? '', { givenName: null });
    await becomes('blocked');
    for (const sent of [[], ['something']]) {
      const tried = calls('PATCH');
      await link.signal('retry', ...sent);
      await eventually(
        'the write is tried again',
        () => calls('PATCH'),
        (n) => n > tried,
      );
      await becomes('blocked');
    }
    world.crm.desk.edit('Contact', targetId ?? '', { givenName: was });
    await becomes('in-step');
    assert.deepEqual(await link.executeUpdate('sync', { args: [] }), { status: 'in-step', ended: null });
  });

  it('doctor finds all well, and what is missing, by name', async () => {
    await everybodyIsBack();
    const well = await diagnose(env);
    assert.deepEqual(
      well.findings.filter(({ state }) => state !== 'ok'),
      [],
    );
    assert.equal(well.exitCode, 0);
    const looked = new Set(well.findings.map(({ check }) => check));
    for (const check of [
      'Node',
      'configuration',
      'Temporal',
      'search attributes',
      'MongoDB',
      'database',
      'indexes',
      'PowerOffice',
    ])
      assert.ok(looked.has(check), check);
    for (const check of ['privileges', 'CRM', 'clock', 'profile', 'world', 'workers', 'feeds', 'links'])
      assert.ok(looked.has(check), check);

    const failedOf = async (more: Record<string, string>): Promise<{ texts: string; exitCode: number }> => {
      const { findings, exitCode } = await diagnose({ ...env, ...more });
      const texts = findings.filter(({ state }) => state === 'failed').map(({ text, advice }) => `${text}; ${advice}`);
      return { texts: texts.join('\n'), exitCode };
    };
    const badKey = await failedOf({ CRM_TOKEN: 'wrong' });
    assert.match(badKey.texts, /CRM refuses the key.*CRM_TOKEN/);
    assert.equal(badKey.exitCode, 1);
    const nowhere = await failedOf({ TEMPORAL_NAMESPACE: 'nowhere', CRM_URL: 'nonsense' });
    assert.match(nowhere.texts, /CRM_URL/);
    assert.match(nowhere.texts, /nowhere.*TEMPORAL_NAMESPACE/s);
    assert.equal(nowhere.exitCode, 2);
  });

  // Each of the four is stopped in turn; whoever is asked names it in the same words.
  for (const [system, title] of [
    ['crm', 'CRM'],
    ['powerOffice', 'PowerOffice'],
  ] as const)
    it(`${title} is down: everybody names it`, async () => {
      await world.stop(system);
      await everybodySays(`${title} cannot be reached`, 200);
      await world.start(system);
      await everybodyIsBack();
    });

  it('Temporal is down: everybody names it', async () => {
    await temporal.stop();
    await everybodySays(`Temporal at ${temporal.address} cannot be reached`, 503);
    temporal = await beginTemporal();
    await everybodyIsBack();
  });

  it('MongoDB is down: everybody names it', async () => {
    await mongo.stop();
    await everybodySays(`MongoDB at ${mongo.address.replace('mongodb://', '')}/culprit cannot be reached`, 503);
    mongo = await beginMongo();
    await everybodyIsBack();
  });
});
