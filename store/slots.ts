import type { Collection, Db, UpdateFilter } from 'mongodb';
import type { RateSlots } from '../connectors/rateLimiter.ts';
import type { SlotState, SlotUser } from '../connectors/fairShare.ts';
import { isDuplicate } from './chunks.ts';
import type { LimitDocument } from './documents.ts';

type Take = Parameters<RateSlots['take']>[1];

const stateOf = (found: LimitDocument | null): SlotState => ({
  next: found?.next ?? 0,
  holdUntil: found?.holdUntil ?? 0,
  users: found?.users ?? {},
  virtual: found?.virtual ?? 0,
  finish: found?.finish ?? {},
  resets: found?.resets ?? 0,
});

/** The rate limiter's slots. Compare-and-set on one number, so that no server-side clock is needed. */
export class Slots implements RateSlots {
  readonly #limits: Collection<LimitDocument>;

  constructor(db: Db) {
    this.#limits = db.collection('limits');
  }

  say(key: string, user: string, says: SlotUser): Promise<SlotState> {
    return this.#update(key, { $set: { [`users.${user}`]: says }, $setOnInsert: { next: 0 } });
  }

  async look(key: string): Promise<SlotState> {
    return stateOf(await this.#limits.findOne({ _id: key }));
  }

  async take(key: string, { known, next, user, says, start, gone }: Take): Promise<SlotState | null> {
    const found = await this.#limits.findOneAndUpdate(
      { _id: key, next: known },
      {
        $set: { next, virtual: start, [`finish.${says.installation}`]: start + 1, [`users.${user}`]: says },
        $inc: { taken: 1 },
        ...(gone.length === 0 ? {} : { $unset: Object.fromEntries(gone.map((each) => [`users.${each}`, ''])) }),
      } as UpdateFilter<LimitDocument>,
      { returnDocument: 'after' },
    );
    return found && stateOf(found);
  }

  /** How many slots the limiter of a key has handed out, at what spacing (ms), and when (ms) the next one is free. */
  async used(key: string): Promise<{ taken: number; spacingMs: number; next: number } | null> {
    const found = await this.#limits.findOne({ _id: key });
    const spacings = Object.values(found?.users ?? {}).map(({ spacingMs }) => spacingMs);
    if (!found || spacings.length === 0) return null;
    return { taken: found.taken ?? 0, spacingMs: Math.max(...spacings), next: found.next ?? 0 };
  }

  push(key: string, until: number): Promise<SlotState> {
    return this.#update(key, { $max: { next: until, holdUntil: until } });
  }

  delay(key: string, ms: number): Promise<SlotState> {
    return this.#update(key, { $inc: { next: ms } });
  }

  async reset(key: string, from: number, to: number): Promise<SlotState> {
    await this.#limits.updateOne({ _id: key, next: from }, { $set: { next: to }, $inc: { resets: 1 } });
    return this.look(key);
  }

  async leave(key: string, user: string): Promise<void> {
    await this.#limits.updateOne({ _id: key }, { $unset: { [`users.${user}`]: '' } } as UpdateFilter<LimitDocument>);
  }

  async #update(key: string, update: object, again = true): Promise<SlotState> {
    try {
      return stateOf(
        await this.#limits.findOneAndUpdate({ _id: key }, update as UpdateFilter<LimitDocument>, {
          upsert: true,
          returnDocument: 'after',
        }),
      );
    } catch (error) {
      // Another process made the document at the same moment.
      if (again && isDuplicate(error)) return this.#update(key, update, false);
      throw error;
    }
  }
}
