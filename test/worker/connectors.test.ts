import assert from 'node:assert/strict';
import { statusReport } from '../../client/status.ts';
import { noteSystems } from '../../worker/connectors.ts';
import { Health } from '../../worker/health.ts';
import { makeStore } from '../support/world.ts';

describe('what is noted of the systems', () => {
  it('status tells of a system that takes no condition with a write', async () => {
    const { store } = await makeStore();
    const notes = async (): Promise<(string | null)[]> => {
      const report = await statusReport(store, { installation: 'tandem', flows: [], refused: [], servers: new Health([]) });
      return report.systems.toSorted((a, b) => a.system.localeCompare(b.system)).map(({ note }) => note);
    };
    const taking = (conditional: 'none' | 'etag') =>
      noteSystems(store, {
        config: { POWEROFFICE_SUBSCRIPTION_KEY: 'sub' },
        crm: { features: () => ({ conditional, externalId: true, idempotencyKey: false }) },
      });
    try {
      await taking('none');
      const window = 'a read comes before each write, and an edit within that moment can be overwritten';
      assert.deepEqual(await notes(), [`takes no condition with a write: ${window}`, null]);
      await store.systems.set('powerOffice', { test: 'missing' });
      assert.deepEqual(await notes(), [`takes no condition with a write: ${window}`, `takes no JSON Patch test: ${window}`]);
      await taking('etag');
      assert.deepEqual(await notes(), [null, `takes no JSON Patch test: ${window}`], 'another profile takes one');
    } finally {
      await store.close();
    }
  });
});
