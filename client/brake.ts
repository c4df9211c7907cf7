import { BULK_CHANGE } from '../activities/link/bulkChangeGuard.ts';
import { feedsOf, type Flow } from '../flows/flow.ts';
import type { LinkDocument } from '../store/documents.ts';
import type { Store } from '../store/store.ts';
import type { Message } from '../workflows/core/receive.ts';
import type { HeldChanges } from './model.ts';

/** So long a list of ids that lacks very many is believed once a person approved; its links keep the approval for themselves (ms). */
const APPROVED_MS = 3600_000;

/** The part of the store that knows what is held. */
export interface BrakeStore {
  readonly links: Pick<Store['links'], 'list' | 'count'>;
  readonly limits: Pick<Store['limits'], 'approve' | 'withdraw'>;
  readonly cursors: Pick<Store['cursors'], 'get' | 'ask'>;
}

/** What a person's word on the brake needs. */
export interface Brake {
  readonly store: BrakeStore;
  /** The clock (ms); this machine's where it is left out. */
  readonly now?: () => number;
  /** Asks a link. */
  readonly steer: (flow: string, sourceId: string, message: Exclude<Message, { kind: 'observed' | 'vanished' }>) => Promise<void>;
}

/** Lets all pass that is held back of a flow, however long that takes, and tells what it is. */
export async function approveHeld({ store, steer, now = Date.now }: Brake, { name, source, target }: Flow): Promise<HeldChanges> {
  const held = await store.links.list({ flow: name, blockCode: 'held' });
  await store.limits.approve(name, now() + APPROVED_MS);
  for (const link of held) await steer(name, link.sourceId, { kind: 'retry', approved: true });
  // What a list of ids lacked is looked at once more, and believed.
  let missing = 0;
  for (const feed of feedsOf([{ source, target }])) {
    const { notBelieved = [] } = await store.cursors.get(feed);
    for (const list of notBelieved) if (list.flow === name) missing += list.missing;
    await store.cursors.ask(feed, { idsAsked: now() });
  }
  return heldChanges(held, missing);
}

/** Gives up what is held back: its links look again. What would go the same way again is held at once. */
export async function withdrawHeld({ store, steer, now = Date.now }: Brake, { name }: Flow): Promise<HeldChanges> {
  const held = await store.links.list({ flow: name, blockCode: 'held' });
  // Not 20 of it are let through first.
  const n = Math.max(BULK_CHANGE.records, Math.ceil(BULK_CHANGE.share * (await store.links.count({ flow: name })))) + 1;
  await store.limits.withdraw(name, { minute: Math.floor(now() / 60_000), n });
  for (const link of held) await steer(name, link.sourceId, { kind: 'sync' });
  return heldChanges(held, 0);
}

/** What was held back, counted by what would have been done: `end`, `delete`, `recreate`, `blank`, or a property's name. */
function heldChanges(held: readonly LinkDocument[], missing: number): HeldChanges {
  const would: Record<string, number> = {};
  for (const { block } of held) {
    const what = block?.properties[0] ?? 'end';
    would[what] = (would[what] ?? 0) + 1;
  }
  return { links: held.length, would, missing };
}
