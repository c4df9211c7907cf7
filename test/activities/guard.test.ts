import assert from 'node:assert/strict';
import { pino } from 'pino';
import type { Deps } from '../../activities/deps.ts';
import { linkActivities } from '../../activities/link/index.ts';
import { realTime } from '../../activities/realTime.ts';
import { bulkChangeGuard, isBulkChange, SameValueGuard } from '../../activities/link/bulkChangeGuard.ts';
import type { Store } from '../../store/store.ts';
import { rulesOf } from '../../activities/observation.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { makeStore } from '../support/world.ts';
import { SMALL_FLOW as FLOW } from '../support/flow.ts';
import { attemptOf } from '../support/attempt.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 0, 1);

describe('the guard against mass changes', () => {
  let store: Store;
  beforeEach(async () => {
    ({ store } = await makeStore());
    const records = Array.from({ length: 100 }, (_, i) =>
      newRecord({ flow: FLOW.name, rules: rulesOf(FLOW), sourceId: String(i), seen: null, now: NOW }),
    );
    await store.links.discover(records, FLOW);
  });
  afterEach(() => store.close());
  const times = async (n: number, at: number): Promise<(string | null)[]> => {
    const answers: (string | null)[] = [];
    for (let i = 0; i < n; i++) answers.push(await bulkChangeGuard(store, { flow: 'f', now: at, first: true }));
    return answers;
  };

  it('lets 20 within an hour pass, and asks a person about the next', async () => {
    const answers = await times(22, NOW);
    assert.ok(answers.slice(0, 20).every((answer) => answer === null));
    assert.match(answers[20] ?? '', /21 of 100 records of f would be ended.*tandem approve f/);
  });

  it('forgets what is older than an hour, and counts a repeated attempt once', async () => {
    await times(20, NOW);
    assert.equal(await bulkChangeGuard(store, { flow: 'f', now: NOW + 61 * MINUTE, first: true }), null);
    await times(19, NOW + 61 * MINUTE);
    assert.equal(await bulkChangeGuard(store, { flow: 'f', now: NOW + 62 * MINUTE, first: false }), null);
    assert.notEqual(await bulkChangeGuard(store, { flow: 'f', now: NOW + 62 * MINUTE, first: true }), null);
  });

  it('holds a flow back until a person approves or withdraws, however many hours pass', async () => {
    await times(21, NOW);
    for (const hours of [2, 24, 24 * 30]) assert.notEqual((await times(1, NOW + hours * 60 * MINUTE))[0], null);
    await store.limits.approve('f', NOW);
    assert.equal((await times(1, NOW + MINUTE))[0], null);
  });

  it('withdrawn, the next that would go the same way is held at once', async () => {
    await times(21, NOW);
    const later = NOW + 48 * 60 * MINUTE;
    await store.limits.withdraw('f', { minute: later / MINUTE, n: 21 });
    assert.notEqual((await times(1, later + MINUTE))[0], null);
  });

  it('counts a deletion that Tandem makes once, an ending once, and one by hand not at all', async () => {
    const runAttempt: Deps['runAttempt'] = (work) => work(attemptOf());
    const connector = { name: 'crm', remove: () => Promise.resolve(), lagMs: 0 };
    const activities = linkActivities({
      flows: [FLOW],
      store,
      connectors: { powerOffice: connector, crm: connector },
      log: pino({ level: 'silent' }),
      time: realTime,
      runAttempt,
    } as unknown as Deps);
    const counted = async (): Promise<number> => {
      const { minutes } = await store.limits.countBulkChange('f', 0, 0);
      return Object.values(minutes).reduce((sum, n) => sum + n, 0);
    };
    const link = newRecord({ flow: 'f', rules: rulesOf(FLOW), sourceId: '1', seen: null, now: NOW });
    await activities.removeRecord({ link: { ...link, targetId: 'c1', revision: 1 }, side: 'target' });
    assert.equal(await counted(), 1);
    const ended = { status: 'ended', ended: 'source gone' } as const;
    await activities.storeLink({ link: { ...link, ...ended, final: true, revision: 2 } });
    assert.equal(await counted(), 1, 'its end is the deletion that was counted');
    await activities.storeLink({ link: { ...link, sourceId: '2', ...ended, revision: 1 } });
    assert.equal(await counted(), 2);
    await activities.storeLink({ link: { ...link, sourceId: '3', ...ended, ended: 'unlinked by hand', revision: 1 } });
    assert.equal(await counted(), 2);
  });

  it('counts overwrites with one and the same value, and no others', async () => {
    const guard = new SameValueGuard(store);
    const overwrite = (value: string, property = 'title'): Promise<string | null> =>
      guard.check({ flow: 'f', now: NOW, first: true, side: 'target', property, value });
    for (let i = 0; i < 20; i++) assert.equal(await overwrite('x'), null, `${i}`);
    assert.match((await overwrite('x')) ?? '', /21 of 100 records of f would get one and the same title/);
    assert.equal(await overwrite('y'), null);
    assert.equal(await overwrite('x', 'name'), null);
    const dayLater = guard.check({
      flow: 'f',
      now: NOW + 1440 * MINUTE,
      first: true,
      side: 'target',
      property: 'title',
      value: 'x',
    });
    assert.notEqual(await dayLater, null, 'held until a person approves or withdraws');
  });

  it('many of a large flow are few: both bounds must be passed', () => {
    assert.equal(isBulkChange(21, 10_000), false);
    assert.equal(isBulkChange(501, 10_000), true);
    assert.equal(isBulkChange(20, 20), false);
  });
});
