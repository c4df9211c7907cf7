import assert from 'node:assert/strict';
import { Store } from '../../store/store.ts';
import { makeNamespace } from '../support/temporal.ts';
import { eventually, makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';
import { clone, packed, type, type Place } from './places.ts';

const SIZE = { products: 3, contactPersons: 4, suppliers: 2, supplierPersons: 1 };
const PAIRS = SIZE.products + SIZE.contactPersons + SIZE.supplierPersons;

for (const [where, place] of [
  ['a fresh clone', clone],
  ['an empty folder with the package', packed],
] as const)
  describe(`npx tandem worker, typed in ${where}`, function () {
    this.timeout(300_000);
    let there: Place;
    let world: World;

    before(async () => {
      there = await place();
      world = await makeWorld({ size: SIZE });
    });
    after(() => world.close());

    it('is installed without a warning', () => {
      // That there is a newer npm is no warning of ours.
      assert.equal(there.installed.stderr.replace(/^npm notice.*\n?/gm, ''), '');
      assert.doesNotMatch(there.installed.stdout, /warn|deprecated|vulnerab/i);
    });

    it('brings the first links into step with nothing but variables, and stops as asked', async () => {
      const uri = mongoUri();
      const temporal = await makeNamespace();
      const store = await Store.connect(uri);
      const worker = type('npx tandem worker', there.folder, workerEnv(world, uri, { TEMPORAL_NAMESPACE: temporal.namespace }));
      try {
        const said = (): unknown => [worker.stdout.slice(-2), worker.stderr];
        await eventually(
          { what: 'the first links in step', withinMs: 90_000 },
          async () => ({ inStep: await store.links.count({ status: 'in-step' }), said: said() }),
          ({ inStep }) => inStep === PAIRS,
        );
        assert.deepEqual(worker.stderr, []);
        // npx tells of every interrupt as 128 + 2, whatever the command made of it.
        assert.equal(await worker.interrupt(), 130);
        assert.match(worker.stdout.at(-1) ?? '', /the worker stopped/);
      } finally {
        await worker.interrupt('SIGKILL');
        await store.close();
        await temporal.close();
      }
    });

    it('stops where npx alone is ended, which tells nobody', async () => {
      const worker = type('exec npx tandem worker', there.folder, workerEnv(world, 'mongodb://127.0.0.1:9/tandem'));
      await eventually(
        'a worker that waits',
        () => worker.stdout.join(),
        (said) => said.includes('cannot be reached'),
      );
      worker.kill('SIGTERM');
      await worker.ended;
    });
  });
