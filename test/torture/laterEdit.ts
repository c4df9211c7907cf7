import { isNoValue } from '../../flows/values.ts';
import { PAIRS, type FlowPlan } from './flowPlan.ts';
import type { Deed } from './modelRecord.ts';
import type { ModelSystem } from './modelSystem.ts';
import { alike, type Aftermath } from './aftermath.ts';

/** More than a Date header's second, a poll's reading and two workers' clocks can blur (ms). */
const CLEARLY_APART_MS = 2000;
const CALM_BEFORE_MS = 10_000;
/** What makes a schedule one in which the later edit need not win. */
const UNRULY: readonly string[] = ['crash', 'freeze', 'scope', 'delete', 'clock', 'blip', 'outage', 'rules', 'vip', 'twin'];

/** Whatever the clocks say: of two edits clearly apart, the later one stands in the end. */
export function wrongWinner(
  after: Aftermath,
  { plan, sourceId, targetId, i }: { plan: FlowPlan; sourceId: string; targetId: string | null; i: number },
): string | null {
  const { schedule, site } = after;
  const { source, target } = site;
  const calm =
    plan.policy === 'latest' &&
    schedule.faults === 0 &&
    schedule.crashes === 0 &&
    Math.max(...schedule.skews) - Math.min(...schedule.skews) <= 400 &&
    !schedule.acts.some((act) => UNRULY.includes(act.do));
  // Without a condition, an edit that the replica does not show yet can be overwritten unseen.
  const unseen = [schedule.source, schedule.target].some(({ conditional, lagMs }) => conditional === 'none' && lagMs > 0);
  if (!calm || unseen || !schedule.source.testWorks || targetId === null) return null;
  const { source: mineIn, target: theirsIn } = PAIRS[i] ?? PAIRS[0];
  const edits = (system: ModelSystem, id: string, property: string): Deed[] =>
    system.deeds.filter((deed) => deed.by === 'person' && deed.kind === 'edit' && deed.id === id && deed.property === property);
  const [mine, theirs] = [edits(source, sourceId, mineIn), edits(target, targetId, theirsIn)];
  const all = [...source.deeds.filter((deed) => deed.id === sourceId), ...target.deeds.filter((deed) => deed.id === targetId)];
  const refusable = ({ kind, after: value, property }: Deed): boolean =>
    kind === 'edit' &&
    PAIRS.some((pair) => pair.source === property || pair.target === property) &&
    ((isNoValue(value) && property !== 'Role') || (typeof value === 'string' && /[!?]/.test(value)));
  if (all.some(refusable)) return null;
  // Between the read and a write without a condition a moment is left, in which an edit is overwritten unseen.
  if (all.some((deed) => deed.by === 'tandem' && deed.blind)) return null;
  const [a, b] = [mine.at(-1), theirs.at(-1)];
  if (!a || !b || Math.abs(a.at - b.at) < CLEARLY_APART_MS + Math.max(...schedule.skews.map(Math.abs))) return null;
  // A record has one stamp: another edit of it, or our write that carries one, lends its instant to this property.
  const since = Math.min(a.at, b.at) - CALM_BEFORE_MS;
  if (all.some((deed) => deed.by === 'person' && deed !== a && deed !== b && deed.at > since)) return null;
  const last = a.at > b.at ? a : b;
  const stands = source.rows.get(sourceId)?.fields[mineIn];
  return alike(stands, last.after, after)
    ? null
    : `${sourceId}.${mineIn} is ${JSON.stringify(stands)}, although ${JSON.stringify(last.after)} was edited last`;
}
