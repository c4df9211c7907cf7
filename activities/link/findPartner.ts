import { CONNECTED, neededFields, type Flow } from '../../flows/flow.ts';
import { recordKey } from '../../flows/names.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import { candidateOf, wakeLinks } from '../candidates.ts';
import type { Deps } from '../deps.ts';
import type { Attempt } from '../ports.ts';
import type { CandidateDocument } from '../../store/documents.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Snapshot } from '../../connectors/connector.ts';

/** What a flow's rules say of the partner of a record that has none. */
export type Partner =
  /** An existing record that alone matches. */
  | { readonly kind: 'matched'; readonly record: Snapshot }
  | { readonly kind: 'create' }
  /** Not now: `code` is why, `text` says it to people. */
  | { readonly kind: 'none'; readonly code: 'ambiguous' | 'unmatched' | 'unconnected'; readonly text: string };

/** Finds the partner of a link by its flow's relation: a match first, where the flow looks for one. Never guesses. */
export async function findPartner(
  deps: Deps,
  { flow, link, attempt }: { readonly flow: Flow; readonly link: LinkRecord; readonly attempt: Attempt },
): Promise<Partner> {
  if (flow.match.length === 0 && flow.connected.length === 0) return { kind: 'create' };
  const { store } = deps;
  const mine = (await store.candidates.byId(flow.name, 'source', [link.sourceId])).get(link.sourceId) ?? (await lookAgain());
  for (const [i, alternative] of flow.match.entries()) {
    const key = mine?.keys.find((each) => each.startsWith(`${i}:`));
    if (key === undefined) continue;
    const found = await match(key);
    if (found.length === 0) continue;
    const rivals = await rivalsFor(key);
    const what = `${alternative.source} = ${alternative.target}`;
    if (found.length > 1) return ambiguous(`more than one record matches by ${what}: ${found.map((each) => each.id).join(', ')}`);
    if (rivals.length > 0)
      return ambiguous(`${found[0]?.id} matches by ${what}, and so do other ${flow.source.type} records: ${rivals.join(', ')}`);
    if (found[0]) return { kind: 'matched', record: found[0] };
  }
  if (flow.relation === 'match')
    return { kind: 'none', code: 'unmatched', text: `no ${flow.target.type} matches; it is linked as soon as one does` };
  if (!CONNECTED.includes(flow.relation) || (await isConnected(mine?.refs ?? []))) return { kind: 'create' };
  const types = flow.connected.map(({ type }) => type).join(' or ');
  return { kind: 'none', code: 'unconnected', text: `it refers to no ${types} that is linked; it goes on as soon as one is` };

  /** The index may have been lost with its store. */
  async function lookAgain(): Promise<CandidateDocument | null> {
    const { system, type } = flow.source;
    const record = await deps.connectors[system].read(
      { type, id: link.sourceId, fields: neededFields(flow, 'source') },
      {
        priority: 'write',
        signal: attempt.signal,
      },
    );
    return candidateOf(flow, 'source', record);
  }

  /** A candidate as it stands now, if it still has the key; forgotten where its record is gone. */
  async function living(candidate: CandidateDocument, key: string): Promise<Snapshot | null> {
    const { side } = candidate;
    const { system, type } = flow[side];
    try {
      const record = await deps.connectors[system].read(
        { type, id: candidate.id, fields: neededFields(flow, side) },
        { priority: 'write', signal: attempt.signal },
      );
      return candidateOf(flow, side, record)?.keys.includes(key) ? record : null;
    } catch (error) {
      if (!(error instanceof SystemError) || error.failure !== 'gone') throw error;
      await store.candidates.note([], [candidate._id]);
      return null;
    }
  }

  /** Free target records with that key, as they stand now: two at most, since nobody can tell which of them is meant. */
  async function match(key: string): Promise<Snapshot[]> {
    const candidates = await store.candidates.withKeys(flow.name, 'target', [key]);
    const linked = await store.links.byTarget(
      flow.target,
      candidates.map((each) => each.id),
    );
    const out: Snapshot[] = [];
    for (const candidate of candidates.filter((each) => !linked.has(each.id))) {
      const record = await living(candidate, key);
      if (record) out.push(record);
      if (out.length === 2) break;
    }
    return out;
  }

  /** Other records of the source with that key that have no partner either: which of them is meant, nobody can tell. */
  async function rivalsFor(key: string): Promise<string[]> {
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
      if (known || (await living(other, key))) rivals.push(other.id);
      if (rivals.length === 2) break;
    }
    return rivals;
  }

  async function isConnected(refs: readonly string[]): Promise<boolean> {
    for (const other of deps.flows.filter((each) => each.target.system === flow.target.system)) {
      const prefix = recordKey(other.source.system, other.source.type, '');
      const ids = refs.filter((ref) => ref.startsWith(prefix)).map((ref) => ref.slice(prefix.length));
      if (ids.length === 0) continue;
      for (const found of (await store.links.bySource(other.name, ids)).values())
        if (found.targetId !== null && found.ended === null) return true;
    }
    return false;
  }
}

const ambiguous = (text: string): Partner => ({
  kind: 'none',
  code: 'ambiguous',
  text: `${text}. Make them differ, remove all but one, or say which with \`tandem link\``,
});

/** So many links are woken at once; beyond that their feeds do it at their next look. */
const WOKEN_AT_ONCE = 20;

/** A record that was just linked may be what others wait for. */
export async function wakeReferring(deps: Deps, flow: Flow, sourceId: string): Promise<void> {
  const waiting = deps.flows.filter((each) => each.connected.some(({ type }) => type === flow.source.type));
  if (waiting.length === 0) return;
  const { candidates } = deps.store;
  const ref = recordKey(flow.source.system, flow.source.type, sourceId);
  const referring = await candidates.referringTo(ref, WOKEN_AT_ONCE + 1);
  if (referring.length > WOKEN_AT_ONCE) return candidates.markReferring(ref, deps.time.now());
  for (const other of waiting)
    await wakeLinks(
      deps,
      other,
      referring.filter((each) => each.flow === other.name).map((each) => each.id),
    );
}
