import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linkKey } from '../../flows/names.ts';
import { Store } from '../../store/store.ts';
import type { LinkDocument } from '../../store/documents.ts';
import { documentText, matchTable, sectionText } from '../flows/dataflow/documents.ts';
import { makeNamespace } from '../support/temporal.ts';
import { runTandem, type Run } from '../support/worker.ts';
import { eventually, makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';

const SIZE = {
  products: 6,
  contactPersons: 2,
  suppliers: 0,
  supplierPersons: 0,
  customers: 9,
  employees: 4,
  projects: 6,
  activities: 3,
};

const every = (x: string, y: string): string => `Every ${x} will be synchronized with a ${y}.`;
const linkedFirst = (x: string, y: string): string =>
  `Before any synchronization can take place, a link between a ${x} and a ${y} must be established.`;
const merge = (x: string, y: string): string[] => [
  `If a matching ${y} already exists, the ${x} will be merged with the existing one.`,
  `If no matching ${y} is found, a new ${y} will be created.`,
];
const section = ([x, y]: readonly [string, string], body: string[], rows: string[][] = []): string[] =>
  sectionText({ x, y, body, rows, system: 'Hub' });

const PERSONS = ['PowerOffice Go Customers (human data)', 'Hub Contacts'] as const;
const EMPLOYEES = ['PowerOffice Go Employees', 'Hub Contacts'] as const;
const PROJECTS = ['PowerOffice Go Projects', 'Hub Companies'] as const;
const PRODUCTS = ['PowerOffice Go Product', 'Hub activities'] as const;
const VOUCHERS = ['PowerOffice Go Vouchers', 'Hub Contacts'] as const;
const TASKS = ['PowerOffice Go Timetrackingactivity', 'Hub activities'] as const;
const CONDITION = 'If a PowerOffice Go Product is not archived';

const DOCUMENT = documentText(
  [
    section(
      PERSONS,
      [every(...PERSONS), '', ...merge(...PERSONS), '', ...matchTable(...PERSONS, [['EmailAddress', 'email']])],
      [
        ['EmailAddress', 'email', '"string"'],
        ['FirstName', 'givenName', '"string"'],
        ['LastName', 'familyName', '"string"'],
        ['MailAddress.City', 'title', '"string"'],
      ],
    ),
    section(
      EMPLOYEES,
      [linkedFirst(...EMPLOYEES), '', ...matchTable(...EMPLOYEES, [['EmailAddress', 'email']])],
      [['JobTitle', 'title', '"string"']],
    ),
    section(
      PROJECTS,
      [
        linkedFirst(...PROJECTS),
        '',
        `A new ${PROJECTS[1]} will be created from a ${PROJECTS[0]} if it is connected to a PowerOffice Go Customers that is synchronized into Hub.`,
      ],
      [['Name', 'name', '"string"']],
    ),
    section(
      PRODUCTS,
      [`${CONDITION}, it  will be synchronized with a ${PRODUCTS[1]}.`],
      [
        ['Name', 'subject', '"string"'],
        ['UnitPrice', 'ownerId', '"decimal"'],
      ],
    ),
    section(
      TASKS,
      [every(...TASKS)],
      [
        ['Name', 'subject', '"string"'],
        ['ProductId', 'ownerId', '"string"'],
      ],
    ),
    section(VOUCHERS, [every(...VOUCHERS)]),
  ],
  'PowerOffice Go',
  'Hub',
);

const BINDINGS = {
  conditions: { [CONDITION]: [{ property: 'IsArchived', equals: false }] },
  flows: [
    {
      from: PERSONS[0],
      to: PERSONS[1],
      name: 'persons',
      match: [{ source: 'EmailAddress', target: 'email', normalise: ['trim', 'case'] }],
    },
    {
      from: EMPLOYEES[0],
      to: EMPLOYEES[1],
      name: 'employees',
      match: [{ source: 'EmailAddress', target: 'email', normalise: ['trim', 'case'] }],
    },
    { from: PROJECTS[0], to: PROJECTS[1], name: 'projects' },
    { from: PRODUCTS[0], to: PRODUCTS[1], name: 'products' },
    { from: TASKS[0], to: TASKS[1], name: 'tasks' },
  ],
};

describe('a dataflow document runs: every relation', function () {
  let world: World;
  let store: Store;
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;
  let worker: Run;
  let env: Record<string, string>;
  const folder = mkdtempSync(join(tmpdir(), 'tandem-document-'));
  const contact = (id: string): Record<string, unknown> => world.crm.desk.types['Contact']?.get(id) ?? {};
  const linkOf = (flow: string, id: number): Promise<LinkDocument | null> => store.links.byKey(linkKey(flow, String(id)));
  const linked = (flow: string, id: number): Promise<LinkDocument> =>
    eventually(
      `${flow} ${id} in step`,
      () => linkOf(flow, id),
      (link) => link?.status === 'in-step' && link.targetId !== null,
    ) as Promise<LinkDocument>;
  const made: Record<string, string> = {};

  before(async () => {
    writeFileSync(join(folder, 'hub.rst'), DOCUMENT);
    writeFileSync(join(folder, 'hub.bindings.json'), JSON.stringify(BINDINGS));
    world = await makeWorld({ size: SIZE });
    const person = (name: string, values: Record<string, unknown>): void => {
      made[name] = String(world.crm.desk.create('Contact', values)['id']);
    };
    // Customers 4001, 4004 and 4007 are persons.
    person('first', { email: ' KUNDE1@example.no', givenName: 'Annerledes', familyName: null, phone: '99' });
    person('twin one', { email: 'kunde4@example.no' });
    person('twin two', { email: 'Kunde4@example.no' });
    person('clerk', { email: 'ansatt1@example.no', title: null });
    temporal = await makeNamespace();
    const uri = mongoUri();
    env = workerEnv(world, uri, {
      TEMPORAL_NAMESPACE: temporal.namespace,
      TANDEM_FLOWS: join(folder, 'hub.rst'),
    });
    store = await Store.connect(uri);
    worker = runTandem(['worker'], env);
  });
  after(async () => {
    await worker.stop('SIGKILL');
    await temporal.close();
    await store.close();
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('one record alone matches: linked, differing values by policy and on record, a value on one side fills the other', async () => {
    const link = await linked('persons', 4001);
    assert.equal(link.targetId, made['first']);
    const customer = (): Record<string, unknown> => world.powerOffice.desk.types['Customer']?.get('4001') ?? {};
    // The contact was edited later.
    await eventually(
      'the customer',
      () => customer()['FirstName'],
      (name) => name === 'Annerledes',
    );
    const now = contact(made['first'] ?? '');
    assert.equal(now['givenName'], 'Annerledes');
    assert.equal(now['familyName'], customer()['LastName']);
    assert.equal(now['title'], 'Oslo');
    assert.equal(now['phone'], '99');
    // Noted with the write's answer.
    const kept = await eventually(
      'the note in the history',
      async () =>
        (await store.history.ofLink('persons:4001')).find(({ property }) => ['givenName', 'FirstName'].includes(property)),
      (note) => note !== undefined,
    );
    assert.match(kept?.why ?? '', /^conflict/);
    assert.ok([kept?.before, kept?.after].includes('Annerledes'));
  });

  it('more than one match is ambiguous: blocked, with the candidates, nothing created', async () => {
    const link = await eventually(
      'the block',
      () => linkOf('persons', 4004),
      (now) => now?.status === 'blocked',
    );
    assert.equal(link?.block?.code, 'ambiguous');
    for (const twin of ['twin one', 'twin two']) assert.ok(link?.block?.text.includes(made[twin] ?? '?'));
    // A person says which one it is.
    const run = runTandem(['link', 'persons', '4004', made['twin two'] ?? ''], env);
    assert.equal(await run.ended, 0, run.lines.join('\n'));
    assert.equal((await linked('persons', 4004)).targetId, made['twin two']);
  });

  it('no match: created', async () => {
    const link = await linked('persons', 4007);
    assert.equal(contact(link.targetId ?? '')['externalId'], 'poweroffice:Customer:4007');
  });

  it('match only: what does not match waits, and is linked as soon as something does', async () => {
    assert.equal((await linked('employees', 5001)).targetId, made['clerk']);
    const waiting = await eventually(
      'the wait',
      () => linkOf('employees', 5002),
      (now) => now?.block?.code === 'unmatched',
    );
    assert.equal(waiting?.status, 'linking');
    const late = String(world.crm.desk.create('Contact', { email: 'Ansatt2@example.no' })['id']);
    assert.equal((await linked('employees', 5002)).targetId, late);
    assert.equal(await store.links.count({ flow: 'employees', linked: true }), 2);
  });

  it('connected: created for a record that refers to a linked one, and for another as soon as it does', async () => {
    // Projects 6001, 6003 and 6005 belong to customers 4001, 4003 and 4005, of which only 4001 is a person.
    await linked('projects', 6001);
    const waiting = await eventually(
      'the wait',
      () => linkOf('projects', 6003),
      (now) => now?.block?.code === 'unconnected',
    );
    assert.equal(waiting?.targetId, null);
    world.powerOffice.desk.edit('Customer', '4003', { IsPerson: true, FirstName: 'Ny', LastName: 'Person' });
    await linked('persons', 4003);
    await linked('projects', 6003);
    world.powerOffice.desk.edit('Project', '6002', { CustomerId: 4007 });
    await linked('projects', 6002);
    assert.equal((await linkOf('projects', 6005))?.targetId ?? null, null);
  });

  it('under a condition: only records that meet it, and those that come to meet it', async () => {
    const link = await linked('products', 1001);
    assert.equal(world.crm.desk.types['Activity']?.get(link.targetId ?? '')?.['ownerId'], '49');
    world.powerOffice.desk.edit('Product', '1002', { IsArchived: true });
    await eventually(
      'the end',
      () => linkOf('products', 1002),
      (now) => now?.ended === 'out of scope',
    );
    world.powerOffice.desk.edit('Product', '1002', { IsArchived: false, Name: 'Tilbake' });
    const back = await linked('products', 1002);
    await eventually(
      'the name',
      () => world.crm.desk.types['Activity']?.get(back.targetId ?? '')?.['subject'],
      (subject) => subject === 'Tilbake',
    );
  });

  it('types convert both ways, exactly, and what cannot be converted names record, property and value', async () => {
    const link = await linked('products', 1001);
    world.crm.desk.edit('Activity', link.targetId ?? '', { ownerId: '1234.50' });
    await eventually(
      'the price',
      () => world.powerOffice.desk.types['Product']?.get('1001')?.['UnitPrice'],
      (price) => price === 1234.5,
    );
    const task = await linked('tasks', 8001);
    world.crm.desk.edit('Activity', task.targetId ?? '', { ownerId: 'Kari' });
    const blocked = await eventually(
      'the block',
      () => linkOf('tasks', 8001),
      (now) => now?.status === 'blocked',
    );
    assert.deepEqual([blocked?.block?.code, blocked?.block?.properties], ['type', ['ownerId']]);
    assert.match(blocked?.block?.text ?? '', /ownerId.*"Kari".*no integer/);
    world.crm.desk.edit('Activity', task.targetId ?? '', { ownerId: '1003' });
    await eventually(
      'the owner',
      () => world.powerOffice.desk.types['TimeTrackingActivity']?.get('8001')?.['ProductId'],
      (id) => id === 1003,
    );
  });

  it('a section that cannot run is told, and stops nobody else', async () => {
    const run = runTandem(['flows', '--json'], env);
    assert.equal(await run.ended, 0);
    const { flows, refused } = JSON.parse(run.lines.join('\n')) as { flows: unknown[]; refused: { from: string }[] };
    assert.equal(flows.length, 5);
    assert.deepEqual(
      refused.map(({ from }) => from),
      ['PowerOffice Go Vouchers'],
    );
    assert.ok(worker.lines.some((line) => line.includes('"event":"refused"') && line.includes('Vouchers')));
  });
});

describe('a dataflow document from the CRM to PowerOffice Go', function () {
  const [x, y] = ['Hub Contacts', 'PowerOffice Go Customers (human data)'] as const;
  const folder = mkdtempSync(join(tmpdir(), 'tandem-back-'));
  let world: World;
  let store: Store;
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;
  let worker: Run;

  before(async () => {
    const rows = [
      ['email', 'EmailAddress', '"string"'],
      ['familyName', 'LastName', '"string"'],
      ['givenName', 'FirstName', '"string"'],
    ];
    writeFileSync(
      join(folder, 'back.rst'),
      documentText([sectionText({ x, y, rows, body: [every(x, y)], system: 'PowerOffice Go' })], 'Hub', 'PowerOffice Go'),
    );
    world = await makeWorld();
    for (const n of [1, 2, 3])
      world.crm.desk.create('Contact', { givenName: `Kari${n}`, familyName: 'Lie', email: `k${n}@example.no` });
    temporal = await makeNamespace();
    const uri = mongoUri();
    store = await Store.connect(uri);
    const more = { TEMPORAL_NAMESPACE: temporal.namespace, TANDEM_FLOWS: join(folder, 'back.rst') };
    worker = runTandem(['worker'], workerEnv(world, uri, more));
  });
  after(async () => {
    await worker.stop('SIGKILL');
    await temporal.close();
    await store.close();
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('creates what the data type means, once each, and goes both ways', async () => {
    await eventually(
      'all',
      () => store.links.count({ status: 'in-step' }),
      (n) => n === 3,
    );
    const customers = (): Record<string, unknown>[] => world.powerOffice.desk.types['Customer']?.rows() ?? [];
    assert.equal(customers().length, 3);
    assert.ok(customers().every((row) => row['IsPerson'] === true));
    const [link] = await store.links.list();
    world.powerOffice.desk.edit('Customer', link?.targetId ?? '', { LastName: 'Moen' });
    await eventually(
      'the contact',
      () => world.crm.desk.types['Contact']?.get(link?.sourceId ?? '')?.['familyName'],
      (name) => name === 'Moen',
    );
    world.crm.desk.edit('Contact', link?.sourceId ?? '', { email: 'ny@example.no' });
    await eventually(
      'the customer',
      () => world.powerOffice.desk.types['Customer']?.get(link?.targetId ?? '')?.['EmailAddress'],
      (email) => email === 'ny@example.no',
    );
    assert.equal(customers().length, 3);
  });
});
