import { createHash } from 'node:crypto';
import { isIndexed, scopeOf, type Flow } from '../flows/flow.ts';
import { candidateKey, feedKey, indexKey, recordKey } from '../flows/names.ts';
import { normalise } from '../flows/normalise.ts';
import { SIDES, type Side } from '../flows/side.ts';
import type { Deps } from './deps.ts';
import { observationOf } from './observation.ts';
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

/**
 * Notes a page of records as candidates of a flow and wakes the links that wait and may find a partner now: those of
 * the records themselves, and those with a key that was there before or is there now.
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
  const now: CandidateDocument[] = [];
  const before: CandidateDocument[] = [];
  const gone: string[] = [];
  for (const record of records) {
    const old = known.get(record.id);
    const candidate = candidateOf(flow, side, record);
    if (same(old, candidate)) continue;
    if (old) before.push(old);
    if (candidate) now.push(candidate);
    else if (old) gone.push(old._id);
  }
  if (now.length + gone.length === 0) return;
  await deps.store.candidates.note(now, gone);
  await wake(deps, { flow, side, changed: [...before, ...now] });
}

async function wake(
  deps: Deps,
  { flow, side, changed }: { readonly flow: Flow; readonly side: Side; readonly changed: readonly CandidateDocument[] },
): Promise<void> {
  const keys = [...new Set(changed.flatMap((each) => each.keys))];
  const sharing = keys.length === 0 ? [] : await deps.store.candidates.withKeys(flow.name, 'source', keys);
  const ids = new Set([...(side === 'source' ? changed : []), ...sharing].map((each) => each.id));
  await wakeLinks(deps, flow, [...ids]);
}

/** Wakes those of a flow's links that have no partner yet. */
export async function wakeLinks(deps: Deps, flow: Flow, sourceIds: readonly string[]): Promise<void> {
  for (const link of (await deps.store.links.bySource(flow.name, sourceIds)).values())
    if (link.targetId === null && link.ended === null) await deps.links.signalRetry(link);
}

/** Whether a link may look for its partner: all records of both sides are noted. */
export async function isReady(deps: Deps, flow: Flow): Promise<boolean> {
  for (const side of SIDES) {
    const { indexed = [] } = await deps.store.cursors.get(feedKey(flow[side].system, flow[side].type));
    if (!indexed.includes(indexName(flow))) return false;
  }
  return true;
}
