import { CONNECTED, neededFields } from '../../flows/flow.ts';
import { recordKey } from '../../flows/names.ts';
import type { CandidateDocument } from '../../store/documents.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Snapshot } from '../../connectors/connector.ts';
import { GONE_UNANNOUNCED_MS } from '../../workflows/core/absence.ts';
import type { Found } from '../../workflows/core/outcome.ts';
import { candidateOf } from '../candidates.ts';
import { observationOf } from '../observation.ts';
import type { Creation } from './creation.ts';
import { ReadRefused } from './refusal.ts';

/** What a flow's rules say of the partner of a record that has none. */
export type Partner =
  /** An existing record that alone matches. */
  { readonly kind: 'matched'; readonly record: Snapshot } | { readonly kind: 'create' } | NoPartner | Missed;

/** Its own record is not there to be compared, or takes no part any more. */
interface Missed {
  readonly kind: 'missed';
  readonly found: Found;
}

/** Not now: `code` is why, `text` says it to people. */
export interface NoPartner {
  readonly kind: 'none';
  readonly code: 'ambiguous' | 'unmatched' | 'unconnected';
  readonly text: string;
}

type Search = Pick<Creation, 'context' | 'flow' | 'link' | 'attempt'>;

/** Finds the partner of a link by its flow's relation: a match first, where the flow looks for one. Never guesses. */
export async function findPartner(search: Search): Promise<Partner> {
  const { flow } = search;
  if (flow.match.length === 0 && flow.connected.length === 0) return { kind: 'create' };
  const mine = await ownCandidate(search);
  if ('kind' in mine) return mine;
  const found = await findMatch(search, mine.keys);
  if (found) return found;
  if (flow.relation === 'match')
    return { kind: 'none', code: 'unmatched', text: `no ${flow.target.type} matches; it is linked as soon as one does` };
  if (!CONNECTED.includes(flow.relation) || (await isConnected(search, mine.refs))) return { kind: 'create' };
  const types = flow.connected.map(({ type }) => type).join(' or ');
  return { kind: 'none', code: 'unconnected', text: `it refers to no ${types} that is linked; it goes on as soon as one is` };
}

/** The link's own record as its feed noted it, else as it stands: the index may have been lost with its store. */
async function ownCandidate({ context, flow, link, attempt }: Search): Promise<CandidateDocument | Missed> {
  const { candidates } = context.deps.store;
  const noted = (await candidates.byId(flow.name, 'source', [link.sourceId])).get(link.sourceId);
  if (noted) return noted;
  const read = await context.readOrMiss(link, { side: 'source', attempt });
  if (typeof read === 'string') return { kind: 'missed', found: read };
  // Where it left its scope while attempts failed, it has no keys, and every match would be passed over.
  return candidateOf(flow, 'source', read) ?? { kind: 'missed', found: observationOf(flow, 'source', read) };
}

/** The first of the flow's ways to match by which anything matches: the one record, or that it cannot be told. */
async function findMatch(search: Search, keys: readonly string[]): Promise<Partner | null> {
  const { flow } = search;
  for (const [i, alternative] of flow.match.entries()) {
    const key = keys.find((each) => each.startsWith(`${i}:`));
    if (key === undefined) continue;
    const [found, second] = await matching(search, key);
    if (!found) continue;
    const rivals = await rivalsFor(search, key);
    const what = `${alternative.source} = ${alternative.target}`;
    if (second) return ambiguous(`more than one record matches by ${what}: ${found.id}, ${second.id}`);
    if (rivals.length > 0)
      return ambiguous(`${found.id} matches by ${what}, and so do other ${flow.source.type} records: ${rivals.join(', ')}`);
    return { kind: 'matched', record: found };
  }
  return null;
}

const ambiguous = (text: string): Partner => ({
  kind: 'none',
  code: 'ambiguous',
  text: `${text}. Make them differ, remove all but one, or say which with \`tandem link\``,
});

/** Free target records with that key, as they stand now: two at most, since nobody can tell which of them is meant. */
async function matching(search: Search, key: string): Promise<Snapshot[]> {
  const { context, flow } = search;
  const { store } = context.deps;
  const candidates = await store.candidates.withKeys(flow.name, 'target', [key]);
  const linked = await store.links.byTarget(
    flow.target,
    candidates.map((each) => each.id),
  );
  const found: Snapshot[] = [];
  for (const candidate of candidates.filter((each) => !linked.has(each.id))) {
    const record = await living(search, candidate, key);
    if (record) found.push(record);
    if (found.length === 2) break;
  }
  return found;
}

/** Other records of the source with that key that have no partner either: which of them is meant, nobody can tell. */
async function rivalsFor(search: Search, key: string): Promise<string[]> {
  const { context, flow, link } = search;
  const { store } = context.deps;
  const others = (await store.candidates.withKeys(flow.name, 'source', [key])).filter((each) => each.id !== link.sourceId);
  const links = await store.links.bySource(
    flow.name,
    others.map((each) => each.id),
  );
  const rivals: string[] = [];
  for (const other of others) {
    const known = links.get(other.id);
    if (known && (known.targetId !== null || known.ended !== null)) continue;
    // One without a link may be gone since it was noted.
    if (known || (await living(search, other, key))) rivals.push(other.id);
    if (rivals.length === 2) break;
  }
  return rivals;
}

/** A candidate as it stands now, if it still has the key; forgotten where its record is gone. */
async function living({ context, flow, attempt }: Search, candidate: CandidateDocument, key: string): Promise<Snapshot | null> {
  const { side } = candidate;
  const { system, type } = flow[side];
  const { connectors, store, time } = context.deps;
  try {
    const record = await connectors[system].read(
      { type, id: candidate.id, fields: neededFields(flow, side) },
      { priority: 'write', signal: attempt.signal },
    );
    return candidateOf(flow, side, record)?.keys.includes(key) ? record : null;
  } catch (error) {
    if (!(error instanceof SystemError) || error.retryable) throw error;
    // Whether it still matches nobody can tell, and another try is answered no better.
    if (error.failure !== 'gone' && error.failure !== 'merged') throw new ReadRefused(side, error);
    // A gateway's 404 of seconds must not make a second record of what is there.
    if (error.failure === 'gone' && side === 'target' && time.now() - attempt.scheduledAt < GONE_UNANNOUNCED_MS)
      throw new SystemError(error.system, 'unreachable', { text: error.text });
    await store.candidates.note([], [candidate._id]);
    return null;
  }
}

/** Whether one of the records that it refers to is linked in the target's system. */
async function isConnected({ context, flow }: Search, refs: readonly string[]): Promise<boolean> {
  const { deps } = context;
  for (const other of deps.flows.filter((each) => each.target.system === flow.target.system)) {
    const prefix = recordKey(other.source.system, other.source.type, '');
    const ids = refs.filter((ref) => ref.startsWith(prefix)).map((ref) => ref.slice(prefix.length));
    if (ids.length === 0) continue;
    for (const found of (await deps.store.links.bySource(other.name, ids)).values())
      if (found.targetId !== null && found.ended === null) return true;
  }
  return false;
}
