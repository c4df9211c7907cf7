import { initialBase, type TargetOrigin } from '../../flows/initialBase.ts';
import { neededFields } from '../../flows/flow.ts';
import { linkKey } from '../../flows/names.ts';
import type { LinkActivities, LinkRecord } from '../../workflows/contract.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import type { Observation } from '../../workflows/core/state.ts';
import { isAsSent, observationOf, rulesOf } from '../observation.ts';
import type { Attempt } from '../ports.ts';
import { TargetTaken } from '../../store/links.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Snapshot } from '../../connectors/connector.ts';
import { codeOf, unplanned, type LinkContext } from './context.ts';
import { findPartner, wakeReferring } from './findPartner.ts';
import { findOrSend } from './sendNew.ts';

/** A link that is blocked over several candidates looks for them so long before the block (ms). */
const AMBIGUOUS_SLACK_MS = 3600_000;
/** Creates the target record, or finds the one that an earlier attempt created. */
export async function createRecord(
  context: LinkContext,
  { link, values, chosen, recreates }: Parameters<LinkActivities['createRecord']>[0],
  attempt: Attempt,
): Promise<Outcome> {
  const { deps, flowOf, connectorOf, readSides, loadStored, replayStored, commit, refuse, guarded } = context;
  const flow = flowOf(link);
  const connector = connectorOf(flow, 'target');
  const { type } = flow.target;
  const fields = neededFields(flow, 'target');
  const identity = {
    externalId: deps.installation.externalId(flow, link.sourceId),
    idempotencyKey: deps.installation.idempotencyKey(linkKey(link.flow, link.sourceId), link.incarnation, link.revision),
  };

  // A first try need not ask the store where the system itself refuses a second record.
  const safe = attempt.number === 1 && connector.features().externalId && connector.features().uniqueExternalId !== false;
  const { stored, done, ahead } = safe ? { stored: null, done: false, ahead: false } : await loadStored(link);
  if (ahead)
    return { kind: 'contended', found: await readSides(link, { sides: ['source'], attempt }), revision: stored?.revision ?? 0 };
  if (stored && done && (stored.block || stored.targetId !== null)) {
    // The attempt that linked it may have died before it told those who wait.
    if (stored.targetId !== null) await wakeReferring(deps, flow, link.sourceId);
    return replayStored(link, stored, { side: 'target' });
  }
  const unclear = stored?.block?.code === 'ambiguous' ? stored.block.at - AMBIGUOUS_SLACK_MS : null;
  const lost = attempt.number > 1 || unclear !== null;
  const options = { priority: 'write' as const, signal: attempt.signal, again: lost };
  const names = [...new Set([...fields, ...Object.keys(values)])];

  if (recreates === true) {
    const held = await guarded({ link, side: 'target', change: 'recreate' });
    if (held) return held;
  }
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

  const sent = await findOrSend({
    context,
    link: stored?.block ? { ...link, block: stored.block } : link,
    flow,
    system: connector,
    request: { type, values, fields: names, identity },
    values,
    attempt,
    options,
    stored,
    lost,
    lostSince: unclear ?? attempt.scheduledAt,
    planned,
  });
  if ('refusal' in sent) return sent.refusal;
  const { record: direct, found: wasFound } = sent;
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
