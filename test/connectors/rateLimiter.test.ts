import assert from 'node:assert/strict';
import { RateLimiter, type RateSlots } from '../../connectors/rateLimiter.ts';

/** Slots as the store keeps them, for one process. */
function slots(): RateSlots {
  let next = 0;
  return {
    take: (_, { known, now, spacingMs }) => {
      if (known !== next) return Promise.resolve({ taken: next });
      const slot = Math.max(now, known);
      next = slot + spacingMs;
      return Promise.resolve({ slot, next });
    },
    push: (_, until) => Promise.resolve((next = Math.max(next, until))),
    delay: (_, ms) => Promise.resolve((next += ms)),
  };
}

describe('the throttle', () => {
  it('moves those that follow when a call may have arrived late, once for all that were late together', async () => {
    const throttle = new RateLimiter(slots(), 'x', 10);
    await throttle.answered('PATCH', Date.now(), 5);
    const sent: number[] = [];
    for (let i = 0; i < 14; i++) {
      await throttle.take('write');
      sent.push(Date.now());
      if (i === 2 || i === 3) await throttle.answered('PATCH', sent[i] ?? 0, 125);
    }
    const arrived = (sent[2] ?? 0) + 120;
    assert.ok((sent[12] ?? 0) - arrived >= 995, `the tenth after it came ${(sent[12] ?? 0) - arrived} ms later`);
    assert.ok((sent[12] ?? 0) - arrived < 1100, 'moved once, not twice');
  });

  it('writes go first, yet a feed waits a few seconds at most', async () => {
    const throttle = new RateLimiter(slots(), 'x', 100);
    const order: string[] = [];
    const writes = Array.from({ length: 600 }, async () => {
      await throttle.take('write');
      order.push('write');
    });
    await throttle.take('feed').then(() => order.push('feed'));
    await Promise.all(writes);
    const before = order.indexOf('feed');
    assert.ok(before > 200 && before < 600, `${before} writes came before it`);
  }).timeout(15_000);
});
