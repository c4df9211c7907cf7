import { actInWords } from './acts.ts';
import type { FlowPlan } from './flowPlan.ts';
import type { Schedule } from './schedule.ts';

/** A schedule as a story for people. */
export function story(schedule: Schedule): string {
  const { source, target, flows, later } = schedule;
  const plan = (each: FlowPlan): string => JSON.stringify(each);
  return [
    `seed ${schedule.seed}, faults ${schedule.faults}, crashes ${schedule.crashes}, roll-overs ${schedule.rollOvers}, ${schedule.sites} sites${schedule.sites > 1 && schedule.sharedCrm ? ' on one CRM' : ''}, workers' clocks ${schedule.skews.join(' and ')} ms off`,
    `source: ${JSON.stringify(source)}`,
    `target: ${JSON.stringify(target)}`,
    ...flows.map((each) => `flow: ${plan(each)}`),
    ...(later ?? []).map((each) => `later: ${plan(each)}`),
    ...schedule.acts.map((act) => `${(act.at / 1000).toFixed(3).padStart(7)} s ${actInWords(act)}`),
  ].join('\n');
}
