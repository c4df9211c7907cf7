import assert from 'node:assert/strict';
import { rulesOf } from '../../activities/observation.ts';
import type { Connector } from '../../connectors/connector.ts';
import type { Flow } from '../../flows/flow.ts';
import { linkKey } from '../../flows/names.ts';
import type { Store } from '../../store/store.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import type { Observation } from '../../workflows/core/state.ts';
import { makeStore } from '../support/world.ts';
import { ONE_NAME_FLOW } from '../support/flow.ts';
import { activitiesAt } from './activitiesAt.ts';

const FLOW: Flow = { ...ONE_NAME_FLOW };

// A feed that dies between its message and its note tells nobody that a record is again as the store had known it.
describe('what the store saw while an attempt stored and did not answer', function () {
  let store: Store;
  beforeEach(async () => {
    ({ store } = await makeStore());
  });
  afterEach(() => store.close());

  const seen = (version: string, inScope: boolean): Observation => ({
    version,
    instant: '2026-01-01T00:00:00Z',
    values: { FirstName: 'Kari' },
    inScope,
    at: [0, 0],
  });
  const ended: LinkRecord = {
    ...newRecord({ flow: 'f', rules: rulesOf(FLOW), sourceId: '1', seen: seen('002', false), now: 0 }),
    revision: 3,
    status: 'ended',
    ended: 'out of scope',
  };

  it('is news to the next attempt', async () => {
    await store.links.write(ended, FLOW, null);
    await store.links.raise([{ key: linkKey('f', '1'), side: 'source', seen: seen('003', true) }]);
    const outcome = await activitiesAt(2, { flows: [FLOW], store, crm: { name: 'crm' } }).storeLink({ link: ended });
    assert.equal(outcome.kind, 'stored');
    assert.equal(outcome.news?.source?.version, '003');
  });

  it('is news to the next attempt at a target, too', async () => {
    const blocked = {
      ...ended,
      status: 'blocked' as const,
      ended: null,
      block: { code: '422', side: 'target' as const, properties: [], at: 5 },
    };
    await store.links.write(blocked, FLOW, 'no');
    await store.links.raise([{ key: linkKey('f', '1'), side: 'source', seen: seen('003', true) }]);
    const activities = activitiesAt(2, {
      flows: [FLOW],
      store,
      crm: { name: 'crm', lagMs: 0, features: () => ({ externalId: true, uniqueExternalId: true }) as never },
    });
    const link = { ...blocked, status: 'linking' as const, block: null };
    const outcome = await activities.createRecord({ link, values: { givenName: 'Kari' } });
    assert.equal(outcome.kind, 'refused');
    assert.equal(outcome.news?.source?.version, '003');
  });

  it('is none where it is from before the clock of the system went back: the answer is newer', async () => {
    const record = { ...ended, status: 'in-step' as const, ended: null, targetId: '7' };
    const target = (version: string, givenName: string): Observation => ({
      ...seen(version, true),
      etag: `"${version}"`,
      values: { givenName },
    });
    const link = { ...record, seen: { ...record.seen, target: target('002', 'Kari') } };
    await store.links.write(link, FLOW, null);
    await store.links.raise([{ key: linkKey('f', '1'), side: 'target', seen: target('010', 'Kari') }]);
    const crm = {
      name: 'crm',
      lagMs: 0,
      features: () => ({ conditional: 'etag' }) as never,
      update: () =>
        Promise.resolve({ id: '7', version: '005', instant: '2026-01-01T00:00:00Z', fields: { givenName: 'Eva' }, at: [0, 0] }),
    } as unknown as Connector;
    const outcome = await activitiesAt(1, { flows: [FLOW], store, crm }).writeRecord({
      link: { ...link, revision: 4 },
      side: 'target',
      assignments: [{ property: 'givenName', value: 'Eva', expected: 'Kari', from: null, why: 'edited' }],
    });
    assert.equal(outcome.kind, 'written');
    assert.equal(outcome.news, undefined);
    assert.equal((await store.links.byKey('f:1'))?.seen.target?.version, '005');
  });
});
