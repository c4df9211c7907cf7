import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkProfile, refutedIn, type CheckReport } from '../../connectors/crm/check/check.ts';
import { DEFAULT_PROFILE } from '../../connectors/crm/profile/default.ts';
import type { Profile } from '../../connectors/crm/profile/schema.ts';
import { CRM_TOKEN, makeWorld, type World } from '../support/world.ts';

describe('tandem profile check', () => {
  let world: World;
  const check = (profile: Profile = DEFAULT_PROFILE, readOnly = false): Promise<CheckReport> =>
    checkProfile({ url: world.crm.url, profile, secret: () => Promise.resolve(CRM_TOKEN), typeName: 'Contact', readOnly });
  const refuted = (report: CheckReport): string[] =>
    report.findings.filter(({ verdict }) => verdict === 'refuted').map(({ name }) => name);
  const rows = (): number => world.crm.desk.types['Contact']?.replica().size ?? 0;

  beforeEach(async () => {
    world = await makeWorld();
    for (let i = 0; i < 7; i++) {
      world.crm.desk.create('Contact', { givenName: `n${i}` });
      await sleep(3);
    }
  });
  afterEach(() => world.close());

  it('a profile that tells the truth: nothing refuted, everything looked at, nothing left behind', async () => {
    const report = await check();
    assert.deepEqual(refutedIn(report), []);
    assert.deepEqual(
      report.findings.filter(({ verdict }) => verdict === 'not seen').map(({ name }) => name),
      [],
    );
    for (const name of [
      'paging',
      'edges',
      'order',
      'unknown id',
      'idempotency key',
      'unique external id',
      'condition',
      'lag',
      'delete',
    ])
      assert.ok(
        report.findings.some((finding) => finding.name === name && finding.verdict === 'seen'),
        name,
      );
    assert.equal(rows(), 7);
  });

  it('read-only makes nothing', async () => {
    const before = world.crm.disturbance.calls.length;
    const report = await check(DEFAULT_PROFILE, true);
    assert.deepEqual(refutedIn(report), []);
    assert.ok(world.crm.disturbance.calls.slice(before).every(({ method }) => method === 'GET'));
  });

  it('an ETag that nobody honours is caught', async () => {
    world.crm.desk.set({ ifMatch: false });
    const report = await check();
    assert.deepEqual(refuted(report), ['condition']);
    assert.match(refutedIn(report)[0] ?? '', /it was not refused: say "condition": "none"/);
    assert.equal(rows(), 7);
  });

  it('an idempotency key and a unique external id that are claimed and not there are caught', async () => {
    world.crm.desk.set({ idempotency: false, externalId: false });
    const names = refuted(await check());
    assert.ok(names.includes('idempotency key'), names.join());
    assert.equal(rows(), 7);
  });

  it('a filter, an order, a place and a property that are not as claimed are caught', async () => {
    const changes = { ...DEFAULT_PROFILE.operations.changes, query: { since: '{since}' } };
    assert.ok(
      refuted(await check({ ...DEFAULT_PROFILE, operations: { ...DEFAULT_PROFILE.operations, changes } }, true)).includes(
        'filter',
      ),
    );
    const { Contact } = DEFAULT_PROFILE.types;
    assert.ok(Contact);
    const fields = [...Contact.fields, { name: 'nickName', type: 'string' as const, writable: true }];
    assert.ok(
      refuted(await check({ ...DEFAULT_PROFILE, types: { Contact: { ...Contact, fields } } }, true)).includes('left-out'),
    );
    const record = { ...DEFAULT_PROFILE.record, changed: ['changedAt'] };
    assert.ok(refuted(await check({ ...DEFAULT_PROFILE, record }, true)).includes('rows'));
  });
});
