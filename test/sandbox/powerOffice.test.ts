import assert from 'node:assert/strict';
import { KINDS } from '../../sandbox/powerOffice/description.ts';
import { describedStandIn, SIZE, type Described } from './described.ts';
import { OPERATIONS, PROVIDER, schemaOf } from '../support/description.ts';

type Row = Record<string, unknown>;

describe('the PowerOffice stand-in', () => {
  let described: Described;
  const ask: Described['ask'] = (...call) => described.ask(...call);
  const patch = async (path: string, ...operations: Row[]): Promise<{ status: number; body: Row }> => {
    const { status, body } = await ask('PATCH', path, operations);
    return { status, body: body as Row };
  };
  const rows = async (path: string): Promise<Row[]> => ((await ask('GET', path)).body ?? []) as Row[];
  const one = async (path: string): Promise<Row> => (await ask('GET', path)).body as Row;
  const detail = (answer: { body: unknown }): unknown => (answer.body as Row)['detail'];

  beforeEach(async () => {
    described = await describedStandIn();
  });
  afterEach(() => assert.deepEqual(described.violations, []));

  it('serves every type that the description has, and time tracking activities', () => {
    const listed = OPERATIONS.flatMap(({ path, method }) =>
      method === 'GET' && !path.includes('{') ? [path.slice(1).toLowerCase()] : [],
    );
    assert.deepEqual(
      KINDS.map(({ path }) => path).sort(),
      [...listed.filter((path) => path !== 'clientintegrationinformation'), 'timetracking/activitytime'].sort(),
    );
    // What a PATCH may name is something that the answer shows.
    for (const { name, patch: names, dto } of KINDS)
      for (const each of Object.keys(names)) assert.ok(dto[each], `${name}.${each}`);
    for (const name of Object.keys(PROVIDER.patchable)) assert.ok(PROVIDER.components.schemas[`${name}Dto`], name);
  });

  it('takes addresses whatever their case, below /Demo too', async () => {
    for (const path of ['/customers', '/CUSTOMERS', '/Customers/']) assert.equal((await rows(path)).length, 31);
    assert.equal((await described.standIn.app.request('/demo/OAUTH/token', { method: 'POST' })).status, 401);
    assert.equal((await described.standIn.app.request('/v2/nothing')).status, 401);
  });

  it('tells the next page until there is none, and answers an empty one with 204', async () => {
    const seen: unknown[] = [];
    let next: string | null = '/v2/Suppliers?pageSize=3&OrderBy=Name%20desc,Id';
    while (next !== null) {
      const answer = await ask('GET', next.replace(/^.*\/v2/i, ''));
      seen.push(...(answer.body as Row[]).map(({ Id }) => Id));
      const pagination = JSON.parse(answer.headers.get('x-pagination') ?? '') as Row;
      assert.equal(pagination['totalCount'], SIZE.suppliers);
      next = pagination['nextPageLink'] as string | null;
    }
    assert.equal(new Set(seen).size, SIZE.suppliers);
    assert.equal((await ask('GET', '/Suppliers?PageSize=4&PageNumber=3')).status, 204);
    assert.equal((await ask('GET', '/Suppliers?PageSize=20001')).status, 400);
    assert.equal((await ask('GET', '/Suppliers?$top=5')).status, 400);
  });

  it('selects fields, nested ones too, whatever their case; an unknown one is a 400', async () => {
    const [first] = await rows('/Customers?Fields=id,MailAddress.City&OrderBy=Id desc&PageSize=1');
    assert.deepEqual(first, { Id: 4006, MailAddress: { City: 'Oslo' } });
    assert.equal((await ask('GET', '/Customers?Fields=Id,Nothing')).status, 400);
    assert.equal((await ask('GET', '/Customers?OrderBy=Nothing')).status, 400);
  });

  it('every filter of the description narrows its list', async () => {
    described.standIn.desk.edit('Project', '6001', { ProjectStatus: 'Archived' });
    await ask('POST', '/Projects', { Name: 'Sub', Code: '1', ParentProjectCode: 'P2' });
    await ask('POST', '/Departments', { Name: 'North', Code: 'N', IsActive: true });
    await ask('POST', '/ContactGroups', { Name: 'Top' });
    await ask('POST', '/ProductGroups', { Name: 'Boxes', ProductType: 'Service' });
    for (const { path, filters } of KINDS)
      for (const { name, schema } of filters) {
        if (name === 'includeSubProjects') continue;
        const { type, format, enum: words } = schemaOf(schema);
        const value =
          type === 'boolean'
            ? 'true'
            : words
              ? (words.at(-1) ?? '')
              : format === 'date-time'
                ? '2030-01-01T00:00:00Z'
                : format === 'uuid'
                  ? '21d4ddf1-c8bf-4874-8879-b70468fa1032'
                  : '987654';
        const [all, some] = [await rows(`/${path}`), await rows(`/${path}?${name}=${encodeURIComponent(value)}`)];
        const kept = type === 'boolean' ? (await rows(`/${path}?${name}=false`)).length : 0;
        assert.ok(
          all.length > 0 && some.length + kept <= all.length + (name.startsWith('exclude') ? all.length : 0),
          `${path} ${name}`,
        );
        assert.ok(some.length < all.length || kept < all.length, `${path} ${name}`);
      }
    assert.deepEqual(
      (await rows('/Projects?projectCodes=p2')).map(({ Code }) => Code),
      ['P2'],
    );
    assert.deepEqual(
      (await rows('/Projects?projectCodes=P2&includeSubProjects=true')).map(({ Code }) => Code),
      ['P2', 'P2.1'],
    );
    assert.equal((await rows('/Projects?excludeArchivedProject=true')).length, SIZE.projects);
    assert.deepEqual(
      (await rows('/Suppliers?supplierNos=20001, 20003-20004, 20008-')).map(({ Number: number }) => number),
      [20_001, 20_003, 20_004, 20_008],
    );
    assert.deepEqual(
      (await rows('/Products?codes=100, 102')).map(({ Code }) => Code),
      ['100', '102'],
    );
    assert.equal((await rows('/ContactPersons?contactIds=501,502')).length, 2);
    const ranged = await ask('GET', '/Customers?contactGroupIds=1-5');
    assert.match(String(detail(ranged)), /contains negative numbers and\/or range of numbers/);
    assert.equal((await ask('GET', '/Customers?contactGroupIds=41345&UseDatabaseValidation=true')).status, 404);
  });

  it('takes an instant with a blank or a T, and none with an unescaped plus', async () => {
    const [newest] = (await rows('/Products?OrderBy=LastChangedDateTimeOffset desc')) as [Row];
    const stamp = String(newest['LastChangedDateTimeOffset']);
    const after = (text: string): Promise<{ status: number }> =>
      ask('GET', `/Products?lastChangedDateTimeOffsetGreaterThan=${text}`);
    assert.equal((await after(encodeURIComponent(stamp))).status, 204);
    assert.equal((await after(encodeURIComponent(stamp.replace('T', ' ')))).status, 204);
    assert.equal((await after(stamp)).status, 400);
    assert.equal((await after('2023-07-03 14:28:00.123456%2B00:00')).status, 200);
    assert.equal((await after('yesterday')).status, 400);
  });

  it('creates from a body in any case, gives numbers, and answers with the whole record', async () => {
    const { status, body } = await ask('POST', '/customers', { name: 'Ford', mailAddress: { city: 'Oslo', zipCode: '0161' } });
    const made = body as Row;
    assert.equal(status, 201);
    assert.equal(made['Number'], 10_526);
    assert.deepEqual([made['IsPerson'], made['IsActive'], made['CurrencyCode']], [false, true, 'NOK']);
    assert.equal((made['MailAddress'] as Row)['CountryCode'], 'NO');
    assert.equal(made['CustomerCreatedDateTimeOffset'], made['ContactCreatedDateTimeOffset']);
    assert.equal((await ask('POST', '/Products', { Name: 'Box', productType: 'service' })).status, 200);
    assert.equal((await ask('POST', '/Products', { Code: 'x' })).status, 400);
    assert.equal((await ask('POST', '/Suppliers', { IsPerson: true, FirstName: 'Kari' })).status, 400);
    assert.equal((await ask('POST', '/Suppliers', { Name: 'A', IsActive: false })).status, 400);
    assert.equal((await ask('POST', '/Customers', { Name: 'A', DepartmentCode: 'Avdeling10' })).status, 404);
    assert.equal((await ask('POST', '/Projects', { Name: 'A', Code: '1.2' })).status, 400);
    assert.equal((await ask('POST', '/ContactPersons/99999', { FirstName: 'A', LastName: 'B' })).status, 404);
    assert.equal((await ask('POST', '/ContactPersons/5001', { FirstName: 'A', LastName: 'B' })).status, 404);
    assert.equal((await ask('POST', '/ContactPersons/3008', { FirstName: 'A', LastName: 'B', IsDefault: true })).status, 201);
  });

  it('refuses a taken value with 400, in the service’s words', async () => {
    await ask('POST', '/Suppliers', { Name: 'A', ExternalImportReference: 'ABC' });
    const again = await ask('POST', '/Suppliers', { Name: 'B', ExternalImportReference: 'abc' });
    assert.equal(again.status, 400);
    assert.match(String(detail(again)), /^ExternalImportReference is already in use\. 'abc' is used on \(contact\) Id = \d+\.$/);
    // Unique among suppliers: a customer may have it.
    assert.equal((await ask('POST', '/Customers', { Name: 'C', ExternalImportReference: 'ABC' })).status, 201);
  });

  it('patches as JsonPatchDocument does, and refuses in its words', async () => {
    const at = '/ContactPersons/501/2001';
    const before = await one(at);
    const moved = await patch(
      at,
      { op: 'test', path: '/firstname', value: before['FirstName'] },
      { op: 'copy', from: '/FIRSTNAME', path: '/title' },
      { op: 'move', from: '/emailaddress', path: '/ExternalCode' },
      { op: 'remove', path: '/phoneNumber' },
      { op: 'add', path: '/mailAddress/city', value: 'London' },
    );
    assert.equal(moved.status, 200);
    const { Title, EmailAddress, ExternalCode, PhoneNumber, MailAddress } = moved.body;
    assert.deepEqual([Title, EmailAddress, ExternalCode, PhoneNumber], [before['FirstName'], null, before['EmailAddress'], null]);
    assert.equal((MailAddress as Row)['City'], 'London');
    for (const [operation, says] of [
      [
        { op: 'test', path: '/firstName', value: 'Nobody' },
        `The current value '${String(before['FirstName'])}' at path 'firstName' is not equal to the test value 'Nobody'.`,
      ],
      [
        { op: 'replace', path: '/contactId', value: 1 },
        "The target location specified by path segment 'contactId' was not found.",
      ],
      [
        { op: 'test', path: '/LastChangedDateTimeOffset', value: 'x' },
        "The target location specified by path segment 'LastChangedDateTimeOffset' was not found.",
      ],
      [{ op: 'replace', path: '/isActive', value: 'perhaps' }, "The value 'perhaps' is invalid for target location."],
      [{ op: 'swap', path: '/firstName' }, "Invalid JsonPatch operation 'swap'."],
    ] as const) {
      const refused = await patch(at, operation);
      assert.deepEqual(
        [refused.status, refused.body['title'], refused.body['detail']],
        [400, 'Contact person validation error(s)', `ContactPersonPatchDto: ${says}`],
      );
      assert.equal(refused.body['errors'], undefined);
    }
    const half = await patch(at, { op: 'replace', path: '/title', value: 'Sjef' }, { op: 'test', path: '/lastName', value: '?' });
    assert.equal(half.status, 400);
    assert.equal((await one(at))['Title'], Title);
    assert.equal((await ask({ method: 'PATCH', type: 'application/json' }, at, [])).status, 415);
    described.violations.splice(0);
  });

  it('patches lists, and takes a number in a text', async () => {
    const { body } = await ask('POST', '/ContactGroups', { Name: 'Top' });
    const id = (body as Row)['Id'];
    const added = await patch(
      '/Suppliers/3001',
      { op: 'add', path: '/ContactGroupIds/-', value: String(id) },
      { op: 'add', path: '/externalNumber', value: '12345' },
    );
    assert.deepEqual([added.body['ContactGroupIds'], added.body['ExternalNumber']], [[id], 12_345]);
    assert.equal((await rows(`/Suppliers?contactGroupIds=${String(id)}`)).length, 1);
    assert.match(
      String((await patch('/Suppliers/3001', { op: 'remove', path: '/ContactGroupIds/5' })).body['detail']),
      /out of bounds of the array size/,
    );
    assert.equal((await patch('/Suppliers/3001', { op: 'add', path: '/ContactGroupIds', value: [9] })).status, 400);
    assert.deepEqual((await patch('/Suppliers/3001', { op: 'remove', path: '/ContactGroupIds/0' })).body['ContactGroupIds'], []);
  });

  it('can do without test, without a body after a PATCH, and without a privilege', async () => {
    described.standIn.desk.set({ test: false, silentPatch: true, withoutPrivilege: ['Employee'] });
    assert.match(
      String((await patch('/Projects/6001', { op: 'test', path: '/name', value: 'x' })).body['detail']),
      /'test' is not supported/,
    );
    assert.equal((await patch('/Projects/6001', { op: 'replace', path: '/name', value: 'x' })).body, undefined);
    const refused = await ask('GET', '/Employees');
    assert.deepEqual([refused.status, (refused.body as Row)['title']], [400, 'Missing privilege']);
    const me = await one('/ClientIntegrationInformation');
    assert.ok(!(me['ValidPrivileges'] as string[]).includes('Employee_Full'));
    assert.deepEqual(me['InvalidPrivileges'], ['Employee_Full']);
  });

  it('moves the stamp of a contact for its own values, not for its address; of a product not for its stock', async () => {
    for (const [at, still, moving] of [
      ['/Customers/4002', { path: '/mailAddress/city', value: 'Voss' }, { path: '/phoneNumber', value: '1' }],
      ['/Employees/5001', { path: '/mailAddress/city', value: 'Voss' }, { path: '/jobTitle', value: 'x' }],
      ['/Products/1002', { path: '/stockOnHand', value: 5 }, { path: '/gtin', value: '1' }],
    ] as const) {
      const stamp = async (): Promise<unknown> => (await one(at))['LastChangedDateTimeOffset'];
      const before = await stamp();
      assert.equal((await patch(at, { op: 'replace', ...still })).status, 200);
      assert.equal(await stamp(), before, at);
      assert.equal((await patch(at, { op: 'replace', ...moving })).status, 200);
      assert.notEqual(await stamp(), before, at);
    }
    assert.equal(typeof (await one('/Products/1002'))['StockOnHandLastChangedDatetimeOffset'], 'string');
  });

  it('keeps the facets of one contact alike, and deletes none while another is there', async () => {
    described.standIn.desk.create('Supplier', { Id: 4002 });
    const [customer, supplier] = [await one('/Customers/4002'), await one('/Suppliers/4002')];
    assert.equal(supplier['Name'], customer['Name']);
    assert.notEqual(supplier['Number'], customer['Number']);
    await patch('/Suppliers/4002', { op: 'replace', path: '/name', value: 'Nytt navn' });
    assert.equal((await one('/Customers/4002'))['Name'], 'Nytt navn');
    const inUse = await ask('DELETE', '/Customers/4002');
    assert.deepEqual([inUse.status, detail(inUse)], [409, 'Customer with id = 4002 is in use and cannot be deleted.']);
    described.standIn.desk.remove('Supplier', '4002');
    described.standIn.desk.edit('Project', '6002', { CustomerId: 4002 });
    assert.equal((await ask('DELETE', '/Customers/4002')).status, 409);
    assert.equal((await one('/Projects/6002'))['CustomerNo'], customer['Number']);
    described.standIn.desk.edit('Project', '6002', { CustomerId: null });
    assert.equal((await ask('DELETE', '/Customers/4002')).status, 200);
    const gone = await ask('GET', '/Customers/4002');
    assert.deepEqual([gone.status, detail(gone)], [404, 'Customer with id = 4002 not found.']);
  });

  it('shows what it holds late, counts calls in any second, and lets tokens run out', async () => {
    const lagMs = 2000;
    described.standIn.desk.set({ lagMs });
    await patch('/Products/1001', { op: 'replace', path: '/name', value: 'Ny' });
    assert.notEqual((await one('/Products/1001'))['Name'], 'Ny');
    await new Promise((resolve) => setTimeout(resolve, lagMs + 20));
    assert.equal((await one('/Products/1001'))['Name'], 'Ny');
    described.standIn.desk.set({ requestsPerSecond: 3 });
    await new Promise((resolve) => setTimeout(resolve, 1001));
    const answers = await Promise.all([1, 2, 3, 4].map(() => ask('GET', '/Products/1001')));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 429],
    );
    assert.equal(answers.at(-1)?.headers.get('retry-after'), '1');
    described.standIn.desk.set({ requestsPerSecond: 1000, tokens: 'expire' });
    assert.equal((await ask('GET', '/Products/1001')).status, 401);
  });

  it('never shows a national identity number, and tests it by its value', async () => {
    const set = await patch('/Employees/5001', { op: 'replace', path: '/nationalIdNumber', value: '30011679680' });
    assert.equal(set.body['NationalIdNumber'], 'hidden');
    assert.equal((await patch('/Employees/5001', { op: 'test', path: '/nationalIdNumber', value: '30011679680' })).status, 200);
  });
});
