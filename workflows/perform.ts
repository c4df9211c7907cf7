import { proxyActivities } from '@temporalio/workflow';
import type { LinkActivities } from './contract.ts';
import type { Outcome } from './core/outcome.ts';
import type { LinkState } from './core/state.ts';
import type { Step } from './core/step.ts';
import { recordOf } from './linkRecord.ts';
import { stepInWords } from './words.ts';

const activities = proxyActivities<LinkActivities>({
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

/** Carries out a step, by one activity; gives what became of it. */
export function perform(state: LinkState, step: Exclude<Step, { kind: 'wait' | 'close' }>): Promise<Outcome> {
  const options = { summary: stepInWords(state, step) };
  const record = recordOf(state, 'what' in step ? { status: step.status, last: { what: step.what, at: Date.now() } } : undefined);
  const input = { link: record, ...(state.world === undefined ? {} : { world: state.world }) };
  switch (step.kind) {
    case 'create':
      return activities.createRecord.executeWithOptions(options, [
        {
          ...input,
          values: step.values,
          ...(state.chosen === undefined ? {} : { chosen: state.chosen }),
          ...(state.recreates === true ? { recreates: true } : {}),
        },
      ]);
    case 'write':
      return activities.writeRecord.executeWithOptions(options, [{ ...input, side: step.side, assignments: step.assignments }]);
    case 'remove':
      return activities.removeRecord.executeWithOptions(options, [{ ...input, side: step.side }]);
    case 'read':
      return activities.readRecords.executeWithOptions(options, [{ ...input, sides: step.sides }]);
    case 'confirm':
      return activities.readRecords.executeWithOptions(options, [
        {
          ...input,
          sides: [step.side],
          ...(step.announced === true ? { announced: true } : {}),
          ...(step.list === true ? { list: true } : {}),
        },
      ]);
    case 'store':
      return activities.storeLink.executeWithOptions(options, [{ ...input }]);
  }
}
