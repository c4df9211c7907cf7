import assert from 'node:assert/strict';
import { rulesOf } from '../../activities/observation.ts';
import { SystemClock } from '../../connectors/clock.ts';
import type { Connector, Snapshot } from '../../connectors/connector.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Store } from '../../store/store.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { ONE_NAME_FLOW as FLOW } from '../support/flow.ts';
import { makeStore } from '../support/world.ts';
import { activitiesAt } from './activitiesAt.ts';

describe('a record that a key has made and that cannot be read as it is looked at', function () {
  let store: Store;
  let refusal: SystemError | null;
  let unstored: SystemError | null;

  beforeEach(async () => {
    ({ store } = await makeStore());
    refusal = null;
    unstored = null;
  });
  afterEach(() => store.close());

  function attempt(number: number, { name = 'Kari', revision = 1 } = {}): Promise<Outcome> {
    const at = Date.now() - 60_000;
    const made: Snapshot = {
      id: '1',
      version: '001',
      instant: new Date(at).toISOString(),
      fields: { givenName: 'Kari' },
      at: [at, at],
    };
    const crm = {
      name: 'crm',
      lagMs: 0,
      clock: new SystemClock(),
      features: () => ({ conditional: 'none', externalId: false, idempotencyKey: true }),
      create: () => (unstored ? Promise.reject(unstored) : Promise.resolve(made)),
      read: () => (refusal ? Promise.reject(refusal) : Promise.resolve(made)),
    } as unknown as Connector;
    const seen = {
      version: '1',
      instant: '2026-01-01T00:00:00Z',
      values: { FirstName: name },
      inScope: true,
      at: [0, 0] as const,
    };
    const began = newRecord({ flow: 'f', rules: rulesOf(FLOW), sourceId: '1', seen, now: 0 });
    const link = { ...began, revision, status: 'in-step' as const };
    return activitiesAt(number, { flows: [FLOW], store, crm }).createRecord({ link, values: { givenName: name } });
  }

  it('is linked as the answer to its key shows it: left unlinked, the next edit would send a second one', async () => {
    refusal = new SystemError('CRM', 'refused', 'it leaves out givenName');
    const outcome = await attempt(2);
    assert.deepEqual([outcome.kind, 'id' in outcome && outcome.id], ['created', '1']);
  });

  it('has its id kept before it is read, also where the store does not know the link yet', async () => {
    refusal = new SystemError('CRM', 'unreachable', { text: '503', status: 503 });
    await assert.rejects(attempt(2));
    assert.equal((await store.links.byKey('f:1'))?.creation?.id, '1');
  });

  it('blocks its link where its id alone is known, with the words of its system', async () => {
    refusal = new SystemError('CRM', 'unreachable', { text: '503', status: 503 });
    await assert.rejects(attempt(2));
    refusal = new SystemError('CRM', 'refused', { text: '403 not yours', status: 403 });
    const outcome = await attempt(3);
    assert.deepEqual([outcome.kind, 'code' in outcome && outcome.code], ['refused', '403']);
    assert.match((await store.links.byKey('f:1'))?.block?.text ?? '', /cannot be read: 403 not yours/);
  });

  it('is the link’s own, although its source was edited before it could be read: the edit is carried', async () => {
    unstored = new SystemError('CRM', 'unstored', { text: 'it leaves out givenName', made: '1' });
    assert.equal((await attempt(1)).kind, 'refused');
    unstored = null;
    const outcome = await attempt(1, { name: 'Eva', revision: 2 });
    assert.ok(outcome.kind === 'created' && outcome.id === '1' && !outcome.adopted);
  });
});
