import { linkKey } from '../../flows/names.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import type { Flow } from '../../flows/flow.ts';
import type { Values } from '../../flows/values.ts';
import type { Attempt } from '../ports.ts';
import type { CreationNote, LinkDocument } from '../../store/documents.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { CallOptions, Connector, CreateRequest, Snapshot } from '../../connectors/connector.ts';
import { blamed, codeOf, type LinkContext } from './context.ts';

/** Clocks aside, a record that an earlier attempt made is not older than this before it was first sent (ms). */
const CREATED_SLACK_MS = 60_000;
/** A CRM keeps an idempotency key for 24 h; trusted a little less (ms). */
const KEY_KEPT_MS = 23 * 3600_000;
/** "Too many requests" commits nothing: so long it is waited out in place (ms). */
const THROTTLED_MS = 60_000;
/** So often a record is sent without an answer, where a second try cannot be told from a second record. */
const MOST_TRIES = 2;
const READ_TRIES = 3;
/** A record that was made and cannot be read: so long it is tried again (ms), since gateways blip. */
const UNREADABLE_MS = 15 * 60_000;
/** Between the note that a record is sent and its sending no worker at work takes so long: one that slept was given up (ms). */
const ASLEEP_MS = 5000;
/** A list that cannot be read whole hides what may be ours: after so many attempts a person is asked. */
const MOST_LOOKS = 5;

/** All that is known as a target record is created. */
export interface Creation {
  readonly context: LinkContext;
  readonly link: LinkRecord;
  readonly flow: Flow;
  readonly system: Connector;
  readonly request: CreateRequest;
  readonly values: Values;
  readonly attempt: Attempt;
  readonly options: CallOptions;
  readonly stored: LinkDocument | null;
  /** An earlier answer may be lost while its record is there; since when it may be (ms). */
  readonly lost: boolean;
  readonly lostSince: number;
  /** The record that the plan has found there. */
  readonly planned: string | undefined;
}

/** The record, made just now or found; or why there is none. */
export type Sent = { readonly record: Snapshot; readonly found: boolean } | { readonly refusal: Outcome };

const noteOf = ({ stored, link }: Creation): CreationNote | null =>
  stored?.creation?.incarnation === link.incarnation ? stored.creation : null;

/** Whether the system itself refuses, or recognises, a second try. */
const tellsTriesApart = ({ system }: Creation): boolean => {
  const { externalId, uniqueExternalId, idempotencyKey } = system.features();
  return idempotencyKey || (externalId && uniqueExternalId !== false);
};

/** Looks for the record that an earlier try may have made, and sends it where there is none. Never a third time unanswered. */
export async function findOrSend(creation: Creation): Promise<Sent> {
  const { context, link, system, attempt, lost, lostSince, planned } = creation;
  const { time } = context.deps;
  const note = noteOf(creation);
  if (note?.id !== undefined) return readMade(creation, note.id);
  const unanswered = note?.tries ?? 0;
  const maybeThere = lost || unanswered > 0;
  const { externalId, idempotencyKey } = system.features();
  const known = idempotencyKey && time.now() - attempt.scheduledAt < KEY_KEPT_MS && link.block?.code !== 'ambiguous';
  let found: readonly Snapshot[] = [];
  if (planned !== undefined || (maybeThere && (externalId || !known))) {
    // What an earlier try made may not be in the list yet.
    if (maybeThere) await time.sleep(system.lagMs, attempt.signal);
    try {
      found = await lookUp(creation, Math.min(note?.since ?? lostSince, lostSince));
    } catch (error) {
      if (!(error instanceof SystemError) || error.failure !== 'malformed' || attempt.number < MOST_LOOKS) throw error;
      const text = `an earlier answer was lost, and the list in which its record may stand cannot be read: ${error.text}`;
      return { refusal: await context.refuse({ link, side: 'target', code: 'ambiguous', text }) };
    }
  }
  if (found.length > 1) return ambiguous(creation, found);
  if (found[0]) return planned === undefined || found[0].id === planned ? readMade(creation, found[0].id, found[0]) : notThere();
  if (planned !== undefined) return notThere();
  if (!tellsTriesApart(creation) && unanswered >= MOST_TRIES)
    return {
      refusal: await context.refuse({
        link,
        side: 'target',
        code: 'ambiguous',
        text: `${unanswered} answers to a create were lost, and no record looks like it: one more could be one too many. Link it by hand, or unlink and relink it to create it anew`,
      }),
    };
  return send(creation, { incarnation: link.incarnation, tries: unanswered, since: note?.since ?? time.now() });

  function notThere(): Promise<Sent> {
    return context
      .refuse({ link, side: 'target', code: 'unplanned', text: 'the record that the plan found is not there any more' })
      .then((refusal) => ({ refusal }));
  }
}

async function lookUp(
  { context, system, request, values, options, link }: Creation,
  since: number,
): Promise<readonly Snapshot[]> {
  const { type, fields, identity } = request;
  // The system filters by its own clock.
  const theirs = since - CREATED_SLACK_MS + system.clock.estimate.lo;
  const found = await system.find({ type, by: { externalId: identity.externalId, values, since: theirs }, fields }, options);
  if (system.features().externalId) return found;
  // Content alone may be another link's.
  const linked = await context.deps.store.links.byTarget(
    context.flowOf(link).target,
    found.map((each) => each.id),
  );
  const mine = linkKey(link.flow, link.sourceId);
  return found.filter((each) => (linked.get(each.id)?._id ?? mine) === mine);
}

async function ambiguous({ context, link }: Creation, found: readonly Snapshot[]): Promise<Sent> {
  const text = `the answer to a create was lost, and ${found.length} records may be its: ${found.map((each) => each.id).join(', ')}. Remove all but one, or link by hand, then retry`;
  return { refusal: await context.refuse({ link, side: 'target', code: 'ambiguous', text }) };
}

/** A record of ours as it stands now. A replica may not have it yet; what an answer showed of it serves then. */
async function readMade(
  { context, link, system, request, options, attempt }: Creation,
  id: string,
  shown?: Snapshot,
): Promise<Sent> {
  const { type, fields } = request;
  for (let tries = 1; ; tries++) {
    try {
      return { record: await system.read({ type, id, fields }, options), found: true };
    } catch (error) {
      if (!(error instanceof SystemError) || error.failure !== 'gone') throw error;
      if (tries < READ_TRIES) await context.deps.time.sleep(system.lagMs, attempt.signal);
      else if (shown) return { record: shown, found: true };
      else if (context.deps.time.now() - attempt.scheduledAt < UNREADABLE_MS)
        throw new SystemError(system.name, 'unreachable', { text: error.text, made: id });
      else {
        const text = `${type} ${id} was created for it and cannot be read: ${error.text}`;
        return { refusal: await context.refuse({ link, side: 'target', code: codeOf(error), text }) };
      }
    }
  }
}

async function send(creation: Creation, note: CreationNote): Promise<Sent> {
  const { context, link, flow, system, request, options, attempt, stored, lost, lostSince, values } = creation;
  const { store, time } = context.deps;
  const key = linkKey(link.flow, link.sourceId);
  const noted = !tellsTriesApart(creation);
  if (noted) await store.links.discover([link], flow);
  const began = time.now();
  const sent = { ...note, tries: note.tries + 1 };
  let known = stored?.creation ?? null;
  for (;;) {
    const sentAt = time.now();
    // Attempts that were thought dead may wake up together, and none of them sees what another sends.
    if (noted && !(await store.links.noteCreation(key, sent, known))) throw overtaken();
    // Another attempt has taken over meanwhile, and may have sent it.
    if (time.now() - sentAt > ASLEEP_MS) throw new SystemError(system.name, 'unreachable', 'the worker was asleep');
    try {
      const record = await system.create(request, options);
      // The system may know the key from long ago, and answer with the record as it was then.
      const replayed = record.at[1] < sentAt || (lost && system.features().idempotencyKey);
      if (!replayed) return { record, found: false };
      // Its id is kept before anything else is asked for.
      await store.links.noteCreation(key, { ...note, id: record.id });
      return await readMade(creation, record.id, record);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      if (error.made !== null) {
        await store.links.discover([link], flow);
        await store.links.noteCreation(key, { ...note, id: error.made });
      }
      if (error.stands) return refused(error);
      const throttled = error.failure === 'throttled';
      const mayStand = error.retryable ? !throttled : error.failure === 'unstored';
      if (noted && !mayStand) {
        if (!(await store.links.noteCreation(key, note, sent)) && throttled) throw overtaken();
        known = note;
      }
      const wait = error.retryAfterMs ?? 1000;
      if (!throttled || time.now() - began + wait > THROTTLED_MS) return refused(error);
      await time.sleep(wait, attempt.signal);
    }
  }

  function overtaken(): SystemError {
    return new SystemError(system.name, 'unreachable', 'another attempt is sending it');
  }

  async function refused(error: SystemError): Promise<Sent> {
    if (error.retryable) throw error;
    // The external id, or the key with another body, may be taken by a record of our own from before.
    if (system.features().externalId && (error.failure === 'taken' || error.status === 409 || error.status === 422)) {
      await time.sleep(system.lagMs, attempt.signal);
      const found = await lookUp(creation, lostSince);
      if (found.length > 1) return ambiguous(creation, found);
      if (found[0]) return readMade(creation, found[0].id, found[0]);
    }
    // Answered with success, and not to be found: the next try looks for it first, as for one of several.
    const [code, properties] =
      error.failure === 'unstored' ? ['ambiguous', []] : [codeOf(error), blamed(error, Object.keys(values))];
    return { refusal: await context.refuse({ link, side: 'target', code, properties, text: error.text }) };
  }
}
