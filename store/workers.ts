import type { Collection, Db } from 'mongodb';

/** A worker that runs; `_id` names its process. It stands where installations share limits, so that all see all. */
export interface WorkerDocument {
  readonly _id: string;
  readonly installation: string;
  /** Its clock when it last said so (ms). */
  readonly at: number;
  /** The flows that it runs. */
  readonly flows: readonly string[];
  /** Its clock against those of the others, where it disagrees with most of them; ahead is positive (ms). */
  readonly apart: { readonly ms: number; readonly of: number; readonly others: number; readonly since: number } | null;
}

/** The workers that run, and by their signs of life how their clocks stand to one another. */
export class Workers {
  readonly #workers: Collection<WorkerDocument>;

  constructor(limits: Db) {
    this.#workers = limits.collection('workers');
  }

  /** A sign of life. */
  async beat({ _id, ...fields }: WorkerDocument): Promise<void> {
    await this.#workers.updateOne({ _id }, { $set: fields }, { upsert: true });
  }

  all(): Promise<WorkerDocument[]> {
    return this.#workers.find({}).toArray();
  }

  /** Forgets a worker that stopped, or one that has given no sign since `at`. */
  async forget(id: string, at?: number): Promise<void> {
    await this.#workers.deleteOne({ _id: id, ...(at === undefined ? {} : { at }) });
  }
}
