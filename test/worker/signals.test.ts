import assert from 'node:assert/strict';
import { makeNamespace } from '../support/temporal.ts';
import { runTandem } from '../support/worker.ts';
import { eventually, makeWorld, mongoUri, workerEnv } from '../support/world.ts';

const FEEDS = 5;

describe('a worker that gets a signal', function () {
  this.timeout(180_000);

  it('ends, whichever it is: none leaves it there without polling', async () => {
    const world = await makeWorld({ size: { products: 1, contactPersons: 1, suppliers: 1, supplierPersons: 1 } });
    const { namespace, close } = await makeNamespace();
    const worker = runTandem(['worker'], workerEnv(world, mongoUri(), { TEMPORAL_NAMESPACE: namespace }));
    try {
      const said = (): string => worker.lines.join('\n');
      const watched = ({ length }: readonly string[]): boolean => length === FEEDS;
      const read = (): string[] => worker.lines.filter((line) => line.includes('was read for the first time'));
      await eventually('all feeds at work', read, watched);
      worker.child.kill('SIGUSR2');
      const ended = await Promise.race([worker.ended, new Promise<'stays'>((done) => setTimeout(done, 90_000, 'stays'))]);
      assert.notEqual(ended, 'stays', said());
    } finally {
      await worker.stop('SIGKILL');
      await close();
      await world.close();
    }
  });
});
