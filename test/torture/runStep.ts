import { linkActivities } from '../../activities/link/index.ts';
import type { Deps } from '../../activities/deps.ts';
import { recordOf } from '../../workflows/record.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import type { LinkState } from '../../workflows/core/state.ts';
import type { Step } from '../../workflows/core/step.ts';

/** A step that an activity performs. */
export type Task = Exclude<Step, { kind: 'wait' | 'close' }>;

interface TaskRun {
  readonly deps: Deps;
  readonly state: LinkState;
  readonly step: Task;
  readonly now: number;
}

/** Performs a step with the activity that the link workflow would ask. */
export function runStep({ deps, state, step, now }: TaskRun): Promise<Outcome> {
  const activities = linkActivities(deps);
  const record = recordOf(state, 'what' in step ? { status: step.status, last: { what: step.what, at: now } } : undefined);
  switch (step.kind) {
    case 'create':
      return activities.createRecord({
        link: record,
        values: step.values,
        ...(state.recreates === true ? { recreates: true } : {}),
      });
    case 'write':
      return activities.writeRecord({ link: record, side: step.side, assignments: step.assignments });
    case 'remove':
      return activities.removeRecord({ link: record, side: step.side });
    case 'read':
      return activities.readRecords({ link: record, sides: step.sides });
    case 'confirm':
      return activities.readRecords({
        link: record,
        sides: [step.side],
        ...(step.announced === true ? { announced: true } : {}),
        ...(step.list === true ? { list: true } : {}),
      });
    case 'store':
      return activities.storeLink({ link: record });
  }
}
