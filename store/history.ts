import type { Collection, Db } from 'mongodb';
import { revisionOf } from '../flows/names.ts';
import { isDuplicate } from './chunks.ts';
import type { HistoryDocument } from './documents.ts';
import { keepFor } from './keepFor.ts';

/** Which part of a link's history, newest first. */
export interface HistoryPage {
  readonly limit?: number | undefined;
  /** Changes of this property alone. */
  readonly property?: string | undefined;
  /** Changes from before this instant alone. */
  readonly before?: Date | undefined;
}

/** Workers' clocks part by less than this (ms). */
const SKEW_MS = 60_000;

/** Every applied change, one document each. */
export class History {
  readonly #history: Collection<HistoryDocument>;

  constructor(db: Db) {
    this.#history = db.collection('history');
  }

  /** Makes the indexes, with the time that changes are kept; the same call again changes nothing. */
  async prepare(days: number): Promise<void> {
    await this.#history.createIndex({ link: 1, at: -1 });
    await keepFor(this.#history, 'at', days);
  }

  /**
   * Adds changes; a later attempt at the same change replaces the note of an earlier one, never the other way. What was
   * answered replaces what was not, whichever attempt it was, and never the other way.
   */
  async add(changes: readonly HistoryDocument[]): Promise<void> {
    for (const change of changes) {
      const { _id, attempt, unanswered } = change;
      const older = { _id, attempt: { $lte: attempt } };
      try {
        await this.#history.replaceOne(unanswered ? { ...older, unanswered } : older, change, { upsert: true });
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        if (!unanswered) await this.#history.replaceOne({ _id, unanswered: true }, change);
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

  /** The changes of a link after one revision, up to another, in their order; those that were never answered are none. */
  async between(link: string, after: number, upTo: number): Promise<HistoryDocument[]> {
    const found: HistoryDocument[] = [];
    let enough = Number.NEGATIVE_INFINITY;
    for await (const change of this.#history.find({ link, unanswered: { $ne: true } }).sort({ at: -1 })) {
      const revision = revisionOf(link, change._id);
      if (revision <= after) enough = Math.max(enough, change.at.getTime() - SKEW_MS);
      if (change.at.getTime() < enough) break;
      if (revision > after && revision <= upTo) found.push(change);
    }
    return found.sort((a, b) => revisionOf(link, a._id) - revisionOf(link, b._id) || (a._id < b._id ? -1 : 1));
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
