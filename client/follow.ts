import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../store/store.ts';
import { CursorTooOld } from './errors.ts';
import type { ChangeEvent } from './model.ts';
import { plainEvent } from './toModel.ts';

/** Between two looks for new events (ms). */
const LOOK_MS = 250;
const BATCH = 200;

/** Events after a number, or none but the newest number where `after` is left out. Throws CursorTooOld. */
export async function readChanges(
  store: Store,
  { after, limit = 50 }: { readonly after?: number | undefined; readonly limit?: number | undefined } = {},
): Promise<{ readonly events: readonly ChangeEvent[]; readonly next: number }> {
  if (after === undefined) return { events: [], next: await store.changes.newest() };
  const { events, newest, oldest } = await store.changes.after(after, limit);
  if (after > newest) throw new CursorTooOld(after, newest);
  if (after < oldest - 1) throw new CursorTooOld(after, oldest - 1);
  // Numbers follow one another. One that is skipped was given while this page was read, and the next page has it; or its
  // event was older than those before it, and is no longer kept.
  const whole = events.filter(({ _id }, i) => _id === after + 1 + i);
  const [first] = events;
  if (whole.length === 0 && first && !(await store.changes.has(after + 1))) throw new CursorTooOld(after, first._id - 1);
  return { events: whole.map(plainEvent), next: whole.at(-1)?._id ?? after };
}

/** Follows the events after a number until `signal` aborts. Throws CursorTooOld. */
export async function* followChanges(
  store: Store,
  { after, signal }: { readonly after?: number; readonly signal?: AbortSignal } = {},
): AsyncIterable<ChangeEvent> {
  let from = after ?? (await readChanges(store)).next;
  // oxlint-disable-next-line no-unmodified-loop-condition -- the caller's signal aborts it
  while (!signal?.aborted) {
    const { events, next } = await readChanges(store, { after: from, limit: BATCH });
    for (const event of events) {
      if (signal?.aborted) return;
      yield event;
    }
    from = next;
    if (events.length < BATCH) await sleep(LOOK_MS, undefined, signal ? { signal } : {}).catch(() => {});
  }
}
