import { connectTandem } from '../../client/index.ts';
import { makeNamespace } from '../support/temporal.ts';
import { runTandem, type Run } from '../support/worker.ts';
import { eventually, makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';
import { flood } from './hookFlood.ts';

const SIZE = { products: 2, contactPersons: 4, suppliers: 1, supplierPersons: 1 };
const SECRET = `whsec_${Buffer.from('a secret of the test, long enough').toString('base64')}`;

describe('10,000 hooks that are forged, too old, replayed or of what nobody knows', function () {
  this.timeout(600_000);
  let world: World;
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;
  let runs: Run[] = [];

  before(async () => {
    world = await makeWorld({ size: SIZE });
    temporal = await makeNamespace();
  });
  after(async () => {
    await Promise.all(runs.map((run) => run.stop('SIGKILL')));
    await temporal.close();
    await world.close();
  });

  it('change nothing, and cost at most one look a second', async () => {
    const env = workerEnv(world, mongoUri(), {
      TEMPORAL_NAMESPACE: temporal.namespace,
      TANDEM_POLL_SECONDS: '60',
      CRM_WEBHOOK_SECRET: SECRET,
    });
    runs = [runTandem(['worker'], env)];
    const tandem = await connectTandem({ env });
    const all = SIZE.products + SIZE.contactPersons + SIZE.supplierPersons;
    const inStep = async () => (await tandem.links({ status: 'in-step' })).items;
    const items = await eventually({ what: 'all pairs in step', withinMs: 60_000 }, inStep, (found) => found.length === all);
    await tandem.close();
    const server = runTandem(['serve', '--port', '0', '--only', 'hooks'], env);
    runs.push(server);
    const address = (): string => /at (http:\/\/[^\s",]+)/.exec(server.lines.join('\n'))?.[1] ?? '';
    const base = await eventually('the address', address, (found) => found !== '');
    const targetId = items.find(({ flow }) => flow === 'contactperson-contact')?.targetId ?? '';
    await flood({ world, base, secret: SECRET, hooks: 10_000, targetId });
  });
});
