import { randomUUID } from 'node:crypto';
import type { Collection, Db, Filter } from 'mongodb';
import { indexKey } from '../flows/names.ts';
import { UNREAD, type CursorDocument } from './documents.ts';

/** Another watcher has taken the feed over: what this one still wants to write is out of date. */
export class FeedTaken extends Error {
  override readonly name = 'FeedTaken';
}

/** What anybody may ask of a feed (ms); everything else its watcher alone writes. */
export type FeedAsk = Partial<Pick<CursorDocument, 'sweepAsked' | 'lookAsked' | 'idsAsked'>>;
/** What the watcher writes. */
export type CursorFields = Partial<Omit<CursorDocument, '_id' | 'fence' | 'recordAsked' | keyof FeedAsk>>;

/** How far each feed was read. */
export class Cursors {
  readonly #cursors: Collection<CursorDocument>;

  constructor(db: Db) {
    this.#cursors = db.collection('cursors');
  }

  /** A feed's cursor; that of an unread one where the store has none. */
  async get(feed: string): Promise<CursorDocument> {
    const found = await this.#cursors.findOne({ _id: feed });
    return { ...UNREAD, ...found, _id: feed };
  }

  /** Asks a feed for something before it is due. */
  async ask(feed: string, what: FeedAsk): Promise<void> {
    await this.#cursors.updateOne({ _id: feed }, { $set: what }, { upsert: true });
  }

  /** Asks for one record to be read before the poll is due; where another one waits already, for the whole feed. */
  async askRecord(feed: string, id: string, now: number): Promise<void> {
    const free = { _id: feed, 'recordAsked.id': { $in: [null, id] } } as Filter<CursorDocument>;
    const done = await this.#cursors.updateOne(free, { $set: { recordAsked: { id, at: now } } });
    if (done.matchedCount === 0) await this.ask(feed, { lookAsked: now });
  }

  /** Takes a record that was asked for, to read it now; false where it was asked for again since, or taken. */
  async takeRecord(feed: string, { id, at }: NonNullable<CursorDocument['recordAsked']>): Promise<boolean> {
    const same = { _id: feed, 'recordAsked.id': id, 'recordAsked.at': at } as Filter<CursorDocument>;
    return (await this.#cursors.updateOne(same, { $set: { recordAsked: null } })).matchedCount === 1;
  }

  /** Makes the caller the feed's watcher, from now on the only one whose writes count; gives its fence. */
  async takeOver(feed: string): Promise<string> {
    const fence = randomUUID();
    await this.#cursors.updateOne({ _id: feed }, { $set: { fence } }, { upsert: true });
    return fence;
  }

  /** Moves a cursor, for the watcher that has the feed. Throws FeedTaken for any other: it may have slept meanwhile. */
  async advance(feed: string, fence: string, fields: CursorFields): Promise<void> {
    const done = await this.#cursors.updateOne({ _id: feed, fence }, { $set: fields });
    if (done.matchedCount === 0) throw new FeedTaken(`another watcher has ${feed}`);
  }

  all(): Promise<CursorDocument[]> {
    return this.#cursors.find({}).toArray();
  }

  /** Forgets how far a feed was read: it is read from its beginning again. */
  async forget(feed: string): Promise<void> {
    await this.#cursors.deleteOne({ _id: feed });
  }

  /** Forgets what feeds know of a flow, should it come back: its records are noted and listed anew. */
  async forgetFlow(flow: string): Promise<void> {
    for (const { _id, indexed = [] } of await this.all())
      await this.#cursors.updateOne(
        { _id },
        {
          $pullAll: { indexed: indexed.filter((name) => name.startsWith(indexKey(flow, ''))) },
          $pull: { notBelieved: { flow } },
        },
      );
  }
}
