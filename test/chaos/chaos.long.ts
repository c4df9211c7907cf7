import assert from 'node:assert/strict';
import { runChaos } from './main.ts';

describe('the real thing under a longer attack', () => {
  it('five minutes of kills, outages and broken answers lose, double and block nothing', async () => {
    const said: string[] = [];
    const toll = await runChaos(5, 23, (text) => void said.push(text));
    assert.deepEqual(
      { lost: toll.lost, doubled: toll.doubled, stuck: toll.stuck },
      { lost: 0, doubled: 0, stuck: 0 },
      [JSON.stringify(toll), ...said].join('\n'),
    );
  });
});
