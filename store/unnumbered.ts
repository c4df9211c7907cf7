import type { Collection, Db } from 'mongodb';
import { chunks } from './chunks.ts';
import type { LinkDocument } from './documents.ts';
import { standingOf } from './census.ts';

/** Links with news that has no number yet, and is not in the counts. */
export class Unnumbered {
  readonly #links: Collection<LinkDocument>;

  constructor(db: Db) {
    this.#links = db.collection('links');
  }

  /** So many of them. */
  some(limit: number): Promise<LinkDocument[]> {
    return this.#links.find({ unnumbered: true }).limit(limit).toArray();
  }

  /** When the oldest of the news was written; null where all has a number. */
  async oldest(): Promise<Date | null> {
    const found = await this.#links.find({ unnumbered: true }).sort({ updatedAt: 1 }).limit(1).toArray();
    return found[0]?.updatedAt ?? null;
  }

  /** The news of these links, as they were read, has its number; a newer revision has news of its own. */
  async settle(links: readonly LinkDocument[]): Promise<void> {
    const alike = new Map<string, { numbered: NonNullable<LinkDocument['numbered']>; keys: string[] }>();
    for (const link of links) {
      const numbered = { revision: link.revision, status: standingOf(link) };
      const key = JSON.stringify(numbered);
      const known = alike.get(key) ?? { numbered, keys: [] };
      known.keys.push(link._id);
      alike.set(key, known);
    }
    for (const { numbered, keys } of alike.values())
      for (const part of chunks(keys)) {
        const as = { _id: { $in: part }, revision: numbered.revision };
        const done = await this.#links.updateMany(as, { $set: { numbered }, $unset: { unnumbered: '' } });
        if (done.matchedCount < part.length)
          await this.#links.updateMany({ _id: { $in: part }, revision: { $gt: numbered.revision } }, { $set: { numbered } });
      }
  }
}
