import type { Collection, Db } from 'mongodb';
import { isDuplicate } from './chunks.ts';
import { keepFor } from './keepFor.ts';

/** A request that carried a key; `_id` is the caller's name and the key. */
interface RequestDocument {
  readonly _id: string;
  /** Of method, path, query and body. */
  readonly fingerprint: string;
  readonly at: Date;
  /** Null while it runs. */
  readonly answer: Answer | null;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

const KEPT_DAYS = 1;
/** A request that has run so long was lost with its process (ms). */
const LOST_MS = 5 * 60_000;

/** Requests that carried an idempotency key, so that none is done twice within a day. */
export class Requests {
  readonly #requests: Collection<RequestDocument>;

  constructor(db: Db) {
    this.#requests = db.collection('requests');
  }

  /** Makes the indexes; the same call again changes nothing. */
  async prepare(): Promise<void> {
    await keepFor(this.#requests, 'at', KEPT_DAYS);
  }

  /** `new`: it may run now. `running`: the same is under way. `other`: the key was used for another request. */
  async begin(key: string, fingerprint: string): Promise<'new' | 'running' | 'other' | Answer> {
    const fresh = { _id: key, fingerprint, at: new Date(), answer: null };
    try {
      await this.#requests.insertOne(fresh);
      return 'new';
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
    const known = await this.#requests.findOne({ _id: key });
    if (!known) return this.begin(key, fingerprint);
    const now = Date.now();
    const over = known.at.getTime() < now - KEPT_DAYS * 86_400_000;
    const lost = known.answer === null && known.at.getTime() < now - LOST_MS;
    if (over || lost) {
      const taken = await this.#requests.replaceOne({ _id: key, at: known.at }, fresh);
      return taken.modifiedCount === 1 ? 'new' : 'running';
    }
    if (known.fingerprint !== fingerprint) return 'other';
    return known.answer ?? 'running';
  }

  /** Keeps the answer for the same request again. */
  async finish(key: string, answer: Answer): Promise<void> {
    await this.#requests.updateOne({ _id: key }, { $set: { answer } });
  }

  /** Forgets a request that was not carried out. */
  async abandon(key: string): Promise<void> {
    await this.#requests.deleteOne({ _id: key, answer: null });
  }
}
