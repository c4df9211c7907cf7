import assert from 'node:assert/strict';
import { RateLimiter } from '../../connectors/rateLimiter.ts';
import { Store } from '../../store/store.ts';
import { mostInASecond } from '../connectors/calls.ts';
import { watchStandstills } from '../support/standstill.ts';
import { mongoUri } from '../support/world.ts';

const PER_SECOND = 10;
const SECONDS = 6;

describe('one subscription key, two installations, three workers', () => {
  it('never 11 calls in any second, nine of ten used, and each installation has its share', async () => {
    const limits = mongoUri();
    const stores = await Promise.all([1, 2, 3].map(() => Store.connect(mongoUri(), { limits })));
    const until = new AbortController();
    const [one] = stores as [Store];
    const standstills = watchStandstills(() => one.slots.look('nobody'));
    try {
      const calls: { at: number; installation: string }[] = [];
      await Promise.all(
        ['a', 'a', 'b'].map(async (installation, i) => {
          const slots = (stores[i] as Store).slots;
          const throttle = new RateLimiter(slots, 'key', { perSecond: PER_SECOND, installation, until: until.signal });
          const ends = Date.now() + SECONDS * 1000;
          // Each has more to do than it may.
          const lane = async (): Promise<void> => {
            while (Date.now() < ends) {
              await throttle.take('write');
              calls.push({ at: Date.now(), installation });
            }
          };
          await Promise.all([lane(), lane(), lane()]);
        }),
      );
      const at = calls.map((each) => each.at);
      assert.ok(mostInASecond(at) <= PER_SECOND, `${mostInASecond(at)} in a second`);
      const [first = 0] = at;
      const used = at.filter((each) => each < first + SECONDS * 1000).length;
      // Time in which this process or the store stood still was nobody's to use.
      const usable = PER_SECOND * Math.max(1, SECONDS - standstills.lost() / 1000);
      assert.ok(used >= 0.9 * usable, `${used} of ${usable}`);
      const share = calls.filter(({ installation }) => installation === 'b').length / calls.length;
      assert.ok(share > 0.42 && share < 0.58, `b had ${share.toFixed(2)}`);
    } finally {
      until.abort();
      await standstills.end();
      await Promise.all(stores.map((store) => store.close()));
    }
  });
});
