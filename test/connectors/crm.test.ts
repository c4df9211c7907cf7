import assert from 'node:assert/strict';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { crm as makeCrm } from '../../connectors/crm/connector.ts';
import { DEFAULT_PROFILE } from '../../connectors/crm/profile/default.ts';
import { profileSchema, type Profile } from '../../connectors/crm/profile/schema.ts';
import type { Connector } from '../../connectors/connector.ts';
import { serveOn } from '../../sandbox/serve.ts';
import { CRM_TOKEN, makeWorld, type World } from '../support/world.ts';
import { all, failsAs, OPTIONS } from './calls.ts';

describe('the CRM connector', () => {
  let world: World;
  const make = (profile: Profile = DEFAULT_PROFILE): Connector =>
    makeCrm({ url: world.crm.url, profile, secret: () => Promise.resolve(CRM_TOKEN) });
  const FIELDS = ['givenName', 'familyName'];
  const identity = { externalId: 'poweroffice:ContactPerson:1/2', idempotencyKey: 'k1' };

  beforeEach(async () => {
    world = await makeWorld();
  });
  afterEach(() => world.close());

  it('creates once under one key, and finds it by its external id', async () => {
    const system = make();
    const made = await system.create({ type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity }, OPTIONS);
    const again = await system.create({ type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity }, OPTIONS);
    assert.equal(again.id, made.id);
    assert.equal(
      (
        await failsAs(
          system.create(
            { type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity: { ...identity, idempotencyKey: 'k2' } },
            OPTIONS,
          ),
          'taken',
        )
      ).status,
      409,
    );
    const found = await system.find(
      { type: 'Contact', by: { externalId: identity.externalId, values: {}, since: 0 }, fields: FIELDS },
      OPTIONS,
    );
    assert.deepEqual(
      found.map((each) => each.id),
      [made.id],
    );
  });

  it('writes mapped properties alone, on the condition of the ETag', async () => {
    const system = make();
    const made = await system.create({ type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity }, OPTIONS);
    world.crm.desk.edit('Contact', made.id, { notes: 'keep me' });
    await failsAs(
      system.update(
        {
          type: 'Contact',
          id: made.id,
          set: { givenName: 'Eva' },
          condition: { test: { givenName: 'Kari' }, etag: made.etag, version: made.version },
          fields: FIELDS,
        },
        OPTIONS,
      ),
      'contended',
    );
    const now = await system.read({ type: 'Contact', id: made.id, fields: FIELDS }, OPTIONS);
    await system.update(
      {
        type: 'Contact',
        id: made.id,
        set: { givenName: 'Eva' },
        condition: { test: { givenName: 'Kari' }, etag: now.etag, version: now.version },
        fields: FIELDS,
      },
      OPTIONS,
    );
    assert.equal(world.crm.desk.types['Contact']?.get(made.id)?.['notes'], 'keep me');
    assert.equal(world.crm.desk.types['Contact']?.get(made.id)?.['givenName'], 'Eva');
  });

  it('pages through everything, oldest change first, and includes the instant it is asked from', async () => {
    const system = make();
    for (let i = 0; i < 450; i++) world.crm.desk.create('Contact', { givenName: `n${i}` });
    const seen = await all(system.changed({ type: 'Contact', fields: FIELDS, since: null }, OPTIONS));
    assert.equal(new Set(seen.map((each) => each.id)).size, 450);
    const since = seen[440]?.instant ?? null;
    const later = await all(system.changed({ type: 'Contact', fields: FIELDS, since }, OPTIONS));
    assert.ok(later.some((each) => each.id === seen[440]?.id));
  });

  it('does without what a CRM lacks: a read before the write, an answer without a body', async () => {
    const { create } = DEFAULT_PROFILE.operations;
    const operations = { ...DEFAULT_PROFILE.operations, create: { ...create, headers: {} } };
    world.crm.desk.set({ ifMatch: false, idempotency: false, emptyUpdate: true });
    const system = make({ ...DEFAULT_PROFILE, condition: 'none', operations });
    assert.equal(system.features().conditional, 'none');
    const made = await system.create({ type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity }, OPTIONS);
    const condition = { test: { givenName: 'Kari' }, version: made.version };
    const written = await system.update(
      { type: 'Contact', id: made.id, set: { givenName: 'Eva' }, condition, fields: FIELDS },
      OPTIONS,
    );
    assert.equal(written.fields['givenName'], 'Eva');
    await failsAs(
      system.update({ type: 'Contact', id: made.id, set: { givenName: 'Mia' }, condition, fields: FIELDS }, OPTIONS),
      'contended',
    );
  });

  it('finds by content where there is no external id', async () => {
    const { externalId: _, ...record } = DEFAULT_PROFILE.record;
    const { find: __, ...operations } = DEFAULT_PROFILE.operations;
    world.crm.desk.set({ externalId: false });
    const system = make({ ...DEFAULT_PROFILE, record, operations });
    const made = await system.create(
      { type: 'Contact', values: { givenName: 'Kari', familyName: 'Lie' }, fields: FIELDS, identity },
      OPTIONS,
    );
    const found = await system.find(
      {
        type: 'Contact',
        by: { externalId: 'x', values: { givenName: 'Kari', familyName: 'Lie' }, since: Date.now() - 60_000 },
        fields: FIELDS,
      },
      OPTIONS,
    );
    assert.deepEqual(
      found.map((each) => each.id),
      [made.id],
    );
  });

  it('measures the clock of the system by the answers to its own writes', async () => {
    await world.close();
    world = await makeWorld({ crm: { clockOffsetMs: 240_000 } });
    const system = make();
    await system.check();
    assert.equal(system.clock.estimate.by, 'date');
    assert.ok(Math.abs((system.clock.estimate.lo + system.clock.estimate.hi) / 2 - 240_000) < 1500);
    await system.create({ type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity }, OPTIONS);
    assert.equal(system.clock.estimate.by, 'write');
    assert.ok(Math.abs((system.clock.estimate.lo + system.clock.estimate.hi) / 2 - 240_000) < 200);
  });

  it('an answer given again for a key of long ago does not set the clock', async () => {
    const first = make();
    const made = await first.create({ type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity }, OPTIONS);
    const row = world.crm.desk.types['Contact']?.get(made.id) ?? {};
    // The stand-in answers with the very row that it remembers.
    row['updatedAt'] = new Date(Date.now() - 600_000).toISOString();
    const second = make();
    const again = await second.create({ type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity }, OPTIONS);
    assert.equal(again.id, made.id);
    assert.equal(second.clock.estimate.by, 'date');
    assert.ok(again.at[1] < Date.now() - 500_000);
  });

  it('a write that changes nothing says nothing about the clock: its answer has the stamp of an earlier edit', async () => {
    const months = 90 * 86_400_000;
    const row = { id: 7, version: 3, updatedAt: new Date(Date.now() - months).toISOString(), givenName: 'Kari' };
    const app = new Hono<{ Bindings: HttpBindings }>();
    // It keeps no blanks at the end, so nothing is to be done.
    app.patch('/people/7', (context) => context.json(row));
    const server = await serveOn(app, 0);
    try {
      const Person = { path: '/people', fields: [{ name: 'givenName' }] };
      const profile = profileSchema.parse({ ...DEFAULT_PROFILE, types: { Person } });
      const system = makeCrm({ url: server.url, profile, secret: () => Promise.resolve('x') });
      // An unmapped edit has moved the version since, so it differs from the one that the link has seen.
      const condition = { test: { givenName: 'Kari' }, version: 'v000000000001/2020', etag: '"1"' };
      const set = { givenName: 'Kari ' };
      const after = await system.update({ type: 'Person', id: '7', set, condition, fields: ['givenName'] }, OPTIONS);
      assert.equal(after.fields['givenName'], 'Kari');
      assert.notEqual(system.clock.estimate.by, 'write');
      assert.ok(Math.abs(system.clock.estimate.lo) < 5000);
    } finally {
      await server.close();
    }
  });

  it('writes one element of a list and sends the others along as they are', async () => {
    let row: Record<string, unknown> = {
      id: 7,
      version: 1,
      updatedAt: '2026-01-01T00:00:00.000Z',
      addresses: [
        { type: 'work', city: 'Oslo' },
        { type: 'home', city: 'Bergen', zip: '5003' },
      ],
    };
    const app = new Hono<{ Bindings: HttpBindings }>();
    app.get('/people/7', (context) => context.json(row));
    app.patch('/people/7', async (context) => {
      row = { ...row, ...(await context.req.json<Record<string, unknown>>()), version: 2, updatedAt: new Date().toISOString() };
      return context.json(row);
    });
    const server = await serveOn(app, 0);
    try {
      const Person = { path: '/people', fields: [{ name: 'addresses.city' }], lists: ['addresses'] };
      const profile = profileSchema.parse({ ...DEFAULT_PROFILE, types: { Person } });
      const system = makeCrm({ url: server.url, profile, secret: () => Promise.resolve('x') });
      const path = 'addresses[type="home"].city';
      const before = await system.read({ type: 'Person', id: '7', fields: [path, 'addresses.city'] }, OPTIONS);
      assert.deepEqual(before.fields, { [path]: 'Bergen', 'addresses.city': ['Oslo', 'Bergen'] });
      const condition = { test: { [path]: 'Bergen' }, version: before.version, etag: before.etag };
      const after = await system.update({ type: 'Person', id: '7', set: { [path]: 'Voss' }, condition, fields: [path] }, OPTIONS);
      assert.equal(after.fields[path], 'Voss');
      assert.deepEqual(row['addresses'], [
        { type: 'work', city: 'Oslo' },
        { type: 'home', city: 'Voss', zip: '5003' },
      ]);
      await failsAs(
        system.update({ type: 'Person', id: '7', set: { [path]: 'Os' }, condition, fields: [path] }, OPTIONS),
        'contended',
      );
    } finally {
      await server.close();
    }
  });
});
