import assert from 'node:assert/strict';
import { rulesOf } from '../../activities/observation.ts';
import { SystemClock } from '../../connectors/clock.ts';
import { looksLike } from '../../connectors/looksLike.ts';
import type { Connector, CreateRequest, FindRequest, Snapshot } from '../../connectors/connector.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Store } from '../../store/store.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { ONE_NAME_FLOW as FLOW } from '../support/flow.ts';
import { makeStore } from '../support/world.ts';
import { activitiesAt } from './activitiesAt.ts';

describe('a create whose answer was lost, and then its flow was paused or its workflow lost', function () {
  let store: Store;
  let made: Snapshot[];
  let keys: Map<string, Snapshot>;
  let answers: boolean;
  let looks = 0;

  beforeEach(async () => {
    ({ store } = await makeStore());
    made = [];
    keys = new Map();
    answers = true;
  });
  afterEach(() => store.close());

  const attempt = (number: number, of: { revision: number; name: string; idempotencyKey: boolean }): Promise<Outcome> => {
    const crm = {
      name: 'crm',
      lagMs: 0,
      clock: new SystemClock(),
      features: () => ({ conditional: 'none', externalId: false, idempotencyKey: of.idempotencyKey }),
      find: ({ by }: FindRequest) => {
        looks += 1;
        return Promise.resolve(made.filter(({ fields }) => looksLike(fields, by.values)));
      },
      read: ({ id }: { id: string }) => Promise.resolve(made.find((each) => each.id === id)),
      create: ({ values, identity }: CreateRequest) => {
        const known = keys.get(identity.idempotencyKey);
        const at = Date.now();
        const id = String(made.length + 1);
        const row = known ?? { id, version: '001', instant: new Date(at).toISOString(), fields: values, at: [at, at] as const };
        if (!known) made.push(row);
        if (of.idempotencyKey) keys.set(identity.idempotencyKey, row);
        return answers ? Promise.resolve(row) : Promise.reject(new SystemError('CRM', 'unreachable', 'no answer'));
      },
    } as unknown as Connector;
    const seen = {
      version: '1',
      instant: '2026-01-01T00:00:00Z',
      values: { FirstName: of.name },
      inScope: true,
      at: [0, 0] as const,
    };
    const began = newRecord({ flow: 'f', rules: rulesOf(FLOW), sourceId: '1', seen, now: 0 });
    const link = { ...began, revision: of.revision, status: 'in-step' as const };
    return activitiesAt(number, { flows: [FLOW], store, crm }).createRecord({ link, values: { givenName: of.name } });
  };

  for (const idempotencyKey of [true, false])
    it(`is found by what was sent, although the source was edited meanwhile: ${idempotencyKey ? 'a key tells' : 'nothing tells'} two tries apart`, async () => {
      answers = false;
      await assert.rejects(attempt(1, { revision: 1, name: 'Kari', idempotencyKey }));
      await store.limits.setPaused('f', true);
      const held = await attempt(2, { revision: 1, name: 'Kari', idempotencyKey });
      assert.deepEqual([held.kind, 'code' in held && held.code], ['refused', 'flow-paused']);
      await store.limits.setPaused('f', false);
      answers = true;
      const next = await attempt(1, { revision: 2, name: 'Eva', idempotencyKey });
      assert.equal(made.length, 1);
      assert.ok(next.kind === 'created' && next.id === '1' && next.found === true && !next.adopted);
      // The edit is still to be carried: the source has no base that it could be.
      const stored = await store.links.byKey('f:1');
      assert.deepEqual(stored?.base, { source: {}, target: { givenName: 'Kari' } });
    });

  it('is found, too, where its workflow was ended by hand: nobody sends its key again', async () => {
    answers = false;
    await assert.rejects(attempt(1, { revision: 1, name: 'Kari', idempotencyKey: true }));
    answers = true;
    const next = await attempt(1, { revision: 5, name: 'Eva', idempotencyKey: true });
    assert.equal(made.length, 1);
    assert.ok(next.kind === 'created' && next.id === '1');
  });

  it('is sent again by its key, without a look, by the activity that has sent it', async () => {
    answers = false;
    await assert.rejects(attempt(1, { revision: 1, name: 'Kari', idempotencyKey: true }));
    answers = true;
    looks = 0;
    const next = await attempt(2, { revision: 1, name: 'Kari', idempotencyKey: true });
    assert.ok(next.kind === 'created' && next.id === '1');
    assert.deepEqual([made.length, looks], [1, 0]);
  });
});
