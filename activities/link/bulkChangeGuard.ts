import { createHash } from 'node:crypto';
import type { Side } from '../../flows/side.ts';
import type { Value } from '../../flows/values.ts';
import type { LinkStore } from '../../store/store.ts';

/** More than so many records and more than this share of a flow within an hour: a person decides. */
export const BULK_CHANGE = { records: 20, share: 0.05 } as const;
const HOUR_MINUTES = 60;
/** So many overwrites with one value a process counts by itself before it asks the store. */
const NOTICED = 3;
/** How long a process may take to notice that values are held back (ms). */
const HELD_KNOWN_MS = 10_000;
const MOST_KEYS = 10_000;

/** Whether so many of so many is too much to happen without a person. */
export const isBulkChange = (some: number, all: number): boolean => some > BULK_CHANGE.records && some > BULK_CHANGE.share * all;

/** What would be done to a record; `value` for an overwrite, which counts together with those that write the same. */
export type BulkChange =
  | 'end'
  | 'delete'
  | 'recreate'
  | 'blank'
  | { readonly side: Side; readonly property: string; readonly value: Value };

interface Guarded {
  readonly flow: string;
  readonly now: number;
  /** A later attempt was counted already. */
  readonly first: boolean;
}

const WORDS = { end: 'ended', delete: 'deleted', recreate: 'created anew', blank: 'blanked' } as const;
const minuteOf = (now: number): number => Math.floor(now / 60_000);
const lastHour = (minutes: Readonly<Record<string, number>>, minute: number): number =>
  Object.entries(minutes).reduce((sum, [at, n]) => (Number(at) > minute - HOUR_MINUTES ? sum + n : sum), 0);
const ask = (flow: string): string => `held back until somebody says \`tandem approve ${flow}\` or \`tandem withdraw ${flow}\``;

/**
 * Counts a record that is about to be ended, deleted, created anew or blanked. Gives the sentence that holds it back where
 * that would be too many of its flow within an hour, and for as long as the flow is held since.
 */
export async function bulkChangeGuard(
  store: LinkStore,
  { flow, now, first, change = 'end' }: Guarded & { readonly change?: Exclude<BulkChange, object> },
): Promise<string | null> {
  const minute = minuteOf(now);
  const { minutes, held } = await store.limits.countBulkChange(flow, minute, first ? 1 : 0);
  const recent = lastHour(minutes, minute);
  const what = `this one would be ${WORDS[change]}`;
  if (held) return `very many records of ${flow} would be ended, deleted, created anew or blanked; ${what}; ${ask(flow)}`;
  if (recent <= BULK_CHANGE.records) return null;
  const all = await store.links.count({ flow });
  if (!isBulkChange(recent, all)) return null;
  await store.limits.hold(flow, { now });
  return `${recent} of ${all} records of ${flow} would be ended, deleted, created anew or blanked within an hour; ${what}; ${ask(flow)}`;
}

/** Overwrites with one and the same value, of one process; the store counts them together once they are noticed. */
export class SameValueGuard {
  readonly #store: LinkStore;
  readonly #held = new Map<string, { at: number; keys: readonly string[] }>();
  readonly #noticed = new Map<string, { minute: number; n: number }>();

  constructor(store: LinkStore) {
    this.#store = store;
  }

  /** The sentence that holds an overwrite back where very many records of the flow would get the same value within an hour. */
  async check({ flow, now, first, side, property, value }: Guarded & Exclude<BulkChange, string>): Promise<string | null> {
    const key = createHash('sha256')
      .update(JSON.stringify([side, property, value]))
      .digest('hex')
      .slice(0, 16);
    const minute = minuteOf(now);
    const add = this.#notice(`${flow} ${key}`, minute, first);
    if (add === null && !(await this.#isHeld(flow, key, now))) return null;
    const { minutes, held } = await this.#store.limits.countSameValue(flow, key, { minute, add: add ?? (first ? 1 : 0) });
    const recent = lastHour(minutes, minute);
    if (held) return `very many records of ${flow} would get one and the same ${property}; ${ask(flow)}`;
    if (recent <= BULK_CHANGE.records) return null;
    const all = await this.#store.links.count({ flow });
    if (!isBulkChange(recent, all)) return null;
    await this.#store.limits.hold(flow, { key });
    return `${recent} of ${all} records of ${flow} would get one and the same ${property} within an hour; ${ask(flow)}`;
  }

  async #isHeld(flow: string, key: string, now: number): Promise<boolean> {
    let known = this.#held.get(flow);
    if (!known || now - known.at > HELD_KNOWN_MS || now < known.at) {
      known = { at: now, keys: await this.#store.limits.heldValues(flow) };
      this.#held.set(flow, known);
    }
    return known.keys.includes(key);
  }

  /** What the store has to add: nothing while there are few, all of them once there are more. */
  #notice(key: string, minute: number, first: boolean): number | null {
    if (this.#noticed.size > MOST_KEYS) this.#noticed.clear();
    const known = this.#noticed.get(key);
    const fresh = known === undefined || known.minute <= minute - HOUR_MINUTES;
    const before = fresh ? 0 : known.n;
    const n = before + (first ? 1 : 0);
    this.#noticed.set(key, { minute: fresh ? minute : known.minute, n });
    if (n <= NOTICED) return null;
    return before <= NOTICED && first ? n : first ? 1 : 0;
  }
}
