import assert from 'node:assert/strict';
import { SystemClock } from '../../connectors/clock.ts';

describe('what is known of a system’s clock', () => {
  const NOW = Date.parse('2026-01-01T12:00:00Z');
  const HOUR = 3_600_000;
  const header = (ms: number): string => new Date(ms).toUTCString();
  /** A clock that an answered write has told of: three seconds ahead. Its Date headers come from a gateway without that. */
  const known = (): SystemClock => {
    const clock = new SystemClock();
    clock.date(header(NOW), NOW, NOW + 50);
    clock.write(NOW + 3000, { sentAt: NOW, receivedAt: NOW + 50 });
    return clock;
  };

  it('moves with the Date headers once two in a row show that it was set', () => {
    const clock = known();
    const { lo, hi } = clock.estimate;
    clock.date(header(NOW - HOUR + 5000), NOW + 5000, NOW + 5050);
    assert.deepEqual(clock.estimate, known().estimate, 'one alone may come from somewhere else');
    clock.date(header(NOW - HOUR + 6000), NOW + 6000, NOW + 6050);
    assert.ok(clock.estimate.lo <= lo - HOUR && clock.estimate.hi >= hi - HOUR, JSON.stringify(clock.estimate));
    assert.ok(clock.estimate.hi - clock.estimate.lo < 4000);
  });

  it('stays where headers part by seconds, or one after the other by much', () => {
    const clock = known();
    for (const ms of [2000, -2000, HOUR, 0, -HOUR, 1000, HOUR]) clock.date(header(NOW + ms), NOW, NOW + 50);
    assert.deepEqual(clock.estimate, known().estimate);
  });
});
