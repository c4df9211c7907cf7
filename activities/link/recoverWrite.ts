import { SIDES } from '../../flows/side.ts';
import { sameValue } from '../../flows/values.ts';
import type { Found, Outcome } from '../../workflows/core/outcome.ts';
import type { Observation } from '../../workflows/core/state.ts';
import type { ConditionProbe, Snapshot } from '../../connectors/connector.ts';
import { SystemError } from '../../connectors/systemError.ts';
import { observationOf } from '../observation.ts';
import { changesTo, finishWrite } from './finishWrite.ts';
import { FLOW_PAUSED } from './refusal.ts';
import { refuseWrite, type PlannedWrite, type SendWrite } from './plannedWrite.ts';

/** What a write that was refused comes to. */
export async function recoverWrite(write: PlannedWrite, send: SendWrite, refusal: SystemError): Promise<Outcome> {
  const { context, link, side, attempt } = write;
  // It was written, and what it overwrote will not be seen again. Where it shows the old value somebody may have set it
  // back: then it was written and overwritten, or never.
  const unanswered = refusal.failure === 'unstored';
  const changes = changesTo(write, (each) => each.value);
  if (refusal.stands) await context.remember({ link, side, changes, attempt, unanswered });
  if (refusal.failure === 'gone') return { kind: 'read', found: { [side]: await context.missed(link, { side, attempt }) } };
  if (refusal.failure === 'contended') return contended(write, send, refusal);
  const refused = await refuseWrite(write, refusal);
  return refusal.stands ? { ...refused, unanswered: true } : refused;
}

/** A condition did not hold, or may not have: wait out the lag, read both sides, let the link merge again. */
async function contended(write: PlannedWrite, send: SendWrite, refusal: SystemError): Promise<Outcome> {
  const { context, assignments, flow, system, attempt } = write;
  const { found, now } = await readAfter(write, context.lag(flow));
  if (!now) return { kind: 'contended', found };
  // The value that an earlier attempt sent: its answer was lost, its effect was not. What a system made of that value
  // cannot be told from a person's edit, and counts as one: a conflict, in which nothing is lost.
  const ours = assignments.every((each) => sameValue(each.value, now.values[each.property]));
  if (attempt.number > 1 && ours) return finishWrite(write, now);
  const probe = system.conditionProbe;
  if (!probe?.isDoubtful(refusal) || !isAsExpected(write, now)) return { kind: 'contended', found };

  // Everything looks as expected and yet it was refused: a stale replica, another rule, or no condition at all.
  const later = await readAfter(write, probe.readsApartMs);
  if (!later.now || !isAsExpected(write, later.now)) return { kind: 'contended', found: later.found };
  // So much later what people have said since counts.
  if (await context.isPaused(write.link, { fresh: true })) return FLOW_PAUSED;
  const sent = await sendAgain(write, send, probe);
  return sent instanceof SystemError ? refuseWrite(write, sent) : finishWrite(write, sent);
}

async function readAfter(
  { context, link, side, attempt }: PlannedWrite,
  ms: number,
): Promise<{ readonly found: Partial<Record<typeof side, Found>>; readonly now: Observation | null }> {
  await context.deps.time.sleep(ms, attempt.signal);
  const found = await context.readSides(link, { sides: SIDES, attempt });
  const now = found[side];
  return { found, now: now === undefined || typeof now === 'string' ? null : now };
}

/** Whether a record holds what this write expects; as the conditions have it: null is not the empty string. */
function isAsExpected({ assignments }: PlannedWrite, now: Observation): boolean {
  return (
    now.inScope &&
    assignments.every((each) => JSON.stringify(each.expected) === JSON.stringify(now.values[each.property] ?? null))
  );
}

/** Once more on the condition, then without one where the system may know none; else its last refusal. */
async function sendAgain(
  { context, side, flow, system }: PlannedWrite,
  send: SendWrite,
  probe: ConditionProbe,
): Promise<Observation | SystemError> {
  const again = await orRefusal(send(false));
  if (!(again instanceof SystemError)) return observationOf(flow, side, again);
  if (!probe.isOpen()) return again;
  const answer = await orRefusal(send(true));
  if (answer instanceof SystemError) return answer;
  await probe.settleMissing();
  context.deps.log.warn({ event: 'capability', system: system.name, conditional: 'none' }, probe.warning);
  return observationOf(flow, side, answer);
}

const orRefusal = (sent: Promise<Snapshot>): Promise<Snapshot | SystemError> =>
  sent.catch((error: unknown) => {
    if (error instanceof SystemError && !error.retryable) return error;
    throw error;
  });
