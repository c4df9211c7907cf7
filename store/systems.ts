import type { Collection, Db } from 'mongodb';
import type { SystemDocument } from './documents.ts';

/** What is remembered of both systems. */
export class Systems {
  readonly #systems: Collection<SystemDocument>;

  constructor(db: Db) {
    this.#systems = db.collection('systems');
  }

  async get(system: string): Promise<SystemDocument> {
    return (await this.#systems.findOne({ _id: system })) ?? { _id: system };
  }

  async set(system: string, fields: Partial<Omit<SystemDocument, '_id'>>): Promise<void> {
    await this.#systems.updateOne({ _id: system }, { $set: fields }, { upsert: true });
  }

  all(): Promise<SystemDocument[]> {
    return this.#systems.find({}).toArray();
  }
}
