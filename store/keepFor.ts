import { MongoServerError, type Collection, type Document } from 'mongodb';

/** Lets a collection's documents expire so many days after the instant in `field`; another number of days is taken over. */
export async function keepFor<T extends Document>(collection: Collection<T>, field: string, days: number): Promise<void> {
  const index = { name: 'kept', expireAfterSeconds: Math.round(days * 24 * 3600) };
  await collection.createIndex({ [field]: 1 }, index).catch(async (error: unknown) => {
    if (!(error instanceof MongoServerError)) throw error;
    // The index stands with another time.
    await collection.dropIndex(index.name);
    await collection.createIndex({ [field]: 1 }, index);
  });
}
