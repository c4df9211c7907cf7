import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { statusEventKey } from '../flows/names.ts';
import type { LinkDocument } from '../store/documents.ts';
import type { ChangeEventDocument } from '../store/changes.ts';
import type { Store } from '../store/store.ts';
import { standingOf, CensusTaken, type Keeper } from '../store/census.ts';

/** Between two looks for links that were written since (ms): soon after news, less often while there is none. */
const LOOK_MS = 250;
const IDLE_MS = 1000;
/** One process numbers at a time; where it falls silent another takes over after this. It says that it is there so often (ms). */
const LEASE_MS = 6000;
const RENEW_MS = LEASE_MS / 3;
const BATCH = 200;

type Event = Omit<ChangeEventDocument, '_id'>;

/**
 * Numbers what was committed, after it was committed, so that services can follow it, and keeps the counts of links. A link
 * says in the very write that changes it that it has news, so nothing is missed when a process dies between two writes.
 * Runs until `signal` aborts.
 */
export async function numberChanges(
  store: Store,
  { holder: name, log, signal }: { readonly holder: string; readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  // A process that starts again under the same name must not take itself for the one before.
  const holder = `${name}:${randomUUID().slice(0, 8)}`;
  const wait = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => {});
  let failures = 0;
  let pause = LOOK_MS;
  let renewAt = 0;
  let census: Keeper | null = null;
  while (!signal.aborted) {
    try {
      if (Date.now() >= renewAt) {
        const turn = await store.changes.lease(holder, Date.now(), LEASE_MS);
        if (!turn) {
          census = null;
          await wait(LEASE_MS / 2);
          continue;
        }
        renewAt = Date.now() + RENEW_MS;
        if (census === null || census.isOld) census = await store.census.open(holder, turn.before);
      }
      const numbered = await numberOnce(store, census);
      if (census) await store.landmarks.draw(census.total);
      failures = 0;
      pause = numbered > 0 ? LOOK_MS : Math.min(IDLE_MS, pause * 2);
      if (numbered < BATCH) await wait(pause);
    } catch (error) {
      if (signal.aborted) break;
      // What the counts missed is found when they are opened again.
      census = null;
      renewAt = 0;
      if (error instanceof CensusTaken) continue;
      failures += 1;
      if (failures === 1)
        log.warn(
          { event: 'sequencer', why: String(error) },
          'changes are not numbered for now: the store refuses, or cannot be reached',
        );
      await wait(Math.min(10_000, LOOK_MS * 2 ** failures));
    }
  }
  // In good order, the next one takes over at once; else it counts anew.
  await census?.close().catch(() => {});
  await store.changes.release(holder).catch(() => {});
}

/** Numbers what is open, a batch at most, and counts it; gives how many links it dealt with. */
export async function numberOnce(store: Store, census: Keeper | null = null): Promise<number> {
  const links = await store.unnumbered.some(BATCH);
  for (const link of links) await store.changes.append(await eventsOf(store, link));
  await census?.count(links);
  await store.unnumbered.settle(links);
  return links.length;
}

async function eventsOf(store: Store, link: LinkDocument): Promise<Event[]> {
  // A link that was only noted has nothing to tell.
  if (link.revision === 0) return [];
  const from = link.numbered?.revision ?? 0;
  const now = { status: link.status, ended: link.ended, code: link.block?.code ?? null };
  const names = { flow: link.flow, sourceId: link.sourceId, targetId: link.targetId };
  const changes = from === link.revision ? [] : await store.history.between(link._id, from, link.revision);
  const events: Event[] = changes.map((change) => ({
    ...names,
    ...now,
    key: change._id,
    kind: 'changed',
    at: change.at,
    code: null,
    side: change.side,
    property: change.property,
    why: change.why,
    before: change.before,
    after: change.after,
  }));
  if (from === 0 || standingOf(link) !== link.numbered?.status)
    events.push({
      ...names,
      ...now,
      key: statusEventKey(link._id, link.revision),
      kind: 'status',
      at: new Date(link.statusAt),
      side: null,
      property: null,
      why: null,
      before: null,
      after: null,
    });
  return events;
}
