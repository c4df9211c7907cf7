import assert from 'node:assert/strict';
import { statusReport } from '../../client/status.ts';
import { judgeMissing, OUTAGE_404S } from '../../activities/link/outage.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Connector } from '../../connectors/connector.ts';
import type { Store } from '../../store/store.ts';
import { Health } from '../../worker/health.ts';
import { makeStore } from '../support/world.ts';

const NOW = Date.UTC(2026, 0, 1);

describe('an outage: a system says of very many records that they are gone', () => {
  let store: Store;
  let lives = false;
  let reads = 0;
  const system = {
    name: 'crm',
    async *ids() {
      yield { ids: ['c0', 'living'], position: null };
    },
    read() {
      reads += 1;
      return lives ? Promise.resolve({}) : Promise.reject(new SystemError('CRM', 'gone', { text: '404', status: 404 }));
    },
  } as unknown as Connector;
  const judge = (i: number, at: number, announced = false): Promise<'gone' | 'unsure'> =>
    judgeMissing(store, {
      system,
      type: 'Contact',
      id: `c${i}`,
      announced,
      now: at,
      signal: new AbortController().signal,
    });
  const troubles = async (): Promise<[string, string | null][]> =>
    (await statusReport(store, { installation: 'tandem', flows: [], refused: [], servers: new Health([]) })).troubles.map(
      ({ sentence, since }) => [sentence, since],
    );

  before(async () => {
    ({ store } = await makeStore());
  });
  after(() => store.close());

  it('shows in status from the eleventh within a minute until a record known to live reads fine', async () => {
    for (let i = 0; i < OUTAGE_404S; i++) assert.equal(await judge(i, NOW + i * 100), 'gone');
    assert.deepEqual(await troubles(), []);
    assert.equal(await judge(10, NOW + 2000), 'unsure');
    assert.deepEqual(await troubles(), [
      ['CRM says of very many records that they are gone; none of it is believed', new Date(NOW + 2000).toISOString()],
    ]);
    // Nothing is believed meanwhile, not even what a list has announced, and the probe is not made for each.
    const before = reads;
    for (let i = 11; i < 30; i++) assert.equal(await judge(i, NOW + 3000, i % 2 === 0), 'unsure');
    assert.equal(reads, before);
    lives = true;
    assert.equal(await judge(30, NOW + 13_000), 'gone');
    assert.deepEqual(await troubles(), []);
  });

  it('ten a minute, hour after hour, are none', async () => {
    lives = false;
    for (let i = 0; i < 40; i++) assert.equal(await judge(100 + i, NOW + 3_600_000 + i * 6001), 'gone');
    assert.deepEqual(await troubles(), []);
  });

  it('two records that are missed again and again are two', async () => {
    for (let i = 0; i < 60; i++) assert.equal(await judge(200 + (i % 2), NOW + 7_200_000 + i * 100), 'gone');
    assert.deepEqual(await troubles(), []);
  });
});
