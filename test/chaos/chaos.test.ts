import assert from 'node:assert/strict';
import { survives } from './survives.ts';

describe('the real thing under attack', function () {
  this.timeout(300_000);

  it('half a minute of kills, outages and broken answers loses, doubles and blocks nothing', async () => {
    const toll = await survives(0.5, 11);
    assert.ok(toll.edits > 20 && Object.keys(toll.faults).length > 0);
  });
});
