import type { Flow, SystemName } from '../../flows/flow.ts';
import { linkKey } from '../../flows/names.ts';
import { SIDES, type Side } from '../../flows/side.ts';
import { sameValues } from '../../flows/values.ts';
import type { Observation } from '../../workflows/core/state.ts';
import { noteCandidates } from '../candidates.ts';
import type { Deps } from '../deps.ts';
import { newRecord } from '../../workflows/record.ts';
import { observationOf, rulesOf } from '../observation.ts';
import type { LinkDocument, SeenUpdate } from '../../store/documents.ts';
import type { Snapshot } from '../../connectors/connector.ts';
import { forEachLimit } from './forEachLimit.ts';

/**
 * Links of a first sync are begun so many at a time, and so far ahead of those that are done: more than the workers'
 * caches hold would be thrown out of them half done, and replayed.
 */
const BATCH = 50;
const AHEAD = 150;
/** Something holds them up (a pause, a system that is down): the page goes on without waiting after this (ms). */
const PATIENCE_MS = 20_000;
const LOOK_MS = 200;

/** What one page did. */
export interface PageResult {
  readonly started: number;
  readonly signalled: number;
  /** Records that need no second look at the same version: all but targets that no link knows yet. */
  readonly finished: readonly Snapshot[];
}

/** Where a record type takes part: in which flow, on which side. */
export interface FlowRole {
  readonly flow: Flow;
  readonly side: Side;
}

/** The parts that a record type plays in the flows. */
export function flowRoles(flows: readonly Flow[], system: SystemName, type: string): FlowRole[] {
  return flows.flatMap((flow) =>
    SIDES.filter((side) => flow[side].system === system && flow[side].type === type).map((side) => ({ flow, side })),
  );
}

/** Whether what was seen is news to a link: other values, or another scope, than were handed to it. */
export function compareWithSeen(seen: Observation | null | undefined, observation: Observation): 'none' | 'version' | 'values' {
  if (!seen) return 'values';
  if (observation.version < seen.version) return 'none';
  if (!sameValues(seen.values, observation.values) || seen.inScope !== observation.inScope) return 'values';
  return observation.version > seen.version ? 'version' : 'none';
}

interface Routed {
  readonly flow: Flow;
  readonly side: Side;
  readonly record: Snapshot;
  readonly link: LinkDocument;
}

/** Compares a page of records with `seen`: news is signalled to its link, a new source record gets one; then `seen` is set. */
export async function handOnPage(
  deps: Deps,
  roles: readonly FlowRole[],
  { records, sweep = false }: { readonly records: readonly Snapshot[]; readonly sweep?: boolean },
): Promise<PageResult> {
  let started = 0;
  const routed: Routed[] = [];
  for (const { flow, side } of roles) await noteCandidates(deps, { flow, side, records });
  for (const { flow } of roles.filter((part) => part.side === 'source')) {
    const known = await deps.store.links.bySource(
      flow.name,
      records.map((record) => record.id),
    );
    const fresh = records.filter((record) => !known.has(record.id));
    started += await startLinks(deps, flow, fresh);
    for (const record of records) {
      const link = known.get(record.id);
      if (link) routed.push({ flow, side: 'source', record, link });
    }
  }
  const targets = roles.filter((part) => part.side === 'target').map((part) => part.flow);
  if (targets.length > 0) routed.push(...(await routeTargets(deps, targets, records)));
  const signalled = await compare(deps, routed, sweep);
  const linked = new Set(
    routed.filter(({ side, link }) => side === 'source' || link.targetId !== null).map(({ record }) => record),
  );
  return { started, signalled, finished: targets.length === 0 ? records : records.filter((record) => linked.has(record)) };
}

async function startLinks(deps: Deps, flow: Flow, records: readonly Snapshot[]): Promise<number> {
  const now = deps.time.now();
  const rules = rulesOf(flow);
  const fresh = records
    .map((record) => ({ record, seen: observationOf(flow, 'source', record) }))
    .filter(({ seen }) => seen.inScope)
    .map(({ record, seen }) => newRecord({ flow: flow.name, rules, sourceId: record.id, seen, now }));
  let started = 0;
  const open: string[][] = [];
  let patient = true;
  for (let from = 0; from < fresh.length; from += BATCH) {
    const batch = fresh.slice(from, from + BATCH);
    await forEachLimit(batch, async (record) => {
      const { sourceId, seen } = record;
      if (await deps.links.start(flow, record)) started += 1;
      else if (seen.source)
        await deps.links.signalObserved({ flow, sourceId }, { side: 'source', id: sourceId, seen: seen.source });
    });
    // Noted after the start: a link that the store knows has a workflow, or had one.
    await deps.store.links.discover(batch, flow);
    open.push(batch.map(({ sourceId }) => sourceId));
    const oldest = open.length * BATCH > AHEAD ? open.shift() : undefined;
    if (patient && oldest) patient = await settled(deps, flow, oldest);
  }
  return started;
}

/** Waits until links have written for the first time; false after long enough. */
async function settled(deps: Deps, flow: Flow, sourceIds: readonly string[]): Promise<boolean> {
  const until = deps.time.now() + PATIENCE_MS;
  while (!deps.stopping.aborted && deps.time.now() < until) {
    if ((await deps.store.links.countWritten(flow.name, sourceIds)) === sourceIds.length) return true;
    await deps.time.sleep(LOOK_MS, deps.stopping).catch(() => {});
  }
  return false;
}

/** Target records by link; one that no link knows yet is routed by the external id it carries. */
async function routeTargets(deps: Deps, flows: readonly Flow[], records: readonly Snapshot[]): Promise<Routed[]> {
  const [first] = flows;
  if (!first) return [];
  const known = await deps.store.links.byTarget(
    first.target,
    records.map((record) => record.id),
  );
  const routed: Routed[] = [];
  const strangers = records.filter((record) => !known.has(record.id) && record.externalId !== undefined);
  for (const flow of flows) {
    for (const record of records) {
      const link = known.get(record.id);
      if (link?.flow === flow.name) routed.push({ flow, side: 'target', record, link });
    }
    const prefix = deps.installation.externalId(flow, '');
    const mine = new Map(
      strangers
        .filter((record) => record.externalId?.startsWith(prefix))
        .map((record) => [(record.externalId ?? '').slice(prefix.length), record]),
    );
    if (mine.size === 0) continue;
    for (const [sourceId, link] of await deps.store.links.bySource(flow.name, [...mine.keys()])) {
      const record = mine.get(sourceId);
      if (record && (link.targetId === null || link.targetId === record.id)) routed.push({ flow, side: 'target', record, link });
    }
  }
  return routed;
}

/** Whether a full comparison shows an older version of a link that was not written lately: its system may have gone back. */
const wentBack = (deps: Deps, { flow, side, link }: Routed, observation: Observation): boolean =>
  observation.version < (link.seen[side]?.version ?? '') &&
  link.updatedAt.getTime() < deps.time.now() - 2 * deps.connectors[flow[side].system].lagMs;

async function compare(deps: Deps, routed: readonly Routed[], sweep: boolean): Promise<number> {
  const updates: SeenUpdate[] = [];
  let signalled = 0;
  await forEachLimit(routed, async (each) => {
    const { flow, side, record, link } = each;
    const observation = observationOf(flow, side, record);
    const what = compareWithSeen(link.seen[side], observation);
    // A link that closed is told of its source alone, and of nothing that it knew as it closed.
    const closed = link.ended === 'source gone';
    if (closed && (side === 'target' || link.final === true || what === 'none')) return;
    const revives = link.ended === `${side} gone` && what !== 'none';
    const regressed = sweep && !closed && wentBack(deps, each, observation);
    if (what === 'values' || revives || regressed || (!closed && rulesOf(flow).hash !== link.rules)) {
      signalled += 1;
      const message = { side, id: record.id, seen: observation, ...(regressed ? { regressed } : {}) };
      const running = await deps.links.signalObserved({ flow, sourceId: link.sourceId, knownRules: link.rules }, message);
      // It closed, or its workflow was lost (Temporal emptied, ended by hand): it goes on from what the store has, and is
      // told also where another feed starts it first.
      if (!running) {
        await deps.links.start(flow, link);
        await deps.links.signalObserved({ flow, sourceId: link.sourceId, knownRules: link.rules }, message);
      }
    }
    // A target that the link has not stored yet is looked at again.
    if (what !== 'none' && (side === 'source' || link.targetId !== null))
      updates.push({ key: linkKey(link.flow, link.sourceId), side, seen: observation, news: what === 'values' && !closed });
  });
  await deps.store.links.raise(updates);
  return signalled;
}
