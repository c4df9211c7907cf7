import assert from 'node:assert/strict';
import { runChaos } from './main.ts';

describe('the real thing under a longer attack', () => {
  it('five minutes of kills, outages and broken answers lose, double and block nothing', async () => {
    const toll = await runChaos(5, 23, () => {});
    assert.deepEqual(
      { lost: toll.lost, doubled: toll.doubled, stuck: toll.stuck },
      { lost: 0, doubled: 0, stuck: 0 },
      JSON.stringify(toll),
    );
  });
});
