import { linkKey } from '../../flows/names.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { CreationNote } from '../../store/documents.ts';
import { assertAwake } from './assertAwake.ts';
import { blamed, codeOf, FLOW_PAUSED } from './refusal.ts';
import { hasUniqueName, isPerhapsThere, type Creation, type Sent } from './creation.ts';
import { ambiguous, lookUp, readMade } from './recoverCreation.ts';

/** "Too many requests" commits nothing: so long it is waited out in place (ms). */
const THROTTLED_MS = 60_000;
/** Clocks aside, the answer to what a step sends shows no record from longer before that step (ms). */
const CLOCKS_APART_MS = 60_000;

/** A try as the store has it: what it holds before, and while the answer is not known. */
interface NotedTry {
  readonly before: CreationNote | null;
  readonly sent: CreationNote;
  /** What it holds again where the try has made none. */
  readonly unsent: CreationNote;
}

/** Sends the record. Where a later try could be a second record, each is noted before it goes out. */
export async function sendNew(creation: Creation): Promise<Sent> {
  const { context, link, flow, attempt, stored } = creation;
  const { store, time } = context.deps;
  const unsent = creation.note ?? { incarnation: link.incarnation, tries: 0, since: time.now() };
  const sent = { ...unsent, tries: unsent.tries + 1, values: creation.request.values, revision: link.revision };
  if (!hasUniqueName(creation)) await store.links.discover([link], flow);
  const began = time.now();
  for (let before = stored?.creation ?? null; ; before = unsent) {
    const noted = { before, sent, unsent };
    try {
      return await sendOnce(creation, noted);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      await noteFailed(creation, noted, error);
      const wait = error.retryAfterMs ?? 1000;
      if (error.stands || error.failure !== 'throttled' || time.now() - began + wait > THROTTLED_MS)
        return recoverRefused(creation, error);
      await time.sleep(wait, attempt.signal);
      // Seconds later it may be paused.
      if (await context.isPaused(link, { fresh: true })) return { refusal: FLOW_PAUSED };
    }
  }
}

async function sendOnce(creation: Creation, { before, sent, unsent }: NotedTry): Promise<Sent> {
  const { context, link, flow, system, request, options, lost, attempt } = creation;
  const { store, time } = context.deps;
  const key = linkKey(link.flow, link.sourceId);
  const sentAt = time.now();
  // Attempts that were thought dead may wake up together, and none of them sees what another sends.
  if (!hasUniqueName(creation) && !(await store.links.noteCreation(key, sent, before))) throw overtaken(creation);
  assertAwake(attempt, system);
  const record = await system.create(request, options);
  const { externalId, idempotencyKey } = system.features();
  // By the key of an earlier try, or its external id, the system may know it and answer with the record as it was then; else
  // it made one, however old a clock that was set back calls it.
  const isKnown = externalId || (idempotencyKey && isPerhapsThere(creation));
  const replayed = isKnown && (record.at[1] < sentAt || (lost && idempotencyKey));
  if (!replayed) return { record, found: false };
  // Its id is kept before anything else is asked for; the store may not know the link yet.
  await store.links.discover([link], flow);
  await store.links.noteCreation(key, { ...unsent, id: record.id });
  const made = await readMade(creation, record.id, record);
  // Whichever try of this step made it, this is the answer to what is sent; one from long before may be another's.
  const answers = record.at[1] >= attempt.scheduledAt - CLOCKS_APART_MS && record.readBack !== true;
  return answers && !('refusal' in made) ? { ...made, answer: record } : made;
}

/** Keeps what a failed try tells: the id of a record that it made all the same, or that it has made none. */
async function noteFailed(creation: Creation, { sent, unsent }: NotedTry, error: SystemError): Promise<void> {
  const { context, link, flow } = creation;
  const { links } = context.deps.store;
  const key = linkKey(link.flow, link.sourceId);
  if (error.made !== null || (error.failure === 'unstored' && hasUniqueName(creation))) {
    await links.discover([link], flow);
    // With what was sent: the source may be edited before it is looked at.
    const values = creation.request.values;
    await links.noteCreation(key, { ...unsent, ...(error.made === null ? {} : { id: error.made }), values });
  }
  const throttled = error.failure === 'throttled';
  const mayStand = error.stands || (error.retryable ? !throttled : error.failure === 'unstored');
  if (mayStand || hasUniqueName(creation)) return;
  if (!(await links.noteCreation(key, unsent, sent)) && throttled) throw overtaken(creation);
}

const overtaken = ({ system }: Creation): SystemError =>
  new SystemError(system.name, 'unreachable', 'another attempt is sending it');

async function recoverRefused(creation: Creation, error: SystemError): Promise<Sent> {
  if (error.retryable) throw error;
  const { context, link, system, attempt, request, lostSince } = creation;
  // The external id, or the key with another body, may be taken by a record of our own from before.
  if (system.features().externalId && (error.failure === 'taken' || error.status === 409 || error.status === 422)) {
    await context.deps.time.sleep(system.lagMs, attempt.signal);
    const found = await lookUp(creation, lostSince);
    if (found.length > 1) return ambiguous(creation, found);
    if (found[0]) return readMade(creation, found[0].id, found[0]);
  }
  // Answered with success, and not to be found: the next try looks for it first, as for one of several.
  const [code, properties] =
    error.failure === 'unstored' ? ['ambiguous', []] : [codeOf(error), blamed(error, Object.keys(request.values))];
  return { refusal: await context.refuse({ link, side: 'target', code, properties, text: error.text }) };
}
