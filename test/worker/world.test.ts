import assert from 'node:assert/strict';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { createActivities } from '../../worker/activities.ts';
import type { Deps } from '../../activities/deps.ts';
import { DEFAULT_INSTALLATION, installationNamed, installationProblem } from '../../flows/installation.ts';
import { rulesOf } from '../../activities/observation.ts';
import type { LinkActivities } from '../../workflows/contract.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { SCHEMA, Store } from '../../store/store.ts';
import { TandemError } from '../../flows/tandemError.ts';
import { checkOwner, checkStore, checkTemporal, claimWorld, knownWorld, worldOf } from '../../worker/world.ts';
import { makeNamespace } from '../support/temporal.ts';
import { mongoUri } from '../support/world.ts';
import { SMALL_FLOW as FLOW } from '../support/flow.ts';

const TANDEM = installationNamed(DEFAULT_INSTALLATION);
const OTHER = installationNamed('kunde-b');
const HERE = { powerOffice: 'https://po.example 1', crm: 'https://crm.example' };
const ELSEWHERE = { ...HERE, crm: 'https://another.example' };

const refuses = (promise: Promise<unknown>, what: RegExp): Promise<void> =>
  assert.rejects(promise, (error) => error instanceof TandemError && error.exitCode === 2 && what.test(error.message));

describe('names of an installation', () => {
  it('the default one keeps the ids from before; another puts its name before them', () => {
    const ends = { source: { system: 'powerOffice', type: 'Product' }, target: { system: 'crm', type: 'Company' } };
    const namesOf = (installation: typeof TANDEM): string[] => [
      installation.queue,
      installation.linkWorkflowId('f', '1/2'),
      installation.feedWorkflowId('crm', 'Contact'),
      installation.externalId(ends, '1/2'),
      installation.idempotencyKey('f:1/2', 1, 3),
    ];
    assert.deepEqual(namesOf(TANDEM), [
      'tandem',
      'link:f:1/2',
      'feed:crm:Contact',
      'poweroffice:Product:1/2',
      'tandem:f:1/2:1:3',
    ]);
    assert.deepEqual(namesOf(OTHER), [
      'kunde-b',
      'kunde-b:link:f:1/2',
      'kunde-b:feed:crm:Contact',
      'kunde-b:poweroffice:Product:1/2',
      'kunde-b:f:1/2:1:3',
    ]);
  });

  it('are letters, digits and hyphens, and no word with a meaning of its own', () => {
    for (const name of ['tandem', 'kunde-b', 'A1']) assert.equal(installationProblem(name), null);
    for (const name of ['', 'a:b', 'a b', '-a', 'æ', 'link', 'Feed', 'world', 'tandem-limits', 'admin', 'x'.repeat(39)])
      assert.notEqual(installationProblem(name), null, name);
  });
});

describe('one world', () => {
  let store: Store;
  let uri: string;
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;
  before(async () => {
    temporal = await makeNamespace();
  });
  after(() => temporal.close());
  beforeEach(async () => {
    uri = mongoUri();
    store = await Store.connect(uri);
  });
  afterEach(() => store.close());

  it('store and Temporal remember both systems; a start with others is refused and leaves nothing behind', async () => {
    const world = worldOf(TANDEM, HERE);
    await claimWorld(store, temporal.client, world);
    await claimWorld(store, temporal.client, world);
    assert.equal((await store.owner.get())?.world, world.id);
    assert.equal(await knownWorld(store, temporal.client, TANDEM), world.id);

    await refuses(
      checkStore(store, worldOf(TANDEM, ELSEWHERE)),
      /belongs to CRM at https:\/\/crm.example.*names https:\/\/another/,
    );
    await refuses(checkTemporal(temporal.client, worldOf(TANDEM, ELSEWHERE)), /namespace .* CRM at https:\/\/crm.example/);

    // An empty database in a namespace that is another's: nothing is written.
    const empty = await Store.connect(mongoUri());
    await refuses(claimWorld(empty, temporal.client, worldOf(TANDEM, ELSEWHERE)), /their links would mix/);
    assert.equal(await empty.whose(), null);
    assert.equal((await empty.sizes()).systems, 0);
    await empty.close();
  });

  it('a database of another installation is refused, and the namespace is not claimed either', async () => {
    await claimWorld(store, temporal.client, worldOf(installationNamed('kunde-a'), HERE));
    await refuses(checkOwner(store, OTHER), /belongs to the installation "kunde-a", and TANDEM_INSTALLATION names "kunde-b"/);
    await refuses(claimWorld(store, temporal.client, worldOf(OTHER, HERE)), /belongs to the installation "kunde-a"/);
    const { status } = await temporal.client.workflow.getHandle(OTHER.worldWorkflowId).describe();
    assert.equal(status.name, 'TERMINATED');
    await checkTemporal(temporal.client, worldOf(OTHER, ELSEWHERE));
  });

  it('a database and a namespace of two worlds do not belong together', async () => {
    const a = installationNamed('two-a');
    await store.owner.claim({ name: a.name, world: 'two-a@elsewhere', schema: SCHEMA });
    const another = await Store.connect(mongoUri());
    await claimWorld(another, temporal.client, worldOf(a, HERE));
    await another.close();
    await refuses(knownWorld(store, temporal.client, a), /do not belong together/);
  });

  it('a database that a newer Tandem has changed is refused', async () => {
    await store.owner.claim({ name: TANDEM.name, schema: SCHEMA + 1 });
    await refuses(checkOwner(store, TANDEM), /a newer Tandem has changed/);
  });
});

describe('an activity of another world', () => {
  const activities = (name: string): ReturnType<typeof createActivities> =>
    createActivities(
      {
        installation: installationNamed(name),
        log: pino({ level: 'silent' }),
        store: new Proxy({}, { get: () => assert.fail('the store was touched') }),
      } as unknown as Deps,
      `${name}@1`,
    );
  const link = newRecord({ flow: 'f', rules: rulesOf(FLOW), sourceId: '1', seen: null, now: 0 });
  const run = (name: string, world?: string): Promise<unknown> =>
    new MockActivityEnvironment().run((input: Parameters<LinkActivities['storeLink']>[0]) => activities(name).storeLink(input), {
      link,
      ...(world === undefined ? {} : { world }),
    });

  it('fails so that it is tried again, and touches nothing', async () => {
    for (const [name, world] of [
      ['tandem', 'tandem@2'],
      ['tandem', 'kunde-b@1'],
      ['kunde-b', undefined],
    ] as const)
      await assert.rejects(run(name, world), { type: 'OtherWorld', nonRetryable: false });
  });

  it('one without a world is of the default installation', async () => {
    await assert.rejects(run('tandem'), (error) => (error as { type?: string }).type !== 'OtherWorld');
    await assert.rejects(run('kunde-b', 'kunde-b@1'), (error) => (error as { type?: string }).type !== 'OtherWorld');
  });
});
