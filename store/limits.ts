import type { Collection, Db } from 'mongodb';
import type { LimitDocument } from './documents.ts';

const PAUSED = 'paused';
const missedKey = (system: string): string => `missed:${system}`;
const KEPT_404S = 20;
const limitKey = (flow: string): string => `mass:${flow}`;

/** When a system said "gone" lately (ms), and since when, if so, all of it counts as an outage. */
export interface Missed {
  readonly times: readonly number[];
  readonly since: number | null;
  readonly probedAt: number;
}

/** What holds flows back: endings counted by minute, approvals, pauses. */
export class Limits {
  readonly #limits: Collection<LimitDocument>;

  constructor(db: Db) {
    this.#limits = db.collection('limits');
  }

  /** Adds to a flow's endings, deletions and blanks of a minute; tells those on record and until when (ms) they are approved. */
  async countBulkChange(
    flow: string,
    minute: number,
    add: number,
  ): Promise<{ minutes: Readonly<Record<string, number>>; approvedUntil: number }> {
    const found = await this.#limits.findOneAndUpdate(
      { _id: limitKey(flow) },
      { $inc: { [`minutes.${minute}`]: add } },
      { upsert: true, returnDocument: 'after' },
    );
    const old = Object.keys(found?.minutes ?? {}).filter((at) => Number(at) < minute - 120);
    if (old.length > 60)
      await this.#limits.updateOne(
        { _id: limitKey(flow) },
        { $unset: Object.fromEntries(old.map((at) => [`minutes.${at}`, ''])) },
      );
    return { minutes: found?.minutes ?? {}, approvedUntil: found?.approvedUntil ?? 0 };
  }

  /** Lets a flow end, delete and blank what it likes until then (ms). */
  async approve(flow: string, until: number): Promise<void> {
    await this.#limits.updateOne({ _id: limitKey(flow) }, { $set: { approvedUntil: until } }, { upsert: true });
  }

  /** Notes a record that a system says is gone, where `at` (ms) is given; tells of the last ones, and of an outage. */
  async missed(system: string, at: number | null): Promise<Missed> {
    const _id = missedKey(system);
    const found =
      at === null
        ? await this.#limits.findOne({ _id })
        : await this.#limits.findOneAndUpdate(
            { _id },
            { $push: { times: { $each: [at], $slice: -KEPT_404S } } },
            { upsert: true, returnDocument: 'after' },
          );
    return { times: found?.times ?? [], since: found?.outage?.since ?? null, probedAt: found?.outage?.probedAt ?? 0 };
  }

  /** An outage of a system began, or (null) ended: what was counted is forgotten then. */
  async setOutage(system: string, outage: { since: number; probedAt: number } | null): Promise<void> {
    const fields = outage ? { outage } : { outage: null, times: [] };
    await this.#limits.updateOne({ _id: missedKey(system) }, { $set: fields }, { upsert: true });
  }

  /** Flows and systems that a person has paused. */
  async paused(): Promise<readonly string[]> {
    return (await this.#limits.findOne({ _id: PAUSED }))?.paused ?? [];
  }

  async setPaused(name: string, paused: boolean): Promise<void> {
    await this.#limits.updateOne({ _id: PAUSED }, paused ? { $addToSet: { paused: name } } : { $pull: { paused: name } }, {
      upsert: true,
    });
  }

  /** Forgets what was counted and approved of a flow. */
  async forget(flow: string): Promise<void> {
    await this.#limits.deleteOne({ _id: limitKey(flow) });
  }
}
