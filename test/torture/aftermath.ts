import type { Schedule } from './schedule.ts';
import type { People } from './people.ts';
import type { Site } from './site.ts';
import type { LinkRun } from './temporal.ts';
import type { LinkDocument } from '../../store/documents.ts';
import { sameValue, type Value } from '../../flows/values.ts';
import type { Side } from '../../flows/side.ts';
import type { FlowPlan } from './flowPlan.ts';
import { tidied, type ModelRecord, type Nature } from './modelRecord.ts';
import type { ModelSystem } from './modelSystem.ts';

/** Everything that a schedule left behind at one site, for the promises to be checked against. */
export interface Aftermath {
  readonly schedule: Schedule;
  readonly site: Site;
  readonly sites: readonly Site[];
  readonly people: People;
  /** What happened after everything had settled: should be nothing. */
  readonly restless: { readonly writes: number; readonly signals: number; readonly steps: number };
}

/** A promise that was broken, and how. */
export type Say = (promise: string, what: string) => void;

/** One source record of a flow, and what became of it. */
export interface Pair {
  readonly plan: FlowPlan;
  readonly sourceId: string;
  readonly row: ModelRecord | undefined;
  readonly link: LinkRun;
  readonly stored: LinkDocument;
  readonly targetId: string | null;
  readonly other: ModelRecord | undefined;
}

export const systemOf = ({ site }: Pick<Aftermath, 'site'>, side: Side): ModelSystem =>
  side === 'source' ? site.source : site.target;

const ENDS_WORKERS: readonly string[] = ['crash', 'freeze'];

/** Whether answers are lost: what an attempt did before it fell silent nobody can tell. */
export const isTroubled = ({ schedule }: Pick<Aftermath, 'schedule'>): boolean =>
  schedule.faults > 0 || schedule.crashes > 0 || schedule.acts.some(({ do: what }) => ENDS_WORKERS.includes(what));

const forms = (value: Value, natures: readonly Nature[]): Value[] => {
  let all = [value];
  for (let i = 0; i < 2; i++) all = all.flatMap((each) => [each, ...natures.map((nature) => tidied(nature, each))]);
  return all;
};

/** Whether two values are one, apart from what either system makes of text. */
export function alike(a: Value | undefined, b: Value | undefined, { schedule }: Pick<Aftermath, 'schedule'>): boolean {
  if (sameValue(a, b)) return true;
  const natures = [schedule.source, schedule.target];
  const others = forms(b ?? null, natures);
  return forms(a ?? null, natures).some((one) => others.some((other) => sameValue(one, other)));
}
