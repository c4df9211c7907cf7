import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { statusEventKey } from '../flows/names.ts';
import type { LinkDocument } from '../store/documents.ts';
import type { ChangeEventDocument } from '../store/changes.ts';
import type { Store } from '../store/store.ts';

/** Between two looks for links that were written since (ms). */
const LOOK_MS = 250;
/** One process numbers at a time; where it falls silent another takes over after this (ms). */
const LEASE_MS = 5000;
const BATCH = 200;

type Event = Omit<ChangeEventDocument, '_id'>;

/**
 * Numbers what was committed, after it was committed, so that services can follow it. A link says in the very write that
 * changes it that it has news, so nothing is missed when a process dies between two writes. Runs until `signal` aborts.
 */
export async function numberChanges(
  store: Store,
  { holder, log, signal }: { readonly holder: string; readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      const mine = await store.changes.lease(holder, Date.now(), LEASE_MS);
      const numbered = mine ? await numberOnce(store) : 0;
      failures = 0;
      if (numbered === BATCH) continue;
      await sleep(mine ? LOOK_MS : LEASE_MS / 2, undefined, { signal }).catch(() => {});
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      if (failures === 1)
        log.warn(
          { event: 'sequencer', why: String(error) },
          'changes are not numbered for now: the store refuses, or cannot be reached',
        );
      await sleep(Math.min(10_000, LOOK_MS * 2 ** failures), undefined, { signal }).catch(() => {});
    }
  }
}

/** Numbers what is open, a batch at most; gives how many links it dealt with. */
export async function numberOnce(store: Store): Promise<number> {
  const links = await store.links.unnumbered(BATCH);
  for (const link of links) {
    await store.changes.append(await eventsOf(store, link));
    await store.links.setNumbered(link._id, { revision: link.revision, status: statusKey(link) });
  }
  return links.length;
}

const statusKey = (link: LinkDocument): string => `${link.status} ${link.ended ?? ''} ${link.block?.code ?? ''}`.trim();

async function eventsOf(store: Store, link: LinkDocument): Promise<Event[]> {
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
  if (statusKey(link) !== link.numbered?.status)
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
