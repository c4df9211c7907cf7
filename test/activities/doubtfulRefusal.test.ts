import assert from 'node:assert/strict';
import { rulesOf } from '../../activities/observation.ts';
import type { Connector, Snapshot } from '../../connectors/connector.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Store } from '../../store/store.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { ONE_NAME_FLOW as FLOW } from '../support/flow.ts';
import { makeStore } from '../support/world.ts';
import { activitiesAt } from './activitiesAt.ts';

describe('a write whose condition was refused although everything stands as expected', function () {
  let store: Store;
  /** Whether each call that was sent had a condition. */
  let sent: boolean[];
  let refusing: () => Promise<unknown>;

  beforeEach(async () => {
    ({ store } = await makeStore());
    sent = [];
    refusing = () => Promise.resolve();
  });
  afterEach(() => store.close());

  function write(): Promise<Outcome> {
    const snapshot = (FirstName: string): Snapshot => ({
      id: '1',
      version: '001',
      instant: '2026-01-01T00:00:00Z',
      fields: { FirstName, givenName: 'Kari' },
      at: [0, 0],
    });
    const crm = {
      name: 'crm',
      lagMs: 0,
      features: () => ({ conditional: 'test', externalId: false, idempotencyKey: false }),
      read: () => Promise.resolve(snapshot('Eva')),
      update: async (_request, { unconditional = false }) => {
        sent.push(!unconditional);
        if (unconditional) return snapshot('Kari');
        await refusing();
        throw new SystemError('PowerOffice Go', 'contended', { text: '400', status: 400 });
      },
      conditionProbe: {
        isDoubtful: () => true,
        readsApartMs: 10,
        isOpen: () => true,
        settleMissing: () => Promise.resolve(),
        warning: '',
      },
    } as Partial<Connector>;
    const { version, instant, at } = snapshot('');
    const seen = { version, instant, at, values: { FirstName: 'Eva' }, inScope: true };
    const began = newRecord({ flow: 'f', rules: rulesOf(FLOW), sourceId: '1', seen, now: 0 });
    const link: LinkRecord = { ...began, targetId: '1', revision: 1, status: 'in-step' };
    const assignments = [{ property: 'FirstName', value: 'Kari', expected: 'Eva', from: null, why: 'edited' }];
    return activitiesAt(1, { flows: [FLOW], store, crm }).writeRecord({ link, side: 'source', assignments });
  }

  it('is sent again, and then without a condition, where the system may know none', async () => {
    assert.equal((await write()).kind, 'written');
    assert.deepEqual(sent, [true, true, false]);
  });

  it('is not sent again where its flow was paused while it was read twice', async () => {
    refusing = () => store.limits.setPaused('f', true);
    const outcome = await write();
    assert.deepEqual([outcome.kind, 'code' in outcome && outcome.code], ['refused', 'flow-paused']);
    assert.deepEqual(sent, [true]);
  });
});
