import type { Collection, Db } from 'mongodb';
import type { LinkDocument } from './documents.ts';

/** What is asked of all links at once, so that somebody can watch them: one aggregate or one short list a question. */
export class Overview {
  readonly #links: Collection<LinkDocument>;

  constructor(db: Db) {
    this.#links = db.collection('links');
  }

  /** Links that were told of an edit and have not written since, the longest first. Whether there still is one, values tell. */
  uncarried(limit: number): Promise<LinkDocument[]> {
    return this.#links
      .find({ uncarriedSince: { $exists: true } })
      .sort({ uncarriedSince: 1 })
      .limit(limit)
      .toArray();
  }

  /** Since when (ms) the oldest link of each flow has not come past its beginning and waits for nothing. */
  async oldestLinking(): Promise<{ flow: string; since: number }[]> {
    const found = await this.#links
      .aggregate<{ _id: string; since: number }>([
        { $match: { status: 'linking', block: null } },
        { $group: { _id: '$flow', since: { $min: '$statusAt' } } },
      ])
      .toArray();
    return found.map(({ _id, since }) => ({ flow: _id, since }));
  }
}
