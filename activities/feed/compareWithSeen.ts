import type { Flow, SystemName } from '../../flows/flow.ts';
import { linkKey } from '../../flows/names.ts';
import { SIDES, type Side } from '../../flows/side.ts';
import { sameValues } from '../../flows/values.ts';
import type { Observation } from '../../workflows/core/state.ts';
import { noteCandidates } from '../candidates.ts';
import type { Deps } from '../deps.ts';
import { observationOf, rulesOf } from '../observation.ts';
import type { LinkDocument, SeenUpdate } from '../../store/documents.ts';
import type { Snapshot } from '../../connectors/connector.ts';
import { LinkRefuses, unlessRefused } from '../ports.ts';
import { Floods } from './floods.ts';
import { forEachLimit } from '../forEachLimit.ts';
import { startLinks, type Undelivered } from './startLinks.ts';

/** Messages of a page go out, and `seen` is raised, so many at a time: a failure takes back nothing of those before. */
const BATCH = 200;

/** What one page did. */
export interface PageResult {
  readonly started: number;
  readonly signalled: number;
  /** Records that need no second look at the same version: all but targets that no link knows yet. */
  readonly finished: readonly Snapshot[];
  /** Records whose links take no message for now. */
  readonly undelivered: readonly Undelivered[];
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

interface Handed {
  readonly records: readonly Snapshot[];
  readonly sweep?: boolean;
  readonly floods?: Floods;
}

/** Compares a page of records with `seen`: news is signalled to its link, a new source record gets one; then `seen` is set. */
export async function handOnPage(
  deps: Deps,
  roles: readonly FlowRole[],
  { records, sweep = false, floods = new Floods() }: Handed,
): Promise<PageResult> {
  let started = 0;
  const undelivered: Undelivered[] = [];
  const routed: Routed[] = [];
  for (const { flow, side } of roles) await noteCandidates(deps, { flow, side, records });
  for (const { flow } of roles.filter((part) => part.side === 'source')) {
    const known = await deps.store.links.bySource(
      flow.name,
      records.map((record) => record.id),
    );
    const fresh = records.filter((record) => !known.has(record.id));
    const begun = await startLinks(deps, flow, fresh);
    started += begun.started;
    undelivered.push(...begun.undelivered);
    for (const record of records) {
      const link = known.get(record.id);
      if (link) routed.push({ flow, side: 'source', record, link });
    }
  }
  const targets = roles.filter((part) => part.side === 'target').map((part) => part.flow);
  if (targets.length > 0) routed.push(...(await routeTargets(deps, targets, records)));
  const { signalled, undelivered: refused } = await compare(deps, routed, { sweep, floods });
  undelivered.push(...refused);
  const late = new Set(undelivered.map(({ record }) => record));
  const linked = new Set(
    routed.filter(({ side, link }) => side === 'source' || link.targetId !== null).map(({ record }) => record),
  );
  const finished = records.filter((record) => !late.has(record) && (targets.length === 0 || linked.has(record)));
  return { started, signalled, finished, undelivered };
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
const wentBack = (deps: Deps, routed: Routed, observation: Observation): boolean =>
  observation.version < (routed.link.seen[routed.side]?.version ?? '') && isOld(deps, routed);

/** Whether a link was not written lately: no list can be older than what it knows. */
const isOld = (deps: Deps, { flow, side, link }: Routed): boolean =>
  link.updatedAt.getTime() < deps.time.now() - 2 * deps.connectors[flow[side].system].lagMs;

/** Whether a link may believe this side's record gone, and was refused the deletion of the other: no property is to blame. */
const isRefusedDeletion = ({ block, targetId }: LinkDocument, side: Side): boolean =>
  targetId !== null && block !== null && block.side !== side && block.properties.length === 0;

async function compare(
  deps: Deps,
  routed: readonly Routed[],
  how: { readonly sweep: boolean; readonly floods: Floods },
): Promise<Pick<PageResult, 'signalled' | 'undelivered'>> {
  let signalled = 0;
  const undelivered: Undelivered[] = [];
  for (let at = 0; at < routed.length; at += BATCH) {
    const updates: SeenUpdate[] = [];
    const one = async (each: Routed): Promise<void> => {
      const done = await unlessRefused(tell(deps, each, how));
      if (done instanceof LinkRefuses) undelivered.push({ record: each.record, why: done.message });
      else {
        if (done.told) signalled += 1;
        if (done.update) updates.push(done.update);
      }
    };
    try {
      await forEachLimit(routed.slice(at, at + BATCH), one);
    } finally {
      // What was told is told, whatever became of the others.
      await deps.store.links.raise(updates);
    }
  }
  return { signalled, undelivered };
}

/** Tells a link what it does not know; says whether it was told, and what it has seen now. */
async function tell(
  deps: Deps,
  each: Routed,
  { sweep, floods }: { readonly sweep: boolean; readonly floods: Floods },
): Promise<{ readonly told: boolean; readonly update?: SeenUpdate }> {
  const { flow, side, record, link } = each;
  const observation = observationOf(flow, side, record);
  const what = compareWithSeen(link.seen[side], observation);
  // A link that closed is told of its source alone, and of nothing that it knew as it closed.
  const closed = link.ended === 'source gone';
  // Where a full comparison shows what was believed gone, it may live all the same: taken out of a bin as it was, say.
  const shown = sweep && (link.ended === `${side} gone` || isRefusedDeletion(link, side)) && isOld(deps, each);
  if (closed && (side === 'target' || link.final === true || (what === 'none' && !shown))) return { told: false };
  // Only a link that is on its way to a target has a use for what carries its external id: one that is refused it, waits
  // for one, or rests would be told again at each look.
  const onItsWay = link.status === 'linking' && link.block === null;
  if (side === 'target' && link.targetId === null && !onItsWay) return { told: false };
  const revives = shown || (link.ended === `${side} gone` && what !== 'none');
  const regressed = shown || (sweep && !closed && wentBack(deps, each, observation));
  const told = what === 'values' || revives || regressed || (!closed && rulesOf(flow).hash !== link.rules);
  if (told) {
    if (!floods.mayTell(link)) throw new LinkRefuses('its link was told very much and has answered nothing yet');
    const message = { side, id: record.id, seen: observation, ...(regressed ? { regressed } : {}) };
    const running = await deps.links.signalObserved({ flow, sourceId: link.sourceId, knownRules: link.rules }, message);
    if (!running) {
      // It closed, or its workflow was lost (Temporal emptied, ended by hand): it goes on from what the store has now.
      const now = (await deps.store.links.byKey(linkKey(link.flow, link.sourceId))) ?? link;
      if (now.ended === 'source gone' && !closed) return tell(deps, { ...each, link: now }, { sweep, floods });
      await deps.links.startTold(flow, now, message);
    }
  }
  // A target that the link has not stored yet is looked at again.
  const stored = what !== 'none' && (side === 'source' || link.targetId !== null);
  return {
    told,
    ...(stored
      ? {
          update: {
            key: linkKey(link.flow, link.sourceId),
            side,
            seen: observation,
            news: what === 'values' && !closed,
            // What its link was not told holds for what it was compared with, and for nothing that the link wrote since.
            ...(told ? {} : { comparedWith: link.seen[side]?.version ?? null }),
            ...(side === 'target' ? { targetId: record.id } : {}),
          },
        }
      : {}),
  };
}
