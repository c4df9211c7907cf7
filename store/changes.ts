import type { Collection, Db } from 'mongodb';
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
  /** The number of the oldest event that is kept; one more than the newest where none is. */
  readonly oldest: number;
}

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
    let last = await this.#last();
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
          last = await this.#last();
        }
      }
    await this.#counter.updateOne({ _id: 'sequence' }, { $max: { last } }, { upsert: true });
  }

  /** Events after a number, oldest first. */
  async after(number: number, limit: number): Promise<EventPage> {
    const events = await this.#events
      .find({ _id: { $gt: number } })
      .sort({ _id: 1 })
      .limit(limit)
      .toArray();
    const newest = await this.#last();
    const oldest = (await this.#events.find({}).sort({ _id: 1 }).limit(1).toArray())[0]?._id ?? newest + 1;
    return { events, newest, oldest };
  }

  /** Whether an event with that number is kept. */
  async has(number: number): Promise<boolean> {
    return (await this.#events.findOne({ _id: number }, { projection: { _id: 1 } })) !== null;
  }

  /** Whether this process is the one that numbers for the next `forMs`. Saves work alone: numbers are right without it. */
  async lease(holder: string, now: number, forMs: number): Promise<boolean> {
    await this.#counter.updateOne({ _id: 'sequence' }, { $setOnInsert: { last: 0, until: 0 } }, { upsert: true });
    const free = { _id: 'sequence' as const, $or: [{ holder }, { until: { $lt: now } }] };
    return (await this.#counter.updateOne(free, { $set: { holder, until: now + forMs } })).matchedCount === 1;
  }

  async #last(): Promise<number> {
    const newest = (await this.#events.find({}).sort({ _id: -1 }).limit(1).toArray())[0]?._id ?? 0;
    return Math.max(newest, (await this.#counter.findOne({ _id: 'sequence' }))?.last ?? 0);
  }
}
