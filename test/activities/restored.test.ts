import assert from 'node:assert/strict';
import { rulesOf } from '../../activities/observation.ts';
import type { Connector, Snapshot } from '../../connectors/connector.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Flow } from '../../flows/flow.ts';
import type { Store } from '../../store/store.ts';
import { newRecord, recordOf, stateOf } from '../../workflows/linkRecord.ts';
import { resetTarget } from '../../workflows/core/transitions.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import { makeStore } from '../support/world.ts';
import { ONE_NAME_FLOW } from '../support/flow.ts';
import { activitiesAt } from './activitiesAt.ts';

const FLOW: Flow = { ...ONE_NAME_FLOW, onTargetDeleted: 'recreate' };

describe('a target that was made anew without an answer, while the deleted one was taken out of the bin', function () {
  let store: Store;
  beforeEach(async () => {
    ({ store } = await makeStore());
  });
  afterEach(() => store.close());

  const shown = (id: string): Snapshot => ({
    id,
    version: '001',
    instant: '2026-01-01T00:00:00Z',
    fields: { givenName: 'Kari' },
    at: [0, 0],
  });
  /** The second attempt at a target in the place of those that are gone; `living` bear the link's external id. */
  const again = async (
    gone: readonly string[],
    living: readonly string[],
    features: Partial<ReturnType<Connector['features']>> = { externalId: true, uniqueExternalId: true },
  ) => {
    const began = newRecord({ flow: 'f', rules: rulesOf(FLOW), sourceId: '1/2', seen: null, now: 0 });
    // Through the store's record each time, as after a rebuild.
    const link = gone.reduce<LinkRecord>(
      (before, targetId) => recordOf(resetTarget(stateOf({ ...before, targetId }, rulesOf(FLOW)), 0)),
      began,
    );
    const crm = {
      name: 'crm',
      lagMs: 0,
      clock: { estimate: { lo: 0, hi: 0 } },
      features: () => features,
      find: () => Promise.resolve(living.map(shown)),
      read: ({ id }: { id: string }) => Promise.resolve(shown(id)),
      create: () => Promise.reject(new SystemError('CRM', 'taken', { text: '409', status: 409 })),
    } as unknown as Connector;
    const activities = activitiesAt(2, { flows: [FLOW], store, crm });
    const outcome = await activities.createRecord({ link: { ...link, revision: 5 }, values: { givenName: 'Kari' } });
    return 'id' in outcome ? outcome.id : 'code' in outcome ? outcome.code : outcome.kind;
  };

  it('is the one that was not the target before', async () => {
    assert.equal(await again(['1'], ['1', '2']), '2');
  });

  it('is so after several deletions', async () => {
    assert.equal(await again(['1', '2'], ['1', '2', '3']), '3');
  });

  it('is so where its contents alone tell of it', async () => {
    assert.equal(await again(['1'], ['1', '2'], { externalId: false }), '2');
  });

  it('was not made where the restored one stands alone: that is the target again', async () => {
    assert.equal(await again(['1'], ['1']), '1');
  });

  it('is for a person to tell from another that nobody knows', async () => {
    assert.equal(await again(['1'], ['1', '2', '3']), 'ambiguous');
    const text = (await store.links.byKey('f:1/2'))?.block?.text ?? '';
    assert.match(text, /2 records may be its: 2, 3\b/);
  });
});
