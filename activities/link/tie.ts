import { initialBase, type TargetOrigin } from '../../flows/initialBase.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import type { Observation } from '../../workflows/core/state.ts';
import type { Snapshot } from '../../connectors/connector.ts';
import { SystemError } from '../../connectors/systemError.ts';
import { TargetTaken } from '../../store/links.ts';
import { isAsSent, observationOf, rulesOf } from '../observation.ts';
import { codeOf } from './refusal.ts';
import type { Creation, Made } from './creation.ts';
import { wakeReferring } from './wakeReferring.ts';

/** Ties the link to the record that was made for it, just now or by an earlier try. */
export async function tieMade(creation: Creation, { record, found, answer }: Made): Promise<Outcome> {
  const { context, link, flow, attempt, request, note } = creation;
  const seen = observationOf(flow, 'target', record);
  const answered = answer && observationOf(flow, 'target', answer);
  // Found after a lost answer: ours as we sent it, or as the system made of it, unless somebody has edited it since. What the
  // system made of it a repeated answer tells.
  const isOurs = [request.values, note?.values ?? request.values].some((values) => isAsSent(record, seen, values));
  const adopted = found && !answered && !isOurs;
  const base = baseOf(creation, answered ?? seen, adopted ? 'adopted' : found ? 'found' : 'made');
  context.deps.log.info(
    { event: 'created', flow: link.flow, sourceId: link.sourceId, targetId: record.id, attempt: attempt.number },
    'a record was created',
  );
  return tie(
    creation,
    { ...link, targetId: record.id, base, seen: { ...link.seen, target: seen } },
    {
      kind: 'created',
      id: record.id,
      seen,
      ...(answered ? { base: answered.values } : {}),
      adopted,
      ...(found && !adopted ? { found: true } : {}),
    },
  );
}

/** Ties the link to a record that was there already: what either side shows is merged as if both had been edited. */
export async function adopt(creation: Creation, existing: Snapshot): Promise<Outcome> {
  const { context, link, flow } = creation;
  const observation = observationOf(flow, 'target', existing);
  context.deps.log.info(
    { event: 'matched', flow: link.flow, sourceId: link.sourceId, targetId: existing.id },
    'a record was linked with one that matches',
  );
  const next = {
    ...link,
    status: 'linking' as const,
    targetId: existing.id,
    base: baseOf(creation, observation, 'matched'),
    seen: { ...link.seen, target: observation },
  };
  return tie(
    creation,
    { ...next, last: link.last && { ...link.last, what: `linked with the ${rulesOf(flow).names.target} that matches` } },
    { kind: 'created', id: existing.id, seen: observation, adopted: true, matched: true },
  );
}

/** Ties the link to the record that a person has named. */
export async function adoptChosen(creation: Creation, id: string): Promise<Outcome> {
  const { context, link, system, options } = creation;
  const { type, fields } = creation.request;
  try {
    return await adopt(creation, await system.read({ type, id, fields }, options));
  } catch (error) {
    if (!(error instanceof SystemError) || error.retryable) throw error;
    const text = `${type} ${id} cannot be linked: ${error.text}`;
    return context.refuse({ link, side: 'target', code: codeOf(error), text });
  }
}

function baseOf({ link, flow }: Creation, observation: Observation, how: TargetOrigin): LinkRecord['base'] {
  return initialBase(flow.properties, { source: link.seen.source?.values ?? {}, target: observation.values }, how);
}

async function tie(
  { context, link, flow, request }: Creation,
  next: LinkRecord,
  outcome: Outcome & { kind: 'created' },
): Promise<Outcome> {
  try {
    const confirmed = await context.commit({ link: next, outcome, side: 'target' });
    await wakeReferring(context.deps, flow, link.sourceId);
    return confirmed;
  } catch (error) {
    if (!(error instanceof TargetTaken)) throw error;
    const text = `${request.type} ${outcome.id} is linked to another record already`;
    return context.refuse({ link: { ...link, targetId: null }, side: 'target', code: 'taken', text });
  }
}
