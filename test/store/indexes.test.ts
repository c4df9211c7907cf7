import assert from 'node:assert/strict';
import { MongoClient } from 'mongodb';
import { INDEXES } from '../../store/indexes.ts';
import { makeStore } from '../support/world.ts';

describe('indexes', () => {
  it('are those of the list by which `doctor` looks, and no other; one that is gone is missed', async () => {
    const { store, uri } = await makeStore();
    const client = await MongoClient.connect(uri);
    try {
      const db = client.db();
      const there: Record<string, string[]> = {};
      for (const { name } of await db.listCollections().toArray())
        there[name] = (await db.collection(name).indexes()).map((index) => index.name ?? '').filter((each) => each !== '_id_');
      const made = Object.fromEntries(
        Object.entries(there)
          .filter(([, names]) => names.length > 0)
          .map(([name, names]) => [name, names.toSorted()]),
      );
      assert.deepEqual(made, Object.fromEntries(Object.entries(INDEXES).map(([name, names]) => [name, names.toSorted()])));
      assert.deepEqual(await store.missingIndexes(), []);
      await db.collection('links').dropIndex('targetId_1');
      assert.deepEqual(await store.missingIndexes(), ['links.targetId_1']);
    } finally {
      await client.close();
      await store.close();
    }
  });
});
