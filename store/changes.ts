import type { Collection, Db, Filter } from 'mongodb';
import type { Side } from '../flows/side.ts';
import type { Value } from '../flows/values.ts';
import type { Block, EndReason, Status } from '../workflows/core/state.ts';
import { isDuplicate } from './chunks.ts';
import { keepFor } from './keepFor.ts';

/** Something that happened to a link; `_id` is its number, one more than the one before. */
export interface ChangeEventDocument {
  readonly _id: number;
  /** Names the event for good: the change in the history, or the revision that brought a status. */
  readonly key: string;
  readonly kind: 'changed' | 'status';
  readonly at: Date;
  readonly flow: string;
  readonly sourceId: string;
  readonly targetId: string | null;
  readonly status: Status;
  readonly ended: EndReason | null;
  readonly code: Block['code'] | null;
  readonly side: Side | null;
  readonly property: string | null;
  readonly why: string | null;
  readonly before: Value;
  readonly after: Value;
}

/** A page of events, and between which numbers there are any. */
export interface EventPage {
  readonly events: readonly ChangeEventDocument[];
  /** The number of the newest event; 0 before the first. */
  readonly newest: number;
  /** No event before this one is kept after the number that was asked for. */
  readonly oldest: number;
}

/** How far to look for numbers that were given and not noted yet. */
const STEP = 100;

/** Counts on when every event has outlived its time, so that no number comes twice; and who numbers now. */
interface CounterDocument {
  readonly _id: 'sequence';
  readonly last: number;
  readonly holder?: string;
  /** Until when (ms) the holder numbers alone. */
  readonly until?: number;
}

/**
 * Events of all links, numbered after they were committed. A number is given only when the one before it can be read, so
 * a reader that follows the numbers misses nothing, whoever gives them.
 */
export class Changes {
  readonly #events: Collection<ChangeEventDocument>;
  readonly #counter: Collection<CounterDocument>;

  constructor(db: Db) {
    this.#events = db.collection('changes');
    this.#counter = db.collection('counters');
  }

  /** Makes the indexes; the same call again changes nothing. */
  async prepare(historyDays: number): Promise<void> {
    await this.#events.createIndex({ key: 1 }, { unique: true });
    await keepFor(this.#events, 'at', historyDays);
  }

  /** Numbers events in their order; one that has a number already is passed over. */
  async append(events: readonly Omit<ChangeEventDocument, '_id'>[]): Promise<void> {
    if (events.length === 0) return;
    const known = await this.#events.find({ key: { $in: events.map(({ key }) => key) } }, { projection: { key: 1 } }).toArray();
    const numbered = new Set(known.map(({ key }) => key));
    let last = await this.newest();
    for (const event of events.filter(({ key }) => !numbered.has(key)))
      for (;;) {
        try {
          await this.#events.insertOne({ _id: last + 1, ...event });
          last += 1;
          break;
        } catch (error) {
          if (!isDuplicate(error)) throw error;
          // Another process numbers too: either it took the number, or it numbered this very event.
          if (await this.#events.findOne({ key: event.key })) break;
          last = await this.newest();
        }
      }
    await this.#counter.updateOne({ _id: 'sequence' }, { $max: { last } }, { upsert: true });
  }

  /**
   * Events after a number, oldest first. Numbers follow one another, so they are asked for by name: some servers read all
   * there is where a range has no end.
   */
  async after(number: number, limit: number): Promise<EventPage> {
    const events = await this.#numbered(number, limit);
    const newest = Math.max(await this.newest(), events.at(-1)?._id ?? 0);
    if (events[0]?._id === number + 1 || newest <= number) return { events, newest, oldest: number + 1 };
    // What comes next is no longer kept.
    const [first] = await this.#events.find({}).sort({ _id: 1 }).limit(1).toArray();
    const range = this.#events.find({ _id: { $gt: number } });
    return { events: await range.sort({ _id: 1 }).limit(limit).toArray(), newest, oldest: first?._id ?? newest + 1 };
  }

  /** The number of the newest event; 0 before the first. */
  async newest(): Promise<number> {
    let last = (await this.#counter.findOne({ _id: 'sequence' }))?.last ?? 0;
    // Whoever numbers notes the last number after a batch.
    for (;;) {
      const further = (await this.#numbered(last, STEP)).at(-1)?._id;
      if (further === undefined) return last;
      last = further;
    }
  }

  #numbered(after: number, limit: number): Promise<ChangeEventDocument[]> {
    const numbers = Array.from({ length: limit }, (_, i) => after + 1 + i).filter(Number.isSafeInteger);
    return this.#events
      .find({ _id: { $in: numbers } })
      .sort({ _id: 1 })
      .toArray();
  }

  /** Whether an event with that number is kept. */
  async has(number: number): Promise<boolean> {
    return (await this.#events.findOne({ _id: number }, { projection: { _id: 1 } })) !== null;
  }

  /**
   * Makes this process the one that numbers for the next `forMs`, and tells who it was before; null where another one is.
   * Saves work alone: numbers are right without it.
   */
  async lease(holder: string, now: number, forMs: number): Promise<{ readonly before: string | null } | null> {
    const found = await this.#counter.findOne({ _id: 'sequence' });
    if (!found) {
      await this.#counter.updateOne({ _id: 'sequence' }, { $setOnInsert: { last: 0, until: 0 } }, { upsert: true });
      return this.lease(holder, now, forMs);
    }
    if (found.holder !== holder && (found.until ?? 0) >= now) return null;
    const same = { _id: 'sequence' as const, holder: found.holder ?? { $exists: false } };
    const done = await this.#counter.updateOne(same as Filter<CounterDocument>, { $set: { holder, until: now + forMs } });
    return done.matchedCount === 1 ? { before: found.holder ?? null } : null;
  }

  /** Numbers no more: another process may at once. */
  async release(holder: string): Promise<void> {
    await this.#counter.updateOne({ _id: 'sequence', holder }, { $set: { until: 0 } });
  }
}
