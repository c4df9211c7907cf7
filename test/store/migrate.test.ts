import assert from 'node:assert/strict';
import { MongoClient } from 'mongodb';
import { rulesOf } from '../../activities/observation.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { DEFAULT_INSTALLATION, installationNamed } from '../../flows/installation.ts';
import { linkKey } from '../../flows/names.ts';
import { connectMongo } from '../../store/connect.ts';
import { SCHEMA, Store } from '../../store/store.ts';
import { checkOwner, migrateAtStart } from '../../worker/world.ts';
import { mongoUri } from '../support/world.ts';
import { SMALL_FLOW as FLOW } from '../support/flow.ts';

describe('a database', () => {
  let store: Store;
  let uri: string;
  beforeEach(async () => {
    uri = mongoUri();
    store = await Store.connect(uri);
  });
  afterEach(() => store.close());

  it('a database from before installations had names is the default one’s, and is migrated by a start', async () => {
    // As the first schema left it: no owner, no system in a link, targets unique by type and id.
    const { client, db } = await connectMongo(uri, {});
    const old = {
      ...newRecord({ flow: 'f', rules: rulesOf(FLOW), sourceId: '1', seen: null, now: 0 }),
      revision: 1,
      targetId: 'c1',
      sourceType: FLOW.source.type,
      targetType: FLOW.target.type,
    };
    await db.collection('links').insertOne({ ...old, _id: linkKey('f', '1') as never, updatedAt: new Date() });
    await db.collection('links').insertOne({
      ...old,
      _id: 'left-over:1' as never,
      flow: 'left-over',
      sourceType: 'Elsewhere',
      targetType: 'Thing',
      updatedAt: new Date(),
    });
    await db
      .collection('links')
      .createIndex({ targetType: 1, targetId: 1 }, { unique: true, partialFilterExpression: { targetId: { $type: 'string' } } });
    await db.collection('cursors').insertOne({ _id: 'crm:Elsewhere' as never });

    await assert.rejects(checkOwner(store, installationNamed('kunde-b')), /belongs to the installation "tandem"/);
    await checkOwner(store, installationNamed(DEFAULT_INSTALLATION));
    await migrateAtStart(store, [FLOW]);
    await migrateAtStart(store, [FLOW]);
    assert.equal((await store.whose())?.schema, SCHEMA);
    const link = await store.links.byKey(linkKey('f', '1'));
    assert.deepEqual([link?.sourceSystem, link?.targetSystem], [FLOW.source.system, FLOW.target.system]);
    const left = await store.links.byKey('left-over:1');
    assert.deepEqual([left?.sourceSystem, left?.targetSystem], ['crm', 'powerOffice']);
    assert.equal(await db.collection('links').indexExists('targetType_1_targetId_1'), false);
    await client.close();
  });

  it('without a path in the address the database is the installation’s', async () => {
    const named = await Store.connect(uri.slice(0, uri.lastIndexOf('/')), { database: 'kunde-c' });
    assert.equal(named.database, 'kunde-c');
    await named.close();
    assert.equal(store.database, uri.slice(uri.lastIndexOf('/') + 1));
  });

  it('writes count once they are journalled by most, whatever the address says', async () => {
    const { client, db } = await connectMongo(`${uri}?w=0&journal=false&readPreference=secondaryPreferred`, {});
    assert.deepEqual([db.writeConcern?.w, db.writeConcern?.journal, db.readPreference?.mode], ['majority', true, 'primary']);
    await client.close();
  });

  it('over a client that a service opened, too: its options neither weaken a write nor send a read elsewhere', async () => {
    const weak = new MongoClient(uri, {
      writeConcern: { w: 0 },
      readPreference: 'secondaryPreferred',
      monitorCommands: true,
    });
    const said: Record<string, unknown>[] = [];
    weak.on('commandStarted', ({ command }) => said.push(command as Record<string, unknown>));
    const over = await Store.over(weak, store.database);
    await over.systems.set('crm', { identity: 'here', test: undefined as never });
    await over.systems.get('crm');
    await over.slots.push('k', 1);
    const writes = said.filter((each) => 'update' in each || 'findAndModify' in each);
    assert.equal(writes.length, 2);
    for (const each of writes) assert.deepEqual(each['writeConcern'], { w: 'majority', j: true });
    const reads = said.filter((each) => 'find' in each);
    assert.ok(reads.length > 0 && reads.every((each) => each['$readPreference'] === undefined));
    assert.deepEqual(await over.systems.get('crm'), { _id: 'crm', identity: 'here' });
    await weak.close();
  });
});
