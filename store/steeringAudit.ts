import type { Collection, Db, ObjectId } from 'mongodb';
import { keepFor } from './keepFor.ts';

/** A steering call: who asked for what, when, and what came of it. */
export interface SteeringDocument {
  readonly at: Date;
  readonly who: string;
  readonly what: string;
  readonly path: string;
  readonly requestId: string;
  /** Null until it is known. */
  readonly status: number | null;
}

/** The audit of steering calls. */
export class Steering {
  readonly #calls: Collection<SteeringDocument>;

  constructor(db: Db) {
    this.#calls = db.collection('steering');
  }

  /** Makes the indexes; the same call again changes nothing. */
  async prepare(historyDays: number): Promise<void> {
    await keepFor(this.#calls, 'at', historyDays);
  }

  /** Keeps a call before it is carried out; what it gives takes what came of it. */
  async begin(call: Omit<SteeringDocument, 'status'>): Promise<(status: number) => Promise<void>> {
    const { insertedId } = await this.#calls.insertOne({ ...call, status: null });
    return (status) => this.#end(insertedId, status);
  }

  async #end(_id: ObjectId, status: number): Promise<void> {
    await this.#calls.updateOne({ _id }, { $set: { status } });
  }

  /** The latest calls, newest first. */
  async latest(limit: number): Promise<SteeringDocument[]> {
    return this.#calls
      .find({}, { projection: { _id: 0 } })
      .sort({ at: -1 })
      .limit(limit)
      .toArray();
  }
}
