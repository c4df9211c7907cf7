import assert from 'node:assert/strict';
import { connectTandem } from '../../client/index.ts';
import { orSkip } from '../support/orSkip.ts';
import { makeNamespace } from '../support/temporal.ts';
import { runTandem, type Run } from '../support/worker.ts';
import { eventually, makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';
import { holdAgainstDescription, schemathesis } from './described.ts';
import { API_TOKENS, TOKENS } from './served.ts';

const SIZE = { products: 2, contactPersons: 8, suppliers: 2, supplierPersons: 2 };
const SECONDS = Number(process.env['SECONDS'] ?? 600);

describe('the HTTP interface against its own description, for ten minutes', function () {
  this.timeout((SECONDS + 300) * 1000);
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

  it('no answer of 500 and above, and none that the description does not have', async function () {
    const program = await orSkip(this, 'schemathesis', schemathesis);
    const env = workerEnv(world, mongoUri(), { TEMPORAL_NAMESPACE: temporal.namespace, TANDEM_API_TOKENS: API_TOKENS });
    runs = [runTandem(['worker'], env)];
    const tandem = await connectTandem({ env });
    const all = SIZE.products + SIZE.contactPersons + SIZE.supplierPersons;
    const inStep = async (): Promise<number> => (await tandem.links({ status: 'in-step', limit: 100 })).items.length;
    await eventually({ what: 'all pairs in step', withinMs: 60_000 }, inStep, (n) => n === all);
    await tandem.close();
    const server = runTandem(['serve', '--port', '0'], env);
    runs.push(server);
    const address = (): string => /at (http:\/\/[^\s",]+)/.exec(server.lines.join('\n'))?.[1] ?? '';
    const base = await eventually('the address', address, (found) => found !== '');
    const seed = Math.floor(Math.random() * 1e9);
    const { token } = TOKENS.admin;
    const { code, said } = await holdAgainstDescription({ program, base, token, examples: 1000, seconds: SECONDS, seed });
    assert.equal(code, 0, `seed ${seed}\n${said}`);
    assert.deepEqual(
      server.lines.filter((line) => line.includes('"level":50')),
      [],
    );
  });
});
