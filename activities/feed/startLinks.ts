import type { Snapshot } from '../../connectors/connector.ts';
import type { Flow } from '../../flows/flow.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import type { Deps } from '../deps.ts';
import { observationOf, rulesOf } from '../observation.ts';
import { LinkRefuses, unlessRefused } from '../ports.ts';
import { forEachLimit } from '../forEachLimit.ts';

/**
 * Links of a first sync are begun so many at a time, and so far ahead of those that are done: more than the workers'
 * caches hold would be thrown out of them half done, and replayed.
 */
const BATCH = 50;
const AHEAD = 150;
/** Something holds them up (a pause, a system that is down): the page goes on without waiting after this (ms). */
const PATIENCE_MS = 20_000;
const LOOK_MS = 200;

/** A record whose link takes no message for now. */
export interface Undelivered {
  readonly record: Snapshot;
  readonly why: string;
}

/** Gives new source records in scope a link each. */
export async function startLinks(
  deps: Deps,
  flow: Flow,
  records: readonly Snapshot[],
): Promise<{ readonly started: number; readonly undelivered: readonly Undelivered[] }> {
  const now = deps.time.now();
  const rules = rulesOf(flow);
  const fresh = records
    .map((record) => ({ record, seen: observationOf(flow, 'source', record) }))
    .filter(({ seen }) => seen.inScope)
    .map(({ record, seen }) => ({ record, link: newRecord({ flow: flow.name, rules, sourceId: record.id, seen, now }) }));
  let started = 0;
  const undelivered: Undelivered[] = [];
  const open: string[][] = [];
  let patient = true;
  for (let from = 0; from < fresh.length; from += BATCH) {
    const begun: LinkRecord[] = [];
    const one = async ({ record, link }: (typeof fresh)[number]): Promise<void> => {
      const isNew = await unlessRefused(begin(deps, flow, link));
      if (isNew instanceof LinkRefuses) return void undelivered.push({ record, why: isNew.message });
      if (isNew) started += 1;
      begun.push(link);
    };
    try {
      await forEachLimit(fresh.slice(from, from + BATCH), one);
    } finally {
      // Noted after the start: a link that the store knows has a workflow, or had one.
      await deps.store.links.discover(begun, flow);
    }
    open.push(begun.map(({ sourceId }) => sourceId));
    const oldest = open.length * BATCH > AHEAD ? open.shift() : undefined;
    if (patient && oldest) patient = await settled(deps, flow, oldest);
  }
  return { started, undelivered };
}

/** Starts a link; one that runs already is told what was seen. */
async function begin(deps: Deps, flow: Flow, link: LinkRecord): Promise<boolean> {
  const { sourceId, seen } = link;
  if (await deps.links.start(flow, link)) return true;
  if (seen.source) await deps.links.signalObserved({ flow, sourceId }, { side: 'source', id: sourceId, seen: seen.source });
  return false;
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
