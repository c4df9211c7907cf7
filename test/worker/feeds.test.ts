import assert from 'node:assert/strict';
import { choosyTemporal } from '../support/choosyTemporal.ts';
import { makeNamespace } from '../support/temporal.ts';
import { runTandem } from '../support/worker.ts';
import { makeWorld, mongoUri, workerEnv } from '../support/world.ts';

describe('a worker whose feeds cannot be started', function () {
  it('says so and ends, and does not run without them', async () => {
    const world = await makeWorld({ size: { products: 1, contactPersons: 1, suppliers: 1, supplierPersons: 1 } });
    const temporal = await makeNamespace();
    const denying = await choosyTemporal(process.env['TANDEM_TEST_TEMPORAL'] ?? '', (path, body) =>
      path.endsWith('/StartWorkflowExecution') ? body.includes('watches what changes among') : false,
    );
    const env = workerEnv(world, mongoUri(), { TEMPORAL_NAMESPACE: temporal.namespace, TEMPORAL_ADDRESS: denying.address });
    const worker = runTandem(['worker'], env);
    try {
      const ended = await Promise.race([worker.ended, new Promise<'runs on'>((done) => setTimeout(done, 90_000, 'runs on'))]);
      const said = worker.lines.join('\n');
      assert.equal(ended, 2, said);
      assert.match(said, /^tandem: .*refuses the key: .*Request denied/m);
      assert.doesNotMatch(said, /the worker runs/);
    } finally {
      await worker.stop('SIGKILL');
      denying.close();
      await temporal.close();
      await world.close();
    }
  });
});
