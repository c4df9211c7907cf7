import type { Collection, Db } from 'mongodb';
import type { RateSlots } from '../connectors/rateLimiter.ts';
import type { LimitDocument } from './documents.ts';

/** The rate limiter's slots. Compare-and-set on one number, so that no server-side clock is needed. */
export class Slots implements RateSlots {
  readonly #limits: Collection<LimitDocument>;

  constructor(db: Db) {
    this.#limits = db.collection('limits');
  }

  async take(
    key: string,
    { known, now, spacingMs }: { readonly known: number; readonly now: number; readonly spacingMs: number },
  ): Promise<{ slot: number; next: number } | { taken: number }> {
    const slot = Math.max(now, known);
    const next = slot + spacingMs;
    const before = await this.#limits.updateOne({ _id: key, next: known }, { $set: { next } });
    if (before.matchedCount === 1) return { slot, next };
    const found = await this.#limits.findOne({ _id: key });
    if (found) return { taken: found.next ?? 0 };
    await this.#limits.updateOne({ _id: key }, { $setOnInsert: { next: 0 } }, { upsert: true });
    return { taken: 0 };
  }

  async push(key: string, until: number): Promise<number> {
    const found = await this.#limits.findOneAndUpdate(
      { _id: key },
      { $max: { next: until } },
      { upsert: true, returnDocument: 'after' },
    );
    return found?.next ?? until;
  }

  async delay(key: string, ms: number): Promise<number> {
    const found = await this.#limits.findOneAndUpdate(
      { _id: key },
      { $inc: { next: ms } },
      { upsert: true, returnDocument: 'after' },
    );
    return found?.next ?? 0;
  }
}
