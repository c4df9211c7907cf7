import { linkKey } from '../../flows/names.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import type { Snapshot } from '../../connectors/connector.ts';
import { SystemError } from '../../connectors/systemError.ts';
import { codeOf } from './refusal.ts';
import { isPerhapsThere, tellsTriesApart, type Creation, type Sent } from './creation.ts';

/** Clocks aside, a record that an earlier attempt made is not older than this before it was first sent (ms). */
const CREATED_SLACK_MS = 60_000;
/** A CRM keeps an idempotency key for 24 h; trusted a little less (ms). */
const KEY_KEPT_MS = 23 * 3600_000;
/** So often a record is sent without an answer, where a second try cannot be told from a second record. */
const MOST_TRIES = 2;
const READ_TRIES = 3;
const LOOK_APART_MS = 2000;
/** A record that was made and cannot be read: so long it is tried again (ms), since gateways blip. */
const UNREADABLE_MS = 15 * 60_000;
/** A list that cannot be read whole hides what may be ours: after so many attempts a person is asked. */
const MOST_LOOKS = 5;

/** The record that an earlier try has made, or why none may be sent; null where one may be. Never a third time unanswered. */
export async function recoverCreation(creation: Creation): Promise<Sent | null> {
  const { note, planned } = creation;
  if (note?.id !== undefined) return readMade(creation, note.id);
  const found = mustLook(creation) ? await look(creation) : [];
  if ('refusal' in found) return found;
  if (found.length > 1) return ambiguous(creation, found);
  const [only] = found;
  if (only && (planned === undefined || only.id === planned)) return readMade(creation, only.id, only);
  if (planned !== undefined) return refused(creation, 'unplanned', 'the record that the plan found is not there any more');
  const unanswered = note?.tries ?? 0;
  if (tellsTriesApart(creation) || unanswered < MOST_TRIES) return null;
  return refused(
    creation,
    'ambiguous',
    `${unanswered} answers to a create were lost, and no record looks like it: one more could be one too many. Link it by hand, or unlink and relink it to create it anew`,
  );
}

/** A plan names the record; else only what may be there is looked for, where no key tells the system that it is a second try. */
function mustLook(creation: Creation): boolean {
  const { context, link, system, attempt, stored, planned } = creation;
  if (planned !== undefined) return true;
  if (!isPerhapsThere(creation)) return false;
  const { externalId, idempotencyKey } = system.features();
  const isFresh = context.deps.time.now() - attempt.scheduledAt < KEY_KEPT_MS;
  const { note } = creation;
  // What an activity before this one has sent had a key of its own.
  const isOwnKey = note === null || note.revision === link.revision;
  const isKeyKnown = idempotencyKey && isFresh && isOwnKey && (stored?.block ?? link.block)?.code !== 'ambiguous';
  return externalId || !isKeyKnown;
}

async function look(creation: Creation): Promise<readonly Snapshot[] | Extract<Sent, { refusal: unknown }>> {
  const { context, system, attempt, note, lostSince } = creation;
  const { time } = context.deps;
  // What an earlier try made may not be in the list yet.
  if (isPerhapsThere(creation)) await time.sleep(system.lagMs, attempt.signal);
  for (let looks = 1; ; looks++) {
    try {
      return await lookUp(creation, Math.min(note?.since ?? lostSince, lostSince));
    } catch (error) {
      if (!(error instanceof SystemError) || error.failure !== 'malformed' || attempt.number < MOST_LOOKS) throw error;
      const text = `an earlier answer was lost, and the list in which its record may stand cannot be read: ${error.text}`;
      if (looks === READ_TRIES) return refused(creation, 'ambiguous', text);
      // A gateway that blips just now is no list that can never be read.
      await time.sleep(LOOK_APART_MS, attempt.signal);
    }
  }
}

/** Records that may be the link's: by its external id, or by what was sent since then. */
export async function lookUp(
  { context, system, request, options, link, note }: Creation,
  since: number,
): Promise<readonly Snapshot[]> {
  const { type, fields, identity } = request;
  const values = note?.values ?? request.values;
  const { by } = system.clock.estimate;
  const find = (): Promise<readonly Snapshot[]> => {
    // The system filters by its own clock.
    const theirs = since - CREATED_SLACK_MS + system.clock.estimate.lo;
    return system.find({ type, by: { externalId: identity.externalId, values, since: theirs }, fields }, options);
  };
  let found = await find();
  if (system.features().externalId) return withoutFormer(link, found);
  // A worker that has just started knows that clock only since this answer.
  if (by === 'nothing' && system.clock.estimate.by !== by) found = await find();
  // Content alone may be another link's.
  const linked = await context.deps.store.links.byTarget(
    context.flowOf(link).target,
    found.map((each) => each.id),
  );
  const mine = linkKey(link.flow, link.sourceId);
  return withoutFormer(
    link,
    found.filter((each) => (linked.get(each.id)?._id ?? mine) === mine),
  );
}

/** A former target that somebody restored beside the one that took its place was not made by this creation; alone, it will do. */
function withoutFormer({ formerTargets = [] }: LinkRecord, found: readonly Snapshot[]): readonly Snapshot[] {
  const made = found.filter(({ id }) => !formerTargets.includes(id));
  return made.length > 0 ? made : found;
}

/** Several records may be the link's: a person tells which. */
export function ambiguous(creation: Creation, found: readonly Snapshot[]): Promise<Sent> {
  const ids = found.map((each) => each.id).join(', ');
  return refused(
    creation,
    'ambiguous',
    `the answer to a create was lost, and ${found.length} records may be its: ${ids}. Remove all but one, or link by hand, then retry`,
  );
}

/**
 * A record of ours as it stands now. A replica may not have it yet, or it cannot be read; what an answer showed of it serves
 * then. Without such an answer a person is told why it is not linked.
 */
export async function readMade(creation: Creation, id: string, shown?: Snapshot): Promise<Sent> {
  const { context, system, request, options, attempt } = creation;
  const { type, fields } = request;
  for (let tries = 1; ; tries++) {
    try {
      return { record: await system.read({ type, id, fields }, options), found: true };
    } catch (error) {
      if (!(error instanceof SystemError) || error.retryable) throw error;
      const isGone = error.failure === 'gone';
      if (isGone && tries < READ_TRIES) await context.deps.time.sleep(system.lagMs, attempt.signal);
      else if (shown) return { record: shown, found: true };
      else if (isGone && context.deps.time.now() - attempt.scheduledAt < UNREADABLE_MS)
        throw new SystemError(system.name, 'unreachable', { text: error.text, made: id });
      else return refused(creation, codeOf(error), `${type} ${id} was created for it and cannot be read: ${error.text}`);
    }
  }
}

async function refused({ context, link }: Creation, code: string, text: string): Promise<{ readonly refusal: Outcome }> {
  return { refusal: await context.refuse({ link, side: 'target', code, text }) };
}
