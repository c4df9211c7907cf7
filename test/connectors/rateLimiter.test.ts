import assert from 'node:assert/strict';
import { RateLimiter, type RateOptions } from '../../connectors/rateLimiter.ts';
import type { Priority } from '../../connectors/connector.ts';
import { memorySlots } from '../support/memorySlots.ts';
import { mostInASecond } from './calls.ts';

describe('the throttle', () => {
  it('moves those that follow when a call may have arrived late, once for all that were late together', async () => {
    const slots = memorySlots();
    const throttle = new RateLimiter(slots, 'x', { perSecond: 10 });
    const sentAt = Date.now();
    await throttle.answered('PATCH', sentAt, 5);
    await throttle.take('write');
    const before = slots.state.next;
    for (let i = 0; i < 3; i++) await throttle.answered('PATCH', sentAt, 125);
    const moved = slots.state.next - before;
    // It left at once and arrived 120 ms late at most: ten slots of 105 ms after it, a second must have passed.
    assert.ok(moved + 10 * 105 - 120 >= 1000, `${moved} ms`);
    assert.ok(moved < 100, `moved once, not three times: ${moved} ms`);
  });

  it('writes go first, yet a feed waits a few seconds at most', async () => {
    const throttle = new RateLimiter(memorySlots(), 'x', { perSecond: 100 });
    const order: string[] = [];
    const began = Date.now();
    const writes = Array.from({ length: 600 }, async () => {
      await throttle.take('write');
      order.push('write');
    });
    await throttle.take('feed').then(() => order.push('feed'));
    const waited = Date.now() - began;
    await Promise.all(writes);
    const before = order.indexOf('feed');
    assert.ok(before > 0 && before < 600, `${before} writes came before it`);
    assert.ok(waited >= 5000, `${waited} ms`);
  });
});

describe('the throttle of several processes and installations', function () {
  let slots: ReturnType<typeof memorySlots>;
  /** Who called, in the order of the calls. */
  let calls: string[];
  beforeEach(() => {
    slots = memorySlots();
    calls = [];
  });
  const limiter = (installation: string, more: Partial<RateOptions> = {}): RateLimiter =>
    new RateLimiter(slots, 'key', { perSecond: 40, installation, ...more });
  /** So many calls that wait from now on. */
  const waiting = (
    throttle: RateLimiter,
    { name, priority = 'write', n }: { name: string; priority?: Priority; n: number },
  ): Promise<unknown> => Promise.all(Array.from({ length: n }, () => throttle.take(priority).then(() => calls.push(name))));
  const among = (name: string, from: number, to: number): number => calls.slice(from, to).filter((each) => each === name).length;

  it('the lowest rate of all that live is everybody’s', async () => {
    await limiter('a', { perSecond: 20 }).take('write');
    const fast = limiter('b');
    const began = Date.now();
    for (let i = 0; i < 11; i++) await fast.take('write');
    assert.ok(Date.now() - began >= 500, `11 calls in ${Date.now() - began} ms`);
  });

  it('writes of one installation go before sweeps of another, and wait for two of their calls at most', async () => {
    const sweeps = waiting(limiter('a'), { name: 'sweep', priority: 'sweep', n: 40 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const from = calls.length;
    await waiting(limiter('b'), { name: 'write', n: 20 });
    assert.ok(among('sweep', from, calls.length) <= 3, calls.slice(from).join(' '));
    await sweeps;
  });

  it('each installation gets its share, however many workers it has', async () => {
    const all = [
      waiting(limiter('a'), { name: 'a', n: 25 }),
      waiting(limiter('a'), { name: 'a', n: 25 }),
      waiting(limiter('b'), { name: 'b', n: 25 }),
    ];
    await Promise.all(all);
    const share = among('b', 3, 43);
    assert.ok(share >= 18 && share <= 22, `${share} of 40`);
  });

  it('none starves: what others’ writes have kept waiting for five seconds goes through, one call at a time', async () => {
    const writes = waiting(limiter('a'), { name: 'write', n: 260 });
    const sweeping = limiter('b');
    await sweeping.take('sweep');
    assert.ok(calls.length < 260, 'before the writes are done');
    const from = calls.length;
    const began = Date.now();
    void waiting(sweeping, { name: 'sweep', priority: 'sweep', n: 5 });
    await writes;
    assert.ok(among('sweep', from, calls.length) <= 2 + Math.floor((Date.now() - began) / 5000), 'one each five seconds');
  });

  it('a slot hours or months ahead holds nobody and frees nobody: it is reset, and said once', async () => {
    for (const ahead of [3_600_000, 30 * 86_400_000]) {
      const said: string[] = [];
      const throttle = limiter('a', { warn: (sentence) => said.push(sentence) });
      await throttle.take('write');
      slots.state = { ...slots.state, next: Date.now() + ahead };
      const at: number[] = [];
      const began = Date.now();
      for (let i = 0; i < 20; i++) {
        await throttle.take('write');
        at.push(Date.now());
      }
      assert.ok(Date.now() - began >= 19 * 24, 'the pace is kept');
      assert.ok(Date.now() - began < 60_000, 'no hour is waited for');
      assert.equal(said.length, 1);
      assert.match(said[0] ?? '', new RegExp(`was ${Math.round(ahead / 60_000)} min ahead and is reset`));
    }
  });

  it('with a clock twenty minutes behind the others no second has more calls than the rate', async () => {
    const at: number[] = [];
    const pace = { perSecond: 10 };
    const three = [
      limiter('a', pace),
      limiter('b', { ...pace, now: () => Date.now() - 20 * 60_000 }),
      limiter('c', { ...pace, now: () => Date.now() + 45 * 86_400_000 }),
    ];
    await Promise.all(
      three.map(async (throttle) => {
        for (const until = Date.now() + 3000; Date.now() < until || at.length < 12;) {
          await throttle.take('write');
          at.push(Date.now());
        }
      }),
    );
    assert.ok(mostInASecond(at) <= 10, `${mostInASecond(at)} in a second`);
  });

  for (const { what, ms, died } of [
    { what: 'ahead', ms: 5000, died: 0 },
    { what: 'behind', ms: -5000, died: 0 },
    { what: 'ahead, after the death of forty workers,', ms: 5000, died: 40 },
  ])
    it(`a clock five seconds ${what} leaves the others their part, and no second more calls than the rate`, async () => {
      const at: number[] = [];
      const right: number[] = [];
      let passed = 0;
      const after = (late: number) => ({ perSecond: 10, now: () => Date.now() + passed + late });
      const wrong = limiter('a', after(ms));
      const others = [limiter('b', after(0)), limiter('c', after(0))];
      for (let i = 0; i < died; i++) await slots.say('key', `dead${i}`, { installation: 'a', spacingMs: 105, order: 0, beat: 1 });
      for (const throttle of [...others, wrong]) await throttle.take('write');
      if (died > 0) passed = 70_000;
      const until = Date.now() + 6000;
      const calling = async (throttle: RateLimiter, mine: number[]): Promise<void> => {
        while (Date.now() < until) {
          await throttle.take('write');
          at.push(Date.now());
          mine.push(Date.now());
        }
      };
      await Promise.all([calling(wrong, []), ...others.map((throttle) => calling(throttle, right))]);
      assert.ok(mostInASecond(at) <= 10, `${mostInASecond(at)} in a second`);
      // Six seconds of sixty calls, shared by three; one of five each would be two.
      assert.ok(right.length >= 12, `${right.length} calls of two with a clock that is right`);
    });

  it('who has died is forgotten after two minutes, and counts no more', async () => {
    let passed = 0;
    const throttle = limiter('a', { now: () => Date.now() + passed });
    await slots.say('key', 'dead', { installation: 'b', spacingMs: 105, order: 0, beat: 1 });
    await throttle.take('write');
    passed = 120_000;
    await throttle.take('write');
    assert.ok(!('dead' in slots.state.users));
  });

  it('a pause that a system asks for is waited for, and is no wrong clock’s work', async () => {
    const said: string[] = [];
    const throttle = limiter('a', { warn: (sentence) => said.push(sentence) });
    await throttle.take('write');
    const began = Date.now();
    await limiter('b').hold(3000);
    await throttle.take('write');
    assert.ok(Date.now() - began >= 2990);
    assert.deepEqual(said, []);
  });

  it('a pause that a system asks for ends after five minutes at most: then it is asked again', async () => {
    const throttle = limiter('a');
    await throttle.take('write');
    await throttle.hold(7 * 86_400_000);
    assert.ok(slots.state.next <= Date.now() + 5 * 60_000);
  });
});
