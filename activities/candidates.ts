import { createHash } from 'node:crypto';
import { isIndexed, scopeOf, type Flow } from '../flows/flow.ts';
import { candidateKey, feedKey, indexKey, recordKey } from '../flows/names.ts';
import { normalise } from '../flows/normalise.ts';
import { SIDES, type Side } from '../flows/side.ts';
import type { Deps } from './deps.ts';
import { forEachLimit } from './forEachLimit.ts';
import { observationOf } from './observation.ts';
import { unlessRefused } from './ports.ts';
import type { CandidateDocument } from '../store/documents.ts';
import type { Snapshot } from '../connectors/connector.ts';

/** Names a flow and its rules of matching: with other rules every record is noted anew. */
export function indexName(flow: Flow): string {
  const rules = JSON.stringify([flow.match, flow.connected, scopeOf(flow, 'source'), scopeOf(flow, 'target')]);
  return indexKey(flow.name, createHash('sha256').update(rules).digest('hex').slice(0, 12));
}

/** A record as matches and references find it; null where it is out of scope. */
export function candidateOf(flow: Flow, side: Side, record: Snapshot): CandidateDocument | null {
  if (!observationOf(flow, side, record).inScope) return null;
  const keys = flow.match.flatMap((alternative, i) => {
    const key = normalise(record.fields[alternative[side]], alternative.normalise);
    return key === null ? [] : [`${i}:${key}`];
  });
  const refs =
    side === 'target'
      ? []
      : flow.connected.flatMap(({ type, property }) => {
          const id = normalise(record.fields[property], []);
          return id === null ? [] : [recordKey(flow.source.system, type, id)];
        });
  return { _id: candidateKey(flow.name, side, record.id), flow: flow.name, side, id: record.id, keys, refs };
}

const same = (a: CandidateDocument | undefined, b: CandidateDocument | null): boolean =>
  (a === undefined && b === null) ||
  (!!a && !!b && a.keys.join('\n') === b.keys.join('\n') && a.refs.join('\n') === b.refs.join('\n'));

/** So many candidates a flow's links are woken for at a look. */
const WOKEN_AT_A_LOOK = 500;

/**
 * Notes a page of records as candidates of a flow and wakes the links that wait and may find a partner now: those of
 * the records themselves, and those with a key that was there before or is there now. That links are to be woken stands
 * in the very note, until they were: a message that is lost is sent again.
 */
export async function noteCandidates(
  deps: Deps,
  { flow, side, records }: { readonly flow: Flow; readonly side: Side; readonly records: readonly Snapshot[] },
): Promise<void> {
  if (!isIndexed(flow) || records.length === 0) return;
  const known = await deps.store.candidates.byId(
    flow.name,
    side,
    records.map((record) => record.id),
  );
  const noted: CandidateDocument[] = [];
  for (const record of records) {
    const old = known.get(record.id);
    const candidate = candidateOf(flow, side, record);
    if (same(old, candidate) && old?.wakes === undefined) continue;
    const now = candidate ?? (old && { ...old, keys: [], refs: [] });
    const keysBefore = [...new Set([...(old?.keysBefore ?? []), ...(old?.keys ?? [])])];
    if (now) noted.push({ ...now, wakes: deps.time.now(), keysBefore });
  }
  if (noted.length === 0) return;
  await deps.store.candidates.note(noted, []);
  await wake(deps, { flow, side, noted });
}

/** Wakes links for whom that was put off, or failed. */
export async function wakeWaiting(deps: Deps, flow: Flow, side: Side): Promise<void> {
  if (!isIndexed(flow)) return;
  const noted = await deps.store.candidates.waking(flow.name, side, WOKEN_AT_A_LOOK);
  if (noted.length > 0) await wake(deps, { flow, side, noted });
}

async function wake(
  deps: Deps,
  { flow, side, noted }: { readonly flow: Flow; readonly side: Side; readonly noted: readonly CandidateDocument[] },
): Promise<void> {
  const { candidates } = deps.store;
  const keys = [...new Set(noted.flatMap((each) => [...each.keys, ...(each.keysBefore ?? [])]))];
  const sharing = keys.length === 0 ? [] : await candidates.withKeys(flow.name, 'source', keys);
  const ids = new Set([...(side === 'source' ? noted : []), ...sharing].map((each) => each.id));
  await wakeLinks(deps, flow, [...ids]);
  await candidates.woken(noted);
  const gone = noted.filter((each) => each.keys.length === 0 && each.refs.length === 0);
  if (gone.length > 0)
    await candidates.note(
      [],
      gone.map(({ _id }) => _id),
    );
}

/** Wakes those of a flow's links that have no partner yet. */
export async function wakeLinks(deps: Deps, flow: Flow, sourceIds: readonly string[]): Promise<void> {
  const links = [...(await deps.store.links.bySource(flow.name, sourceIds)).values()];
  const waiting = links.filter(({ targetId, ended }) => targetId === null && ended === null);
  // One whose inbox is full looks for its partner once it gets there.
  await forEachLimit(waiting, async (link) => void (await unlessRefused(deps.links.signalRetry(link))));
}

/** Whether a link may look for its partner: all records of both sides are noted. */
export async function isReady(deps: Deps, flow: Flow): Promise<boolean> {
  for (const side of SIDES) {
    const { indexed = [] } = await deps.store.cursors.get(feedKey(flow[side].system, flow[side].type));
    if (!indexed.includes(indexName(flow))) return false;
  }
  return true;
}
