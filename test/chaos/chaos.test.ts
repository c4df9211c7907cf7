import assert from 'node:assert/strict';
import { runChaos } from './main.ts';

describe('the real thing under attack', function () {
  this.timeout(300_000);

  it('half a minute of kills, outages and broken answers loses, doubles and blocks nothing', async () => {
    const said: string[] = [];
    const toll = await runChaos(0.5, 11, (text) => void said.push(text));
    assert.deepEqual(
      { lost: toll.lost, doubled: toll.doubled, stuck: toll.stuck },
      { lost: 0, doubled: 0, stuck: 0 },
      [JSON.stringify(toll), ...said].join('\n'),
    );
    assert.ok(toll.edits > 20 && Object.keys(toll.faults).length > 0);
  });
});
