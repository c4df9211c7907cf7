import type { Collection, Db } from 'mongodb';
import type { OwnerDocument } from './documents.ts';

const ID = 'owner';

/** To which installation the database belongs, and how old its documents are. */
export class Owner {
  readonly #owner: Collection<OwnerDocument>;

  constructor(db: Db) {
    this.#owner = db.collection('owner');
  }

  get(): Promise<OwnerDocument | null> {
    return this.#owner.findOne({ _id: ID });
  }

  /** Claims the database for an installation unless it is claimed; tells whose it is then. */
  async claim(owner: Omit<OwnerDocument, '_id'>): Promise<OwnerDocument> {
    await this.#owner.updateOne({ _id: ID }, { $setOnInsert: owner }, { upsert: true });
    return (await this.get()) ?? { _id: ID, ...owner };
  }

  async set(fields: Partial<Omit<OwnerDocument, '_id'>>): Promise<void> {
    await this.#owner.updateOne({ _id: ID }, { $set: fields });
  }

  /** Notes that a flow was removed and its links kept, or (false) that nothing of it is there any more. */
  async setRemoved(flow: string, kept: boolean): Promise<void> {
    await this.#owner.updateOne({ _id: ID }, kept ? { $addToSet: { removed: flow } } : { $pull: { removed: flow } });
  }

  /** Flows that run again are removed no longer. */
  async setConfigured(flows: readonly string[]): Promise<void> {
    await this.#owner.updateOne({ _id: ID }, { $pullAll: { removed: [...flows] } });
  }
}
