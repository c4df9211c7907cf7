import assert from 'node:assert/strict';
import { rulesOf } from '../../activities/observation.ts';
import { SystemClock } from '../../connectors/clock.ts';
import type { Connector, Snapshot } from '../../connectors/connector.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Store } from '../../store/store.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { SMALL_FLOW } from '../support/flow.ts';
import { makeStore } from '../support/world.ts';
import { activitiesAt } from './activitiesAt.ts';

describe('a record that is sent to a CRM', function () {
  let store: Store;
  let made: Snapshot[];
  let clock: SystemClock;
  /** From when on look-ups have asked, by the CRM's clock (ms). */
  let asked: number[];
  /** What comes before an answer to a create. */
  let answering: () => Promise<void>;

  beforeEach(async () => {
    ({ store } = await makeStore());
    made = [];
    asked = [];
    clock = new SystemClock();
    answering = () => Promise.resolve();
  });
  afterEach(() => store.close());

  /** One attempt of the same activity; each may run in a worker of its own. */
  function attempt(number: number, wasAsleep = false): Promise<Outcome> {
    const crm = {
      name: 'crm',
      lagMs: 0,
      clock,
      features: () => ({ conditional: 'none', externalId: false, idempotencyKey: false }),
      find: ({ by }: { by: { since: number } }) => {
        asked.push(by.since);
        // Its answer tells that the CRM is three minutes behind.
        clock.restore({ lo: -180_500, hi: -179_500, at: Date.now(), by: 'date' });
        return Promise.resolve(made.filter(({ at }) => at[0] - 180_000 >= by.since));
      },
      read: () => Promise.resolve(made[0]),
      create: async () => {
        await answering();
        const at = Date.now() + 1000;
        const id = String(made.length + 1);
        made.push({ id, version: '001', instant: new Date(at).toISOString(), fields: {}, at: [at, at] });
        return made.at(-1);
      },
    } as unknown as Connector;
    const activities = activitiesAt(number, { flows: [SMALL_FLOW], store, crm, wasAsleep: () => wasAsleep });
    const began = newRecord({ flow: 'f', rules: rulesOf(SMALL_FLOW), sourceId: '1', seen: null, now: 0 });
    return activities.createRecord({ link: { ...began, revision: 1, status: 'in-step' }, values: {} });
  }

  it('without keys is looked for by the clock that the first look-up tells, where no other was known', async () => {
    const now = Date.now();
    made.push({ id: '1', version: '001', instant: new Date(now).toISOString(), fields: {}, at: [now, now] });
    assert.deepEqual((await attempt(2)).kind, 'created');
    assert.equal(made.length, 1);
    assert.equal(asked.length, 2);
    assert.ok((asked[1] ?? 0) < (asked[0] ?? 0) - 60_000, asked.join());
  });

  it('is not sent by an attempt that slept: another may have sent it, and somebody have deleted it since', async () => {
    await assert.rejects(attempt(1, true), (error: unknown) => error instanceof SystemError && error.retryable);
    assert.equal(made.length, 0);
    assert.equal((await attempt(2)).kind, 'created');
  });

  it('without keys is sent once by attempts that were thought dead and wake up together', async () => {
    // All have read the store, and found nothing noted, before the first notes that it sends.
    let awaited = 3;
    let go = (): void => undefined;
    const all = new Promise<void>((resolve) => (go = resolve));
    const discover = store.links.discover.bind(store.links);
    store.links.discover = async (...link) => {
      awaited -= 1;
      if (awaited === 0) go();
      await all;
      return discover(...link);
    };
    const ended = await Promise.allSettled([attempt(1), attempt(2), attempt(3)]);
    assert.equal(made.length, 1);
    const failed = ended.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
    assert.equal(failed.length, 2);
    for (const each of failed) assert.ok(each instanceof SystemError && each.retryable, String(each));
    const next = await attempt(4);
    assert.deepEqual([next.kind, 'id' in next && next.id], ['created', '1']);
  });

  it('without keys is not sent again behind the back of an attempt that took over while it was told to wait', async () => {
    let calls = 0;
    answering = async () => {
      calls += 1;
      if (calls > 1) return;
      // Another attempt sends it while this one is throttled.
      assert.equal((await attempt(2)).kind, 'created');
      throw new SystemError('CRM', 'throttled', { text: '429', status: 429, retryAfterMs: 10 });
    };
    await assert.rejects(attempt(1), (error: unknown) => error instanceof SystemError && error.retryable);
    assert.equal(made.length, 1);
  });

  it('is not sent again where its flow was paused while it was told to wait', async () => {
    let calls = 0;
    answering = async () => {
      calls += 1;
      await store.limits.setPaused('f', true);
      throw new SystemError('CRM', 'throttled', { text: '429', status: 429, retryAfterMs: 10 });
    };
    const held = await attempt(1);
    assert.deepEqual([held.kind, 'code' in held && held.code, calls], ['refused', 'flow-paused', 1]);
  });
});
