import type { Collection, Db } from 'mongodb';
import { UNREAD, type CursorDocument } from './documents.ts';

/** How far each feed was read. */
export class Cursors {
  readonly #cursors: Collection<CursorDocument>;

  constructor(db: Db) {
    this.#cursors = db.collection('cursors');
  }

  /** A feed's cursor; that of an unread one where the store has none. */
  async get(feed: string): Promise<CursorDocument> {
    const found = await this.#cursors.findOne({ _id: feed });
    return { ...UNREAD, ...found, _id: feed };
  }

  async set(feed: string, fields: Partial<Omit<CursorDocument, '_id'>>): Promise<void> {
    await this.#cursors.updateOne({ _id: feed }, { $set: fields }, { upsert: true });
  }

  all(): Promise<CursorDocument[]> {
    return this.#cursors.find({}).toArray();
  }

  /** Forgets how far a feed was read: it is read from its beginning again. */
  async forget(feed: string): Promise<void> {
    await this.#cursors.deleteOne({ _id: feed });
  }
}
