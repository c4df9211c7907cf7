import type { Db, MongoClient } from 'mongodb';
import { DEFAULT_INSTALLATION, type Ends, LIMITS_DATABASE } from '../flows/installation.ts';
import { feedKey } from '../flows/names.ts';
import { Candidates } from './candidates.ts';
import { Changes } from './changes.ts';
import { connectMongo, PINNED, type StoreOptions } from './connect.ts';
import { Cursors } from './cursors.ts';
import type { OwnerDocument } from './documents.ts';
import { History } from './history.ts';
import { IdLists } from './idLists.ts';
import { Limits } from './limits.ts';
import { INDEXES } from './indexes.ts';
import { LandmarkStore } from './landmarks.ts';
import { LinkPages } from './linkPages.ts';
import { Links } from './links.ts';
import { Overview } from './overview.ts';
import { SetAside } from './setAside.ts';
import { Requests } from './requests.ts';
import { Owner } from './owner.ts';
import { Slots } from './slots.ts';
import { Steering } from './steeringAudit.ts';
import { Systems } from './systems.ts';
import { Census } from './census.ts';
import { Unnumbered } from './unnumbered.ts';
import { Workers } from './workers.ts';

/** A client of MongoDB that somebody else opened. */
export type OpenClient = MongoClient;
/** Counts the changes to the shape of documents and indexes; `migrate` brings an older database up to date. */
export const SCHEMA = 2;

/** Whose collections these are: what an installation leaves when it goes. The owner is last: until then nobody else moves in. */
const COLLECTIONS = [
  'links',
  'candidates',
  'history',
  'changes',
  'counters',
  'cursors',
  'idLists',
  'limits',
  'requests',
  'setAside',
  'steering',
  'systems',
  'owner',
] as const;

const NAMESPACE_NOT_FOUND = 26;

/** The system that has a type, where one feed alone says so. */
function systemOf(feeds: readonly string[], type: string, other: string): string {
  const found = ['powerOffice', 'crm'].filter((system) => feeds.includes(feedKey(system, type)));
  return found.length === 1 && found[0] !== undefined ? found[0] : other;
}

/**
 * What has to be asked about many links at once, in MongoDB: a file for each collection, and no query anywhere else. One
 * document per write, no transaction, no server-side clock, so any server of the protocol serves.
 */
export class Store {
  /** Closed with the store; none where somebody else opened them. */
  readonly #clients: readonly MongoClient[];
  readonly #db: Db;
  readonly links: Links;
  readonly pages: LinkPages;
  readonly landmarks: LandmarkStore;
  readonly census: Census;
  readonly unnumbered: Unnumbered;
  readonly overview: Overview;
  readonly candidates: Candidates;
  readonly history: History;
  readonly cursors: Cursors;
  readonly idLists: IdLists;
  readonly setAside: SetAside;
  readonly systems: Systems;
  readonly limits: Limits;
  readonly owner: Owner;
  readonly slots: Slots;
  readonly workers: Workers;
  readonly changes: Changes;
  readonly requests: Requests;
  readonly steering: Steering;

  private constructor(clients: readonly MongoClient[], db: Db, limits: Db) {
    this.#clients = clients;
    this.#db = db;
    this.links = new Links(db);
    this.landmarks = new LandmarkStore(db);
    this.pages = new LinkPages(db, this.landmarks);
    this.census = new Census(db);
    this.unnumbered = new Unnumbered(db);
    this.overview = new Overview(db);
    this.candidates = new Candidates(db);
    this.history = new History(db);
    this.cursors = new Cursors(db);
    this.idLists = new IdLists(db);
    this.setAside = new SetAside(db);
    this.systems = new Systems(db);
    this.limits = new Limits(db);
    this.owner = new Owner(db);
    this.database = db.databaseName;
    this.slots = new Slots(limits);
    this.workers = new Workers(limits);
    this.changes = new Changes(db);
    this.requests = new Requests(db);
    this.steering = new Steering(db);
  }

  /** Connects to the database in the address's path, or to the one that the options name. Rejects when nothing answers in time. */
  static async connect(uri: string, options: StoreOptions = {}): Promise<Store> {
    const { client, db } = await connectMongo(uri, options);
    if (options.limits === undefined) return new Store([client], db, client.db(LIMITS_DATABASE, PINNED));
    try {
      const shared = await connectMongo(options.limits, { ...options, database: LIMITS_DATABASE });
      return new Store([client, shared.client], db, shared.db);
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** The database's name. */
  readonly database: string;

  /** Whose database it is; null where it is nobody's yet. One from before installations had names is the default one's. */
  async whose(): Promise<OwnerDocument | null> {
    const owner = await this.owner.get();
    if (owner) return owner;
    const known = (await this.systems.all()).some(({ identity }) => identity !== undefined);
    const used = known || (await this.links.list({}, { limit: 1 })).length > 0;
    return used ? { _id: 'owner', name: DEFAULT_INSTALLATION, schema: 1 } : null;
  }

  /**
   * Brings the documents of an older schema up to date; again, it changes nothing. `flows` tell the systems of their
   * links; those of other flows are where their feeds are. Tells how many links it changed.
   */
  async migrate(flows: readonly (Ends & { readonly name: string })[]): Promise<number> {
    const owner = await this.whose();
    if (!owner) return 0;
    // Schema 2: links name the systems of both ends, and a target is unique by system, type and id.
    const feeds = (await this.cursors.all()).map(({ _id }) => _id);
    let changed = 0;
    for (const { flow, sourceType, targetType } of await this.links.withoutSystems()) {
      const ends = flows.find((each) => each.name === flow);
      const source = ends?.source.system ?? systemOf(feeds, sourceType, 'powerOffice');
      const target = ends?.target.system ?? systemOf(feeds, targetType, source === 'crm' ? 'powerOffice' : 'crm');
      changed += await this.links.setSystems(flow, {
        source: { system: source, type: sourceType },
        target: { system: target, type: targetType },
      });
    }
    await this.links.prepare();
    await this.owner.claim({ name: owner.name, schema: SCHEMA });
    await this.owner.set({ schema: SCHEMA });
    return changed;
  }

  /** Over a client that somebody else opened, and closes; how writes count and what is read is ours, whatever its options say. */
  static async over(client: OpenClient, database: string, { limits }: Pick<StoreOptions, 'limits'> = {}): Promise<Store> {
    const db = client.db(database, PINNED);
    if (limits === undefined) return new Store([], db, client.db(LIMITS_DATABASE, PINNED));
    const shared = await connectMongo(limits, { database: LIMITS_DATABASE });
    return new Store([shared.client], db, shared.db);
  }

  /** Makes the indexes; the same call again changes nothing. */
  async prepare(historyDays: number): Promise<void> {
    await this.links.prepare();
    await this.candidates.prepare();
    await this.idLists.prepare();
    await this.setAside.prepare();
    await this.history.prepare(historyDays);
    await this.changes.prepare(historyDays);
    await this.requests.prepare();
    await this.steering.prepare(historyDays);
  }

  /** Forgets all that there is of a flow; its numbered changes stay for those who follow them, as long as they are kept. */
  async forgetFlow(flow: string): Promise<void> {
    await this.links.forget(flow);
    await this.census.forget();
    await this.candidates.forget(flow);
    await this.history.forget(flow);
    await this.limits.forget(flow);
    await this.cursors.forgetFlow(flow);
  }

  /** Forgets all that there is of an installation: the database is nobody's then. What others keep in it stays. */
  async forgetAll(): Promise<void> {
    for (const name of COLLECTIONS)
      await this.#db
        .collection(name)
        .drop()
        .catch((error: { code?: unknown }) => {
          // It never was.
          if (error.code !== NAMESPACE_NOT_FOUND) throw error;
        });
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

  /** Indexes that a worker's start makes and that are not there, as `collection.name`. */
  async missingIndexes(): Promise<string[]> {
    const missing: string[] = [];
    for (const [collection, names] of Object.entries(INDEXES)) {
      const there = new Set(
        (
          await this.#db
            .collection(collection)
            .indexes()
            .catch(() => [])
        ).map(({ name }) => name),
      );
      missing.push(...names.filter((name) => !there.has(name)).map((name) => `${collection}.${name}`));
    }
    return missing;
  }

  /** The version that the server tells of itself. */
  async serverVersion(): Promise<string> {
    return String((await this.#db.admin().command({ buildInfo: 1 }))['version'] ?? 'unknown');
  }

  /** Rejects when the server does not answer. */
  async ping(): Promise<void> {
    await this.#db.command({ ping: 1 });
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.close();
  }
}

/** The part of the store that activities use; tests of schedules bring one of their own. */
export interface LinkStore {
  readonly links: Pick<
    Links,
    | 'byKey'
    | 'bySource'
    | 'byTarget'
    | 'settledBefore'
    | 'countWritten'
    | 'count'
    | 'discover'
    | 'raise'
    | 'write'
    | 'noteCreation'
  >;
  readonly candidates: Pick<Candidates, 'byId' | 'withKeys' | 'referringTo' | 'markReferring' | 'waking' | 'woken' | 'note'>;
  readonly history: Pick<History, 'add'>;
  readonly cursors: Pick<Cursors, 'get' | 'ask' | 'takeRecord' | 'takeOver' | 'advance'>;
  readonly idLists: Pick<IdLists, 'add' | 'get' | 'forget'>;
  readonly setAside: Pick<SetAside, 'note' | 'count' | 'due' | 'postpone' | 'drop' | 'dropUnseen'>;
  readonly limits: Pick<Limits, 'countBulkChange' | 'countSameValue' | 'heldValues' | 'hold' | 'paused' | 'missed' | 'setOutage'>;
}
