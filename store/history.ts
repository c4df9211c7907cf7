import { MongoServerError, type Collection, type Db } from 'mongodb';
import { isDuplicate } from './chunks.ts';
import type { HistoryDocument } from './documents.ts';

/** Which part of a link's history, newest first. */
export interface HistoryPage {
  readonly limit?: number | undefined;
  /** Changes of this property alone. */
  readonly property?: string | undefined;
  /** Changes from before this instant alone. */
  readonly before?: Date | undefined;
}

/** Every applied change, one document each. */
export class History {
  readonly #history: Collection<HistoryDocument>;

  constructor(db: Db) {
    this.#history = db.collection('history');
  }

  /** Makes the indexes, with the time that changes are kept; the same call again changes nothing. */
  async prepare(days: number): Promise<void> {
    await this.#history.createIndex({ link: 1, at: -1 });
    const expireAfterSeconds = Math.round(days * 24 * 3600);
    await this.#history.createIndex({ at: 1 }, { name: 'kept', expireAfterSeconds }).catch(async (error: unknown) => {
      if (!(error instanceof MongoServerError)) throw error;
      // The index stands with another time: historyDays was changed.
      await this.#history.dropIndex('kept');
      await this.#history.createIndex({ at: 1 }, { name: 'kept', expireAfterSeconds });
    });
  }

  /** Adds changes; a later attempt at the same change replaces the note of an earlier one, never the other way. */
  async add(changes: readonly HistoryDocument[]): Promise<void> {
    for (const change of changes) {
      try {
        await this.#history.replaceOne({ _id: change._id, attempt: { $lte: change.attempt } }, change, { upsert: true });
      } catch (error) {
        if (!isDuplicate(error)) throw error;
      }
    }
  }

  /** The changes of a link, newest first. */
  ofLink(link: string, { limit = 0, property, before }: HistoryPage = {}): Promise<HistoryDocument[]> {
    return this.#history
      .find({
        link,
        ...(property === undefined ? {} : { property }),
        ...(before === undefined ? {} : { at: { $lt: before } }),
      })
      .sort({ at: -1 })
      .limit(limit)
      .toArray();
  }

  /** One change by its key; null where the store has none, or no longer. */
  byKey(key: string): Promise<HistoryDocument | null> {
    return this.#history.findOne({ _id: key });
  }

  count(): Promise<number> {
    return this.#history.countDocuments({});
  }

  /** Forgets the history of a flow. */
  async forget(flow: string): Promise<void> {
    await this.#history.deleteMany({ flow });
  }
}
