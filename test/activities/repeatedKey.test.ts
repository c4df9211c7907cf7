import assert from 'node:assert/strict';
import { rulesOf } from '../../activities/observation.ts';
import { SystemClock } from '../../connectors/clock.ts';
import type { Connector, Snapshot } from '../../connectors/connector.ts';
import type { Store } from '../../store/store.ts';
import { advance } from '../../workflows/core/lifecycle.ts';
import { applyOutcome } from '../../workflows/core/outcome.ts';
import type { Observation } from '../../workflows/core/state.ts';
import type { Step } from '../../workflows/core/step.ts';
import { newRecord, recordOf, stateOf } from '../../workflows/linkRecord.ts';
import { ONE_NAME_FLOW as FLOW } from '../support/flow.ts';
import { makeStore } from '../support/world.ts';
import { activitiesAt } from './activitiesAt.ts';

describe('a second try by the same key, at a CRM that makes capitals of what it is sent', function () {
  let store: Store;
  let answer: Snapshot;
  let now: Snapshot;

  const shown = (givenName: string, version: number): Snapshot => {
    const at = Date.now() + version * 1000;
    return {
      id: '1',
      version: `00${version}`,
      instant: new Date(at).toISOString(),
      fields: { givenName },
      at: [at - 1000, at + 1000],
    };
  };

  beforeEach(async () => {
    ({ store } = await makeStore());
    answer = shown('KARI', 1);
    now = answer;
  });
  afterEach(() => store.close());

  /** What a link does after an attempt to create its target. */
  async function afterTry(number = 2): Promise<Step> {
    const crm = {
      name: 'crm',
      lagMs: 0,
      clock: new SystemClock(),
      features: () => ({ conditional: 'none', externalId: false, idempotencyKey: true }),
      create: () => Promise.resolve(answer),
      read: () => Promise.resolve(now),
    } as unknown as Connector;
    const edited = Date.now() - 60_000;
    const seen: Observation = {
      version: '001',
      instant: new Date(edited).toISOString(),
      values: { FirstName: 'Kari' },
      inScope: true,
      at: [edited, edited],
    };
    const rules = rulesOf(FLOW);
    const { state, step } = advance(stateOf(newRecord({ flow: 'f', rules, sourceId: '1', seen, now: edited }), rules), edited);
    assert.equal(step.kind, 'create');
    const activities = activitiesAt(number, { flows: [FLOW], store, crm });
    const outcome = await activities.createRecord({ link: recordOf(state), values: { givenName: 'Kari' } });
    return advance(applyOutcome(state, { step, outcome, now: Date.now() }), Date.now()).step;
  }

  const sideOf = (step: Step): string =>
    step.kind === 'write' ? `${step.side} ${String(step.assignments[0]?.value)}` : step.kind;

  it('takes its base from the answer: what the CRM made of a value goes to no source', async () => {
    assert.equal(sideOf(await afterTry()), 'target Kari', 'once more, and then both sides agree');
  });

  it('carries what somebody has edited there since the record was made', async () => {
    now = shown('Kari Anne', 2);
    assert.equal(sideOf(await afterTry()), 'source Kari Anne');
  });

  it('takes what an answer did not show, and was read later, for an edit: it may be one', async () => {
    answer = { ...answer, readBack: true };
    assert.equal(sideOf(await afterTry()), 'source KARI');
  });

  it('takes no first answer for an old one where the clocks of workers are seconds apart', async () => {
    const at = Date.now() - 4000;
    answer = { ...answer, at: [at - 1000, at] };
    now = answer;
    assert.equal(sideOf(await afterTry(1)), 'wait', 'nobody tried before: it was made now');
  });

  it('takes no first answer for an old one where the clock of the CRM was set back', async () => {
    const at = Date.now() - 3_600_000;
    answer = { ...answer, at: [at - 1000, at] };
    now = answer;
    assert.equal(sideOf(await afterTry(1)), 'wait', 'nobody tried before: it was made now');
  });
});
