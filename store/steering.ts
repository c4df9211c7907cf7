import type { Collection, Db } from 'mongodb';
import { keepFor } from './keepFor.ts';

/** A steering call: who asked for what, when, and what came of it. */
export interface SteeringDocument {
  readonly at: Date;
  readonly who: string;
  readonly what: string;
  readonly path: string;
  readonly requestId: string;
  readonly status: number;
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

  async note(call: SteeringDocument): Promise<void> {
    await this.#calls.insertOne({ ...call });
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
