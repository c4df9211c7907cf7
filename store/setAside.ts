import { createHash } from 'node:crypto';
import type { AnyBulkWriteOperation, Collection, Db } from 'mongodb';
import { asideKey } from '../flows/names.ts';
import { chunks } from './chunks.ts';
import type { SetAsideDocument } from './documents.ts';

/** A record that is set aside, and why, in a text that may quote values. */
export interface Aside {
  readonly id?: string | undefined;
  readonly why: string;
}

/** Records of a feed that could not be dealt with in their turn: read directly again until they can. */
export class SetAside {
  readonly #rows: Collection<SetAsideDocument>;

  constructor(db: Db) {
    this.#rows = db.collection('setAside');
  }

  /** Makes the index; the same call again changes nothing. */
  async prepare(): Promise<void> {
    await this.#rows.createIndex({ feed: 1, nextAt: 1 });
  }

  /** Sets records aside; those that are already keep when they are next read. Tells how many are new. */
  async note(
    feed: string,
    rows: readonly Aside[],
    { kind, now, nextAt = now }: Pick<SetAsideDocument, 'kind'> & { readonly now: number; readonly nextAt?: number },
  ): Promise<number> {
    let fresh = 0;
    for (const part of chunks(rows)) {
      const done = await this.#rows.bulkWrite(
        part.map(({ id = null, why }): AnyBulkWriteOperation<SetAsideDocument> => ({
          updateOne: {
            // What shows no id is known by what is wrong with it.
            filter: { _id: asideKey(feed, id ?? `?${createHash('sha256').update(why).digest('hex').slice(0, 16)}`) },
            update: { $set: { kind, why, seenAt: now }, $setOnInsert: { feed, id, since: now, nextAt, tries: 0 } },
            upsert: true,
          },
        })),
        { ordered: false },
      );
      fresh += done.upsertedCount;
    }
    return fresh;
  }

  /** How many records of a feed are set aside. */
  count(feed: string): Promise<number> {
    return this.#rows.countDocuments({ feed });
  }

  /** Records with an id that are due to be read again; those that waited longest first. */
  due(feed: string, now: number, limit: number): Promise<SetAsideDocument[]> {
    return this.#rows
      .find({ feed, nextAt: { $lte: now }, id: { $ne: null } })
      .sort({ nextAt: 1 })
      .limit(limit)
      .toArray();
  }

  /** A record could still not be dealt with: when it is next read, and why. */
  async postpone(key: string, { nextAt, why, kind }: Pick<SetAsideDocument, 'nextAt' | 'why' | 'kind'>): Promise<void> {
    await this.#rows.updateOne({ _id: key }, { $set: { nextAt, why, kind }, $inc: { tries: 1 } });
  }

  /** A record was dealt with, or is no more. */
  async drop(key: string): Promise<void> {
    await this.#rows.deleteOne({ _id: key });
  }

  /** Rows without an id that were last seen before (ms): a whole comparison has met them no more. */
  async dropUnseen(feed: string, before: number): Promise<void> {
    await this.#rows.deleteMany({ feed, id: null, seenAt: { $lt: before } });
  }

  /** What is set aside of a feed, longest first. */
  ofFeed(feed: string, limit: number): Promise<SetAsideDocument[]> {
    return this.#rows.find({ feed }).sort({ since: 1 }).limit(limit).toArray();
  }

  /** Forgets what is set aside of a feed. */
  async forget(feed: string): Promise<void> {
    await this.#rows.deleteMany({ feed });
  }
}
