import type { Collection, Db } from 'mongodb';
import { chunks } from './chunks.ts';
import type { IdListDocument } from './documents.ts';

/** Lists of ids under way, in parts. */
export class IdLists {
  readonly #parts: Collection<IdListDocument>;

  constructor(db: Db) {
    this.#parts = db.collection('idLists');
  }

  /** Makes the index; the same call again changes nothing. */
  async prepare(): Promise<void> {
    await this.#parts.createIndex({ feed: 1 });
  }

  async add(part: IdListDocument): Promise<void> {
    await this.#parts.insertOne(part);
  }

  /** The ids of these parts; null where one is lost. */
  async get(parts: readonly string[]): Promise<string[] | null> {
    const ids: string[] = [];
    let found = 0;
    for (const some of chunks(parts))
      for (const part of await this.#parts.find({ _id: { $in: some } }).toArray()) {
        found += 1;
        for (const id of part.ids) ids.push(id);
      }
    return found === parts.length ? ids : null;
  }

  /** Forgets all parts of a feed's lists. */
  async forget(feed: string): Promise<void> {
    await this.#parts.deleteMany({ feed });
  }
}
