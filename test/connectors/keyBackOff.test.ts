import assert from 'node:assert/strict';
import { secretsFrom } from '../../connectors/crm/auth.ts';
import { KeyBackOff } from '../../connectors/keyBackOff.ts';
import { powerOffice, type PatchTest } from '../../connectors/powerOffice/connector.ts';
import { RateLimiter } from '../../connectors/rateLimiter.ts';
import { SystemError } from '../../connectors/systemError.ts';
import { memorySlots } from '../support/memorySlots.ts';
import { KEYS, makeWorld } from '../support/world.ts';
import { connectorOf, idsOf, oddCrm } from './oddCrm.ts';
import { failsAs, OPTIONS } from './calls.ts';

describe('a key that a system refuses', () => {
  let now = 0;
  let asked = 0;
  let told: (number | null)[] = [];
  let answer: () => Promise<string>;
  const refuse = (): Promise<string> => Promise.reject(new SystemError('X', 'unauthorized', { text: 'no', status: 401 }));
  const ask = (backOff: KeyBackOff, scope = 's'): Promise<string> => backOff.run(scope, () => ((asked += 1), answer()));
  beforeEach(() => {
    now = 0;
    asked = 0;
    told = [];
    answer = refuse;
  });

  it('is asked for once a pause, by one caller, however many wait; the pause doubles up to five minutes', async () => {
    const backOff = new KeyBackOff({ now: () => now, tell: (refusal) => told.push(refusal?.status ?? null) });
    for (const pause of [5000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]) {
      const before = asked;
      const wave = await Promise.all(Array.from({ length: 50 }, () => failsAs(ask(backOff), 'unauthorized')));
      assert.equal(asked - before, before === 0 ? 50 : 1, 'what was under way together is one refusal');
      assert.equal(wave[49]?.retryAfterMs === null, false);
      const [refused] = wave;
      assert.deepEqual([refused?.status, refused?.text, refused?.retryAfterMs], [401, 'no', pause]);
      now += pause - 1;
      await failsAs(ask(backOff), 'unauthorized');
      now += 1;
    }
    answer = () => Promise.resolve('yes');
    assert.equal(await ask(backOff), 'yes');
    assert.deepEqual(await Promise.all([ask(backOff), ask(backOff)]), ['yes', 'yes']);
    assert.deepEqual(told, [401, null]);
  });

  it('of one type stops no other; no answer says nothing of the key, any other answer does', async () => {
    const backOff = new KeyBackOff({ now: () => now, tell: (refusal) => told.push(refusal?.status ?? null) });
    await failsAs(ask(backOff), 'unauthorized');
    answer = () => Promise.resolve('yes');
    assert.equal(await ask(backOff, 'other'), 'yes');
    now += 5000;
    answer = () => Promise.reject(new SystemError('X', 'unreachable', 'silence'));
    await failsAs(ask(backOff), 'unreachable');
    answer = refuse;
    assert.equal((await failsAs(ask(backOff), 'unauthorized')).retryAfterMs, 10_000);
    now += 10_000;
    answer = () => Promise.reject(new SystemError('X', 'gone', { text: '', status: 404 }));
    await failsAs(ask(backOff), 'gone');
    await failsAs(ask(backOff), 'gone');
  });

  it('of PowerOffice costs one token and one call, not one a link', async () => {
    const world = await makeWorld({ size: { products: 1, contactPersons: 30, suppliers: 1, supplierPersons: 1 } });
    try {
      const patchTest: PatchTest = { get: () => 'works', settle: () => Promise.resolve() };
      const throttle = new RateLimiter(memorySlots(), 'k', { perSecond: 1000 });
      const system = powerOffice({ url: world.powerOffice.url, ...KEYS }, { throttle, patchTest });
      await system.check();
      const { calls, faults } = world.powerOffice.disturbance;
      const from = calls.length;
      faults.push({ kind: 'status', status: 401, path: '', detail: 'the key was revoked', delay: 0, times: 1000, chance: 1 });
      const read = (i: number): Promise<unknown> =>
        failsAs(system.read({ type: 'ContactPerson', id: `501/${2001 + i}`, fields: ['FirstName'] }, OPTIONS), 'unauthorized');
      await read(0);
      for (let wave = 0; wave < 3; wave++) await Promise.all(Array.from({ length: 30 }, (_, i) => read(i)));
      assert.deepEqual(
        calls.slice(from).map(({ path }) => path.replace(/[\d/]+$/, '')),
        ['/v2/ContactPersons', '/OAuth/Token'],
      );
    } finally {
      await world.close();
    }
  });

  it('of a CRM that gives tokens costs one token a wave', async () => {
    let [tokens, lists] = [0, 0];
    const server = await oddCrm(({ target }) => {
      if (target === '/token') tokens += 1;
      else lists += 1;
      return { status: 400, body: { error: 'invalid_client', error_description: 'revoked' } };
    });
    try {
      const auth = { kind: 'oauth2', grant: 'client_credentials', tokenUrl: `${server.url}/token`, sendAs: 'post' };
      const secret = secretsFrom({ CRM_CLIENT_ID: 'id', CRM_CLIENT_SECRET: 's' });
      const system = connectorOf(server.url, { auth }, { secret });
      for (let wave = 0; wave < 3; wave++)
        await Promise.all(Array.from({ length: 20 }, () => failsAs(idsOf(system), 'unauthorized')));
    } finally {
      await server.close();
    }
    assert.deepEqual([tokens, lists], [1, 0]);
  });
});
