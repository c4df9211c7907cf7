import type { Collection, Db } from 'mongodb';
import type { LimitDocument, Miss } from './documents.ts';

const PAUSED = 'paused';
const missedKey = (system: string): string => `missed:${system}`;
const KEPT_404S = 100;
const KEPT_MINUTES = 120;
const MANY = 60;
const limitKey = (flow: string): string => `mass:${flow}`;

/** What is on record of a flow: by minute, what a person approved (until when, ms), and whether it is held back. */
export interface BulkCount {
  readonly minutes: Readonly<Record<string, number>>;
  readonly approvedUntil: number;
  readonly held: boolean;
}

/** Of which records a system said "gone" lately, and since when (ms), if so, all of it counts as an outage. */
export interface Missed {
  readonly misses: readonly Miss[];
  readonly since: number | null;
  readonly probedAt: number;
}

/** What holds flows back: endings counted by minute, approvals, pauses. */
export class Limits {
  readonly #limits: Collection<LimitDocument>;

  constructor(db: Db) {
    this.#limits = db.collection('limits');
  }

  /** Adds to what a flow ends, deletes, makes anew or blanks in a minute; tells what is on record, and whether it is held. */
  async countBulkChange(flow: string, minute: number, add: number): Promise<BulkCount> {
    const found = await this.#limits.findOneAndUpdate(
      { _id: limitKey(flow) },
      { $inc: { [`minutes.${minute}`]: add } },
      { upsert: true, returnDocument: 'after' },
    );
    const old = Object.keys(found?.minutes ?? {}).filter((at) => Number(at) < minute - KEPT_MINUTES);
    if (old.length > MANY)
      await this.#drop(
        flow,
        old.map((at) => `minutes.${at}`),
      );
    return {
      minutes: found?.minutes ?? {},
      approvedUntil: found?.approvedUntil ?? 0,
      held: typeof found?.heldSince === 'number',
    };
  }

  /** Adds to a flow's overwrites with one and the same value (`key`) in a minute; tells those on record, and whether they are held. */
  async countSameValue(
    flow: string,
    key: string,
    at: { minute: number; add: number },
  ): Promise<Pick<BulkCount, 'minutes' | 'held'>> {
    const found = await this.#limits.findOneAndUpdate(
      { _id: limitKey(flow) },
      { $inc: { [`same.${key}.${at.minute}`]: at.add } },
      { upsert: true, returnDocument: 'after' },
    );
    const same = Object.entries(found?.same ?? {});
    const old = same.filter(([, minutes]) => Object.keys(minutes).every((each) => Number(each) < at.minute - KEPT_MINUTES));
    if (old.length > MANY)
      await this.#drop(
        flow,
        old.map(([each]) => `same.${each}`),
      );
    return { minutes: found?.same?.[key] ?? {}, held: found?.heldValues?.includes(key) ?? false };
  }

  /** Values of which a flow's overwrites are held back, by key. */
  async heldValues(flow: string): Promise<readonly string[]> {
    return (await this.#limits.findOne({ _id: limitKey(flow) }, { projection: { heldValues: 1 } }))?.heldValues ?? [];
  }

  async #drop(flow: string, fields: readonly string[]): Promise<void> {
    await this.#limits.updateOne({ _id: limitKey(flow) }, { $unset: Object.fromEntries(fields.map((each) => [each, ''])) });
  }

  /** Holds a flow back, or its overwrites with one value, until a person approves or withdraws. */
  async hold(flow: string, what: { now: number } | { key: string }): Promise<void> {
    const update = 'key' in what ? { $addToSet: { heldValues: what.key } } : { $set: { heldSince: what.now } };
    await this.#limits.updateOne({ _id: limitKey(flow) }, update, { upsert: true });
  }

  /** Holds a flow back no longer and counts anew; a list that lacks very many of its records is believed until then (ms). */
  async approve(flow: string, until: number): Promise<void> {
    const fields = { approvedUntil: until, heldSince: null, heldValues: [], minutes: {}, same: {} };
    await this.#limits.updateOne({ _id: limitKey(flow) }, { $set: fields }, { upsert: true });
  }

  /** Holds a flow back no longer, but counts so many in this minute: what would go the same way again is held at once. */
  async withdraw(flow: string, counted: { minute: number; n: number }): Promise<void> {
    const fields = { approvedUntil: 0, heldSince: null, minutes: { [counted.minute]: counted.n } };
    await this.#limits.updateOne({ _id: limitKey(flow) }, { $set: fields }, { upsert: true });
  }

  /** Notes a record that a system says is gone, where one is given; tells of the last ones, and of an outage. */
  async missed(system: string, miss: Miss | null): Promise<Missed> {
    const _id = missedKey(system);
    const found =
      miss === null
        ? await this.#limits.findOne({ _id })
        : await this.#limits.findOneAndUpdate(
            { _id },
            { $push: { misses: { $each: [miss], $slice: -KEPT_404S } } },
            { upsert: true, returnDocument: 'after' },
          );
    return { misses: found?.misses ?? [], since: found?.outage?.since ?? null, probedAt: found?.outage?.probedAt ?? 0 };
  }

  /** An outage of a system began, or (null) ended: what was counted is forgotten then. */
  async setOutage(system: string, outage: { since: number; probedAt: number } | null): Promise<void> {
    const fields = outage ? { outage } : { outage: null, misses: [] };
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
