import assert from 'node:assert/strict';
import { rulesOf } from '../../activities/observation.ts';
import type { Connector, Snapshot } from '../../connectors/connector.ts';
import { SystemError } from '../../connectors/systemError.ts';
import { historyKey } from '../../flows/names.ts';
import type { Store } from '../../store/store.ts';
import { numberOnce } from '../../worker/sequencer.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { makeStore } from '../support/world.ts';
import { ONE_NAME_FLOW as FLOW } from '../support/flow.ts';
import { activitiesAt } from './activitiesAt.ts';

describe('a write that was sent and never answered', function () {
  let store: Store;
  let attempt: number;
  let update: () => Promise<Snapshot>;
  const snapshot = (givenName: string): Snapshot => ({
    id: '7',
    version: '002',
    instant: '2026-01-01T00:00:01Z',
    fields: { givenName, FirstName: givenName },
    at: [0, 0],
  });

  beforeEach(async () => {
    ({ store } = await makeStore());
  });
  afterEach(() => store.close());

  const write = (revision: number, value: string) => {
    const seen = {
      version: '001',
      instant: '2026-01-01T00:00:00Z',
      values: { givenName: 'Kari' },
      inScope: true,
      at: [0, 0] as const,
    };
    const began = newRecord({ flow: 'f', rules: rulesOf(FLOW), sourceId: '1/2', seen: null, now: 0 });
    const link: LinkRecord = { ...began, targetId: '7', revision, status: 'in-step', seen: { source: null, target: seen } };
    const crm = {
      name: 'crm',
      lagMs: 0,
      features: () => ({ conditional: 'test' }),
      read: () => Promise.resolve(snapshot('Siri')),
      update: () => update(),
    } as unknown as Connector;
    const activities = activitiesAt(attempt, { flows: [FLOW], store, crm });
    const assignments = [{ property: 'givenName', value, expected: 'Kari', why: 'source' as const }] as never;
    return activities.writeRecord({ link, side: 'target', assignments });
  };
  const told = ({ kind, unanswered }: Outcome): unknown[] => [kind, unanswered];
  const numbered = async (): Promise<unknown[]> => {
    await numberOnce(store);
    return (await store.changes.after(0, 50)).events.filter(({ kind }) => kind === 'changed').map(({ after }) => after);
  };

  it('and was then planned anew is no event of the stream, and stays in the history as what it is', async () => {
    attempt = 2;
    update = () => Promise.reject(new SystemError('CRM', 'contended', 'somebody was first'));
    assert.deepEqual(told(await write(2, 'Eva')), ['contended', true]);
    attempt = 1;
    update = () => Promise.resolve(snapshot('Ida'));
    assert.equal((await write(3, 'Ida')).kind, 'written');
    assert.deepEqual(await numbered(), ['Ida']);
    const history = await store.history.ofLink('f:1/2');
    assert.deepEqual(
      new Map(history.map(({ after, unanswered }) => [after, unanswered])),
      new Map([
        ['Ida', undefined],
        ['Eva', true],
      ]),
    );
  });

  it('stays in the history although its flow was paused meanwhile', async () => {
    await store.limits.setPaused('f', true);
    attempt = 2;
    const outcome = await write(2, 'Eva');
    assert.deepEqual([outcome.kind, 'code' in outcome && outcome.code], ['refused', 'flow-paused']);
    assert.equal(outcome.unanswered, true);
    const history = await store.history.ofLink('f:1/2');
    assert.deepEqual(
      history.map(({ before, after, unanswered }) => [before, after, unanswered]),
      [['Kari', 'Eva', true]],
    );
  });

  it('is told to the link only where one may have been sent', async () => {
    attempt = 1;
    update = () => Promise.reject(new SystemError('CRM', 'contended', 'somebody was first'));
    assert.equal((await write(2, 'Eva')).unanswered, undefined);
    update = () => Promise.resolve(snapshot('Eva'));
    attempt = 2;
    assert.equal((await write(2, 'Eva')).unanswered, undefined);
    // The store is ahead, as after a backup of Temporal: it was written, and the link is told something else.
    attempt = 1;
    assert.deepEqual(told(await write(1, 'Eva')), ['contended', true]);
  });

  it('is an event once an attempt is answered, whichever attempt that was', async () => {
    attempt = 2;
    update = () => Promise.reject(new SystemError('CRM', 'unreachable', 'no answer'));
    await assert.rejects(write(2, 'Eva'));
    // The first attempt was thought dead, and is not.
    attempt = 1;
    update = () => Promise.resolve(snapshot('Eva'));
    assert.equal((await write(2, 'Eva')).kind, 'written');
    attempt = 3;
    assert.equal((await write(2, 'Eva')).kind, 'written');
    assert.equal((await store.history.byKey(historyKey('f:1/2', 2, 'givenName')))?.unanswered, undefined);
    assert.deepEqual(await numbered(), ['Eva']);
  });
});
