import { MongoClient, type Db } from 'mongodb';
import type { RateSlots } from '../connectors/rateLimiter.ts';
import { Candidates } from './candidates.ts';
import { Changes } from './changes.ts';
import { Cursors } from './cursors.ts';
import { History } from './history.ts';
import { Limits } from './limits.ts';
import { Links } from './links.ts';
import { Requests } from './requests.ts';
import { Slots } from './slots.ts';
import { Steering } from './steering.ts';
import { Systems } from './systems.ts';

/** A client of MongoDB that somebody else opened. */
export type OpenClient = MongoClient;

/**
 * What has to be asked about many links at once, in MongoDB: a file for each collection, and no query anywhere else. One
 * document per write, no transaction, no server-side clock, so any server of the protocol serves.
 */
export class Store {
  readonly #client: MongoClient;
  readonly #owned: boolean;
  readonly #db: Db;
  readonly links: Links;
  readonly candidates: Candidates;
  readonly history: History;
  readonly cursors: Cursors;
  readonly systems: Systems;
  readonly limits: Limits;
  readonly slots: RateSlots;
  readonly changes: Changes;
  readonly requests: Requests;
  readonly steering: Steering;

  private constructor(client: MongoClient, db: Db, owned = true) {
    this.#client = client;
    this.#owned = owned;
    this.#db = db;
    this.links = new Links(db);
    this.candidates = new Candidates(db);
    this.history = new History(db);
    this.cursors = new Cursors(db);
    this.systems = new Systems(db);
    this.limits = new Limits(db);
    this.slots = new Slots(db);
    this.changes = new Changes(db);
    this.requests = new Requests(db);
    this.steering = new Steering(db);
  }

  /** Connects; the database's name is in the address's path. Rejects when nothing answers within `timeoutMs`. */
  static async connect(uri: string, timeoutMs = 5000): Promise<Store> {
    const client = new MongoClient(uri, {
      serverSelectionTimeoutMS: timeoutMs,
      connectTimeoutMS: timeoutMs,
      retryWrites: false,
      ignoreUndefined: true,
    });
    try {
      await client.connect();
      await client.db().command({ ping: 1 });
    } catch (error) {
      await client.close().catch(() => {});
      throw error;
    }
    return new Store(client, client.db());
  }

  /** Over a client that somebody else opened, and closes. */
  static over(client: OpenClient, database: string): Store {
    return new Store(client, client.db(database), false);
  }

  /** Makes the indexes; the same call again changes nothing. */
  async prepare(historyDays: number): Promise<void> {
    await this.links.prepare();
    await this.candidates.prepare();
    await this.history.prepare(historyDays);
    await this.changes.prepare(historyDays);
    await this.requests.prepare();
    await this.steering.prepare(historyDays);
  }

  /** How many documents there are of each kind. */
  async sizes(): Promise<Record<'links' | 'candidates' | 'history' | 'cursors' | 'systems', number>> {
    return {
      links: await this.links.count(),
      candidates: await this.candidates.count(),
      history: await this.history.count(),
      cursors: (await this.cursors.all()).length,
      systems: (await this.systems.all()).length,
    };
  }

  /** Rejects when the server does not answer. */
  async ping(): Promise<void> {
    await this.#db.command({ ping: 1 });
  }

  async close(): Promise<void> {
    if (this.#owned) await this.#client.close();
  }
}

/** The part of the store that activities use; tests of schedules bring one of their own. */
export interface LinkStore {
  readonly links: Pick<
    Links,
    | 'byKey'
    | 'bySource'
    | 'byTarget'
    | 'writtenBefore'
    | 'countWritten'
    | 'count'
    | 'discover'
    | 'raise'
    | 'write'
    | 'noteCreation'
  >;
  readonly candidates: Pick<Candidates, 'byId' | 'withKeys' | 'referringTo' | 'note'>;
  readonly history: Pick<History, 'add'>;
  readonly cursors: Pick<Cursors, 'get' | 'set'>;
  readonly limits: Pick<Limits, 'countBulkChange' | 'countSameValue' | 'heldValues' | 'hold' | 'paused' | 'missed' | 'setOutage'>;
}
