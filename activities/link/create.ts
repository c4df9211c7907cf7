import { initialBase, type TargetOrigin } from '../../flows/initialBase.ts';
import { neededFields } from '../../flows/flow.ts';
import { idempotencyKey, linkKey } from '../../flows/names.ts';
import type { Values } from '../../flows/values.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import type { Observation } from '../../workflows/core/state.ts';
import { externalIdOf, isAsSent, observationOf, rulesOf } from '../observation.ts';
import type { Attempt } from '../ports.ts';
import { TargetTaken } from '../../store/links.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Snapshot } from '../../connectors/connector.ts';
import { blamed, codeOf, unplanned, type LinkContext } from './context.ts';
import { findPartner, wakeReferring } from './findPartner.ts';

/** Clocks aside, a record that an earlier attempt made is not older than this before the activity (ms). */
const CREATED_SLACK_MS = 60_000;
/** A link that is blocked over several candidates looks for them so long before the block (ms). */
const AMBIGUOUS_SLACK_MS = 3600_000;
/** A CRM keeps an idempotency key for 24 h; trusted a little less (ms). */
const KEY_KEPT_MS = 23 * 3600_000;

/** Creates the target record, or finds the one that an earlier attempt created. */
export async function createRecord(
  context: LinkContext,
  { link, values, chosen }: { readonly link: LinkRecord; readonly values: Values; readonly chosen?: string },
  attempt: Attempt,
): Promise<Outcome> {
  const { deps, flowOf, connectorOf, readSides, loadStored, replayStored, commit, refuse } = context;
  const { store, time } = deps;
  const flow = flowOf(link);
  const connector = connectorOf(flow, 'target');
  const { type } = flow.target;
  const fields = neededFields(flow, 'target');
  const identity = {
    externalId: externalIdOf(flow, link.sourceId),
    idempotencyKey: idempotencyKey(linkKey(link.flow, link.sourceId), link.incarnation, link.revision),
  };

  // A first try need not ask the store where the system itself refuses a second record.
  const safe = attempt.number === 1 && connector.features().externalId && connector.features().uniqueExternalId !== false;
  const { stored, done, ahead } = safe ? { stored: null, done: false, ahead: false } : await loadStored(link);
  if (ahead) return { kind: 'contended', found: await readSides(link, ['source'], attempt), revision: stored?.revision ?? 0 };
  if (stored && done && (stored.block || stored.targetId !== null)) return replayStored(link, stored, 'target', null);
  const unclear = stored?.block?.code === 'ambiguous' ? stored.block.at - AMBIGUOUS_SLACK_MS : null;
  const maybeMade = attempt.number > 1 || unclear !== null;
  const options = { priority: 'write' as const, signal: attempt.signal, again: maybeMade };
  const since = (unclear ?? attempt.scheduledAt) - CREATED_SLACK_MS;
  const names = [...new Set([...fields, ...Object.keys(values)])];

  const lookUp = async (): Promise<readonly Snapshot[]> => {
    const found = await connector.find({ type, by: { externalId: identity.externalId, values, since }, fields: names }, options);
    if (connector.features().externalId) return found;
    // Content alone may be another link's.
    const linked = await store.links.byTarget(
      type,
      found.map((each) => each.id),
    );
    return found.filter((each) => !linked.has(each.id));
  };

  if (chosen !== undefined) return adoptChosen(chosen);
  const partner = await findPartner(deps, { flow, link, attempt });
  if (partner.kind === 'none') {
    const waits = await refuse({ link, side: 'target', code: partner.code, text: partner.text });
    // What became a partner before the store knew that this link waits has woken nobody.
    const again = await findPartner(deps, { flow, link, attempt });
    if (again.kind !== 'none' || again.text !== partner.text) await deps.links.signalRetry(link);
    return waits;
  }
  const planned = deps.allowance?.linkOf(link.flow, link.sourceId);
  if (partner.kind === 'matched')
    return !deps.allowance || planned === partner.record.id
      ? adopt(partner.record)
      : unplanned(context, { link, side: 'target' });
  if (deps.allowance && planned === undefined && !deps.allowance.create(link.flow, link.sourceId))
    return unplanned(context, { link, side: 'target' });

  let record: Snapshot | undefined;
  let found: readonly Snapshot[] = [];
  /** The system knew the key from long ago, and answered with the record as it was then. */
  let replayed = false;
  // The answer of an earlier attempt may be lost while its record is there: look before a second try, unless the system
  // itself knows the try again by its key.
  const known = connector.features().idempotencyKey && time.now() - attempt.scheduledAt < KEY_KEPT_MS && unclear === null;
  if (planned !== undefined || (maybeMade && (connector.features().externalId || !known))) found = await lookUp();
  if (planned !== undefined && found[0]?.id !== planned) return unplanned(context, { link, side: 'target' });
  if (found.length === 0) {
    try {
      const sentAt = time.now();
      record = await connector.create({ type, values, fields, identity }, options);
      replayed = record.at[1] < sentAt;
    } catch (error) {
      if (!(error instanceof SystemError) || error.retryable) throw error;
      // The external id, or the key with another body, may be taken by a record of our own from before.
      if (connector.features().externalId && (error.failure === 'taken' || error.status === 409 || error.status === 422))
        found = await lookUp();
      // Answered with success, and not to be found: the next try looks for it first, as for one of several.
      if (error.failure === 'unstored') return refuse({ link, side: 'target', code: 'ambiguous', text: error.text });
      if (found.length === 0)
        return refuse({
          link,
          side: 'target',
          code: codeOf(error),
          properties: blamed(error, Object.keys(values)),
          text: error.text,
        });
    }
  }
  if (found.length > 1)
    return refuse({
      link,
      side: 'target',
      code: 'ambiguous',
      text: `the answer to a create was lost, and ${found.length} records may be its: ${found.map((each) => each.id).join(', ')}. Remove all but one, or link by hand, then retry`,
    });
  const mine = record ?? found[0];
  if (!mine) throw new Error('no record was created or found');
  // More than one attempt, or a record from before: what stands there now counts, not what some answer said.
  const wasFound = !record || maybeMade || replayed;
  const direct = wasFound ? await connector.read({ type, id: mine.id, fields: names }, options) : mine;
  const seen = observationOf(flow, 'target', direct);
  // Found after a lost answer: ours as we sent it, or as the system made of it, unless somebody has edited it since.
  const ours = isAsSent(direct, seen, values);
  const adopted = wasFound && !ours;
  const base = baseOf(seen, adopted ? 'adopted' : wasFound ? 'found' : 'made');
  deps.log.info(
    { event: 'created', flow: link.flow, sourceId: link.sourceId, targetId: direct.id, attempt: attempt.number },
    'a record was created',
  );
  return tie(
    { ...link, targetId: direct.id, base, seen: { ...link.seen, target: seen } },
    { kind: 'created', id: direct.id, seen, adopted, ...(wasFound && !adopted ? { found: true } : {}) },
  );

  /** A record that was there already: what either side shows is merged as if both had been edited. */
  async function adopt(existing: Snapshot): Promise<Outcome> {
    const observation = observationOf(flow, 'target', existing);
    deps.log.info(
      { event: 'matched', flow: link.flow, sourceId: link.sourceId, targetId: existing.id },
      'a record was linked with one that matches',
    );
    const next = {
      ...link,
      status: 'linking' as const,
      targetId: existing.id,
      base: baseOf(observation, 'matched'),
      seen: { ...link.seen, target: observation },
    };
    return tie(
      { ...next, last: link.last && { ...link.last, what: `linked with the ${rulesOf(flow).names.target} that matches` } },
      { kind: 'created', id: existing.id, seen: observation, adopted: true, matched: true },
    );
  }

  /** A person said which record it is. */
  async function adoptChosen(id: string): Promise<Outcome> {
    try {
      return await adopt(await connector.read({ type, id, fields: names }, options));
    } catch (error) {
      if (!(error instanceof SystemError) || error.retryable) throw error;
      const text = `${type} ${id} cannot be linked: ${error.text}`;
      return refuse({ link, side: 'target', code: codeOf(error), text });
    }
  }

  function baseOf(observation: Observation, how: TargetOrigin): LinkRecord['base'] {
    return initialBase(flow.properties, { source: link.seen.source?.values ?? {}, target: observation.values }, how);
  }

  async function tie(next: LinkRecord, outcome: Outcome & { kind: 'created' }): Promise<Outcome> {
    try {
      const confirmed = await commit({ link: next, outcome, side: 'target' });
      await wakeReferring(deps, flow, link.sourceId);
      return confirmed;
    } catch (error) {
      if (!(error instanceof TargetTaken)) throw error;
      return refuse({
        link: { ...link, targetId: null },
        side: 'target',
        code: 'taken',
        text: `${type} ${outcome.id} is linked to another record already`,
      });
    }
  }
}
