import assert from 'node:assert/strict';
import { bulkChangeGuard, isBulkChange } from '../../activities/link/bulkChangeGuard.ts';
import type { Store } from '../../store/store.ts';
import { rulesOf } from '../../activities/observation.ts';
import { newRecord } from '../../workflows/record.ts';
import type { Flow } from '../../flows/flow.ts';
import { makeStore } from '../support/world.ts';

const FLOW: Flow = {
  name: 'f',
  source: { system: 'powerOffice', type: 'ContactPerson', scope: [] },
  target: { system: 'crm', type: 'Contact', scope: [] },
  relation: 'create',
  match: [],
  connected: [],
  properties: [],
  policy: 'latest',
  onSourceDeleted: 'keep',
  onTargetDeleted: 'keep',
  create: {},
};
const MINUTE = 60_000;
const NOW = Date.UTC(2026, 0, 1);

describe('the guard against mass changes', () => {
  let store: Store;
  beforeEach(async () => {
    ({ store } = await makeStore());
    const records = Array.from({ length: 100 }, (_, i) =>
      newRecord({ flow: FLOW.name, rules: rulesOf(FLOW), sourceId: String(i), seen: null, now: NOW }),
    );
    await store.links.discover(records, { source: 'ContactPerson', target: 'Contact' });
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

  it('lets everything pass for the time that a person approved', async () => {
    await times(25, NOW);
    await store.limits.approve('f', NOW + 10 * MINUTE);
    assert.equal(await bulkChangeGuard(store, { flow: 'f', now: NOW + MINUTE, first: true }), null);
    assert.notEqual(await bulkChangeGuard(store, { flow: 'f', now: NOW + 11 * MINUTE, first: true }), null);
  });

  it('many of a large flow are few: both bounds must be passed', () => {
    assert.equal(isBulkChange(21, 10_000), false);
    assert.equal(isBulkChange(501, 10_000), true);
    assert.equal(isBulkChange(20, 20), false);
  });
});
