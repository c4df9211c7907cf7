import { MongoClient, type Db, type DbOptions } from 'mongodb';

/** What holds whatever an address, or the client that a service opened, says. */
export const PINNED: DbOptions = {
  ignoreUndefined: true,
  writeConcern: { w: 'majority', journal: true },
  readPreference: 'primary',
};

/** `database`: where the address names none. */
export interface StoreOptions {
  readonly database?: string;
  readonly timeoutMs?: number;
  /** Where installations share the limits of a key; `tandem-limits` on the same server where left out. */
  readonly limits?: string | undefined;
}

/**
 * Connects to the database in the address's path, or to the one that `database` names. Whatever the address says, a write
 * counts once most servers have it in their journal, and the primary alone is read: less would lose what was promised.
 */
export async function connectMongo(
  uri: string,
  { database = 'tandem', timeoutMs = 5000 }: StoreOptions,
): Promise<{ client: MongoClient; db: Db }> {
  const client = new MongoClient(uri, {
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    retryWrites: false,
    ...PINNED,
  });
  const named = /^mongodb(?:\+srv)?:\/\/[^/]+\/[^/?]/.test(uri);
  try {
    await client.connect();
    const db = client.db(named ? undefined : database, PINNED);
    await db.command({ ping: 1 });
    return { client, db };
  } catch (error) {
    await client.close().catch(() => {});
    throw error;
  }
}
