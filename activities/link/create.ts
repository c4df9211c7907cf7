import { linkKey } from '../../flows/names.ts';
import type { LinkActivities, LinkRecord } from '../../workflows/contract.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import type { LinkDocument } from '../../store/documents.ts';
import { hasProperties } from '../observation.ts';
import type { Attempt } from '../ports.ts';
import { unplanned, type LinkContext } from './context.ts';
import { creationOf, type Creation } from './creation.ts';
import { findPartner, type NoPartner } from './findPartner.ts';
import { recoverCreation } from './recoverCreation.ts';
import { FLOW_PAUSED } from './refusal.ts';
import { sendNew } from './sendNew.ts';
import { adopt, adoptChosen, tieMade } from './tie.ts';
import { wakeReferring } from './wakeReferring.ts';

/** Gives a link its target: replays what is stored, finds the partner, recovers what an earlier try made, or sends a new one. */
export async function createRecord(
  context: LinkContext,
  { link, values, chosen, recreates }: Parameters<LinkActivities['createRecord']>[0],
  attempt: Attempt,
): Promise<Outcome> {
  const earlier = await replay(context, link, attempt);
  if ('outcome' in earlier) return earlier.outcome;
  const creation = creationOf(context, { link, values, stored: earlier.stored }, attempt);
  const keepUnanswered = (): Promise<void> => noteUnanswered(context, { link, values }, attempt);
  // Planned by a worker whose flow has more properties: the link goes on by the rules of this one.
  if (!hasProperties(creation.flow, 'target', Object.keys(values))) {
    await keepUnanswered();
    return { kind: 'read', found: {} };
  }
  if (recreates === true) {
    const held = await context.guarded({ link, side: 'target', change: 'recreate' });
    if (held) {
      await keepUnanswered();
      return held;
    }
  }
  if (chosen !== undefined) return adoptChosen(creation, chosen);
  const partner = await findPartner(creation);
  if (partner.kind === 'none' || partner.kind === 'missed') {
    await keepUnanswered();
    return partner.kind === 'none' ? waitForPartner(creation, partner) : { kind: 'read', found: { source: partner.found } };
  }
  const matched = partner.kind === 'matched' ? partner.record : null;
  if (!isPlanned(creation, matched?.id ?? null)) {
    await keepUnanswered();
    return unplanned(context, { link, side: 'target' });
  }
  if (matched) return adopt(creation, matched);
  const sent = (await recoverCreation(creation)) ?? (await sendNew(creation));
  if (!('refusal' in sent)) return tieMade(creation, sent);
  if (sent.refusal === FLOW_PAUSED) await keepUnanswered();
  return sent.refusal;
}

/**
 * An attempt that is held back before it has looked for what those before it have made: whoever creates the record later,
 * in an activity of its own and under another key, is told that one of them may have sent it.
 */
export async function noteUnanswered(
  context: LinkContext,
  { link, values }: Pick<Parameters<LinkActivities['createRecord']>[0], 'link' | 'values'>,
  attempt: Attempt,
): Promise<void> {
  if (attempt.number === 1) return;
  const { links } = context.deps.store;
  await links.discover([link], await context.endsOf(link));
  const { stored } = await context.loadStored(link);
  if (stored?.creation?.incarnation === link.incarnation) return;
  const note = { incarnation: link.incarnation, tries: 1, since: attempt.scheduledAt, values };
  await links.noteCreation(linkKey(link.flow, link.sourceId), note, stored?.creation ?? null);
}

/** What another attempt has done already; else what the store says of the link. */
async function replay(
  context: LinkContext,
  link: LinkRecord,
  attempt: Attempt,
): Promise<{ readonly outcome: Outcome } | { readonly stored: LinkDocument | null }> {
  const { deps, flowOf, connectorOf, readSides, loadStored, replayStored } = context;
  const flow = flowOf(link);
  const { externalId, uniqueExternalId } = connectorOf(flow, 'target').features();
  // The very first try need not ask the store where the system itself refuses a second record.
  if (attempt.number === 1 && link.revision === 1 && externalId && uniqueExternalId !== false) return { stored: null };
  const { stored, done, ahead } = await loadStored(link);
  if (ahead) {
    const found = await readSides(link, { sides: ['source'], attempt });
    return { outcome: { kind: 'contended', found, revision: stored?.revision ?? 0 } };
  }
  if (!stored || !done || (!stored.block && stored.targetId === null)) return { stored };
  // The attempt that linked it may have died before it told those who wait.
  if (stored.targetId !== null) await wakeReferring(deps, flow, link.sourceId);
  return { outcome: replayStored(link, stored, { side: 'target' }) };
}

async function waitForPartner({ context, link, flow, attempt }: Creation, { code, text }: NoPartner): Promise<Outcome> {
  const waits = await context.refuse({ link, side: 'target', code, text });
  // What became a partner before the store knew that this link waits has woken nobody.
  const again = await findPartner({ context, link, flow, attempt });
  if (again.kind !== 'none' || again.text !== text) await context.deps.links.signalRetry(link);
  return waits;
}

/** Whether the plan that this start keeps to, if any, has this link with that record; null for a new one. */
function isPlanned({ context, link, planned }: Creation, matched: string | null): boolean {
  const { allowance } = context.deps;
  if (!allowance) return true;
  return matched === null ? planned !== undefined || allowance.create(link.flow, link.sourceId) : planned === matched;
}
