// @ts-check
import createClient from 'openapi-fetch';

/** @typedef {import('../../.tandem/strangers/schema.d.ts').paths} paths */
/** @typedef {{ baseUrl: string, headers: Record<string, string>, fetch: typeof fetch }} Where */

/**
 * A value of a patch: the description calls it an object, and has texts and numbers in its examples.
 * @param {unknown} value
 * @returns {any}
 */
const any = (value) => value;

/**
 * The record of an answer that must be there.
 * @template T
 * @param {{ data?: T, error?: unknown, response: Response }} answer
 * @returns {T}
 */
function got({ data, error, response }) {
  if (data === undefined || data === null) throw new Error(`${response.status} ${response.url}: ${JSON.stringify(error)}`);
  return data;
}

/** @param {number | undefined} id */
function known(id) {
  if (id === undefined) throw new Error('a record without an id');
  return id;
}

/**
 * Uses every operation of the description as somebody would who has nothing but the description and a generator.
 * @param {Where} where
 * @returns {Promise<Record<string, { listed: number, paged: number, found: number, patched: unknown, deleted: number, gone: number }>>}
 */
export async function useEverything(where) {
  const client = createClient(/** @type {import('openapi-fetch').ClientOptions} */ (where));
  const api = /** @type {import('openapi-fetch').Client<paths>} */ (/** @type {unknown} */ (client));
  /** @type {Record<string, { listed: number, paged: number, found: number, patched: unknown, deleted: number, gone: number }>} */
  const done = {};

  /**
   * Follows `X-Pagination` from page to page.
   * @param {(resourceParameter: { PageNumber: number, PageSize: number, OrderBy: string }) => Promise<{ data?: { Id?: number }[], response: Response }>} page
   */
  async function all(page) {
    const ids = [];
    for (let number = 1; ; number += 1) {
      const { data, response } = await page({ PageNumber: number, PageSize: 2, OrderBy: 'Id' });
      ids.push(...(data ?? []).map(({ Id }) => Id));
      const pagination = JSON.parse(response.headers.get('x-pagination') ?? '{}');
      if (!pagination.nextPageLink) return new Set(ids).size;
    }
  }
  const phone = [
    { op: 'test', path: '/phoneNumber', value: any(null) },
    { op: 'replace', path: '/phoneNumber', value: any('2222 6666') },
  ];
  const since = { lastChangedDateTimeOffsetGreaterThan: '2023-07-03 14:28:00.123456+00:00' };

  {
    const made = got(await api.POST('/ProductGroups', { body: { Name: 'Boxes', Code: 'BX1' } }));
    const at = { params: { path: { id: known(made.Id) } } };
    const patch = [{ op: 'add', path: '/description', value: any('All sorts of boxes') }];
    const product = got(
      await api.POST('/Products', {
        body: { Name: 'Box', Code: 'BA12', ProductGroupId: known(made.Id), ProductType: 'Product', UnitPrice: 12.5 },
      }),
    );
    const one = { params: { path: { id: known(product.Id) } } };
    const found = got(
      await api.GET('/Products', {
        params: { query: { codes: 'BA12, nothing', type: 'Product', isArchived: false, productGroupCodes: 'BX1', ...since } },
      }),
    );
    const changed = got(
      await api.PATCH('/Products/{id}', {
        ...one,
        body: [
          { op: 'test', path: '/code', value: any('BA12') },
          { op: 'copy', from: '/unitPrice', path: '/unitCost' },
          { op: 'remove', path: '/description' },
        ],
      }),
    );
    const inUse = await api.DELETE('/ProductGroups/{id}', at);
    if (inUse.response.status !== 409) throw new Error(`a group in use: ${inUse.response.status}`);
    done['Product'] = {
      listed: got(await api.GET('/Products')).length,
      paged: await all((resourceParameter) => api.GET('/Products', { params: { query: { resourceParameter } } })),
      found: found.length,
      patched: changed.UnitCost,
      deleted: (await api.DELETE('/Products/{id}', one)).response.status,
      gone: (await api.GET('/Products/{id}', one)).response.status,
    };
    done['ProductGroup'] = {
      listed: got(await api.GET('/ProductGroups')).length,
      paged: await all((resourceParameter) => api.GET('/ProductGroups', { params: { query: { resourceParameter } } })),
      found: got(await api.GET('/ProductGroups', { params: { query: { names: 'boxes', ...since } } })).length,
      patched: got(await api.PATCH('/ProductGroups/{id}', { ...at, body: patch })).Description,
      deleted: (await api.DELETE('/ProductGroups/{id}', at)).response.status,
      gone: (await api.GET('/ProductGroups/{id}', at)).response.status,
    };
  }
  {
    const group = got(await api.POST('/ContactGroups', { body: { Name: 'Top customers' } }));
    const department = got(await api.POST('/Departments', { body: { Name: 'North', Code: 'N1' } }));
    const customer = got(
      await api.POST('/Customers', {
        body: { Name: 'Ford', ContactGroupIds: [known(group.Id)], DepartmentCode: 'N1', ExternalImportReference: 'F1' },
      }),
    );
    const person = got(
      await api.POST('/ContactPersons/{contactId}', {
        params: { path: { contactId: known(customer.Id) } },
        body: { FirstName: 'Espen', LastName: 'Askeladd', ExternalCode: 'E1', IsDefault: true },
      }),
    );
    const supplier = got(
      await api.POST('/Suppliers', {
        body: { IsPerson: true, FirstName: 'Henry', LastName: 'Ford', ExternalImportReference: 'S1' },
      }),
    );
    const employee = got(
      await api.POST('/Employees', { body: { FirstName: 'Ola', LastName: 'Nordmann', DepartmentId: known(department.Id) } }),
    );
    const project = got(
      await api.POST('/Projects', {
        body: {
          Name: 'Plan',
          Code: 'PL',
          CustomerId: known(customer.Id),
          ProjectManagerEmployeeId: known(employee.Id),
          ProjectStatus: 'Active',
        },
      }),
    );
    const at = (/** @type {{ Id?: number }} */ { Id }) => ({ params: { path: { id: known(Id) } } });
    const personAt = { params: { path: { contactId: known(customer.Id), id: known(person.Id) } } };
    const employeeAt = { params: { path: { employeeId: known(employee.Id) } } };
    const name = [{ op: 'replace', path: '/name', value: any('New name') }];

    const projectPatch = await api.PATCH('/Projects/{id}', { ...at(project), body: name });
    done['Project'] = {
      listed: got(await api.GET('/Projects')).length,
      paged: await all((resourceParameter) => api.GET('/Projects', { params: { query: { resourceParameter } } })),
      found: got(
        await api.GET('/Projects', {
          params: {
            query: {
              customerNos: String(customer.Number),
              status: 'Active',
              name: 'new',
              projectManagerEmployeeNos: `${employee.Number}-`,
            },
          },
        }),
      ).length,
      patched: projectPatch.response.status === 200 && got(await api.GET('/Projects/{id}', at(project))).Name,
      deleted: (await api.DELETE('/Projects/{id}', at(project))).response.status,
      gone: (await api.GET('/Projects/{id}', at(project))).response.status,
    };
    done['ContactPerson'] = {
      listed: got(await api.GET('/ContactPersons')).length,
      paged: await all((resourceParameter) => api.GET('/ContactPersons', { params: { query: { resourceParameter } } })),
      found: got(
        await api.GET('/ContactPersons', { params: { query: { contactIds: String(customer.Id), externalCodes: 'e1' } } }),
      ).length,
      patched: got(
        await api.PATCH('/ContactPersons/{contactId}/{id}', {
          ...personAt,
          body: [
            { op: 'move', from: '/firstname', path: '/title' },
            { op: 'add', path: '/firstname', value: any('Per') },
            { op: 'add', path: '/mailAddress/city', value: any('London') },
          ],
        }),
      ).Title,
      deleted: (await api.DELETE('/ContactPersons/{contactId}/{id}', personAt)).response.status,
      gone: (await api.GET('/ContactPersons/{contactId}/{id}', personAt)).response.status,
    };
    done['Customer'] = {
      listed: got(await api.GET('/Customers')).length,
      paged: await all((resourceParameter) => api.GET('/Customers', { params: { query: { resourceParameter } } })),
      found: got(
        await api.GET('/Customers', {
          params: {
            query: {
              contactGroupIds: String(group.Id),
              externalImportReference: 'F1',
              customerNos: `1-5, ${customer.Number}`,
              ...since,
            },
          },
        }),
      ).length,
      patched: got(await api.PATCH('/Customers/{id}', { ...at(customer), body: phone })).PhoneNumber,
      deleted: (await api.DELETE('/Customers/{id}', at(customer))).response.status,
      gone: (await api.GET('/Customers/{id}', at(customer))).response.status,
    };
    done['Supplier'] = {
      listed: got(await api.GET('/Suppliers')).length,
      paged: await all((resourceParameter) => api.GET('/Suppliers', { params: { query: { resourceParameter } } })),
      found: got(
        await api.GET('/Suppliers', { params: { query: { externalImportReference: 'S1', supplierNos: `${supplier.Number}-` } } }),
      ).length,
      patched: got(await api.PATCH('/Suppliers/{id}', { ...at(supplier), body: phone })).PhoneNumber,
      deleted: (await api.DELETE('/Suppliers/{id}', at(supplier))).response.status,
      gone: (await api.GET('/Suppliers/{id}', at(supplier))).response.status,
    };
    done['Employee'] = {
      listed: got(await api.GET('/Employees')).length,
      paged: await all((resourceParameter) => api.GET('/Employees', { params: { query: { resourceParameter } } })),
      found: got(
        await api.GET('/Employees', {
          params: {
            query: { employeeNos: String(employee.Number), employeeCreatedDateTimeOffsetGreaterThan: '2023-07-03T14:28:00Z' },
          },
        }),
      ).length,
      patched: got(await api.PATCH('/Employees/{employeeId}', { ...employeeAt, body: phone })).PhoneNumber,
      deleted: (await api.DELETE('/Employees/{employeeId}', employeeAt)).response.status,
      gone: (await api.GET('/Employees/{employeeId}', employeeAt)).response.status,
    };
    const departmentPatch = await api.PATCH('/Departments/{id}', { ...at(department), body: name });
    const [shown] = got(await api.GET('/Departments', { params: { query: { codes: 'N1', isActive: false } } }));
    done['Department'] = {
      listed: got(await api.GET('/Departments')).length,
      paged: await all((resourceParameter) => api.GET('/Departments', { params: { query: { resourceParameter } } })),
      found: shown === undefined ? 0 : 1,
      patched: departmentPatch.response.status === 200 && shown?.Name,
      deleted: (await api.DELETE('/Departments/{id}', at(department))).response.status,
      gone: (await api.GET('/Departments/{id}', at(department))).response.status,
    };
    done['ContactGroup'] = {
      listed: got(await api.GET('/ContactGroups')).length,
      paged: await all((resourceParameter) => api.GET('/ContactGroups', { params: { query: { resourceParameter } } })),
      found: got(await api.GET('/ContactGroups', { params: { query: { names: 'top customers' } } })).length,
      patched: got(await api.PATCH('/ContactGroups/{id}', { ...at(group), body: name })).Name,
      deleted: (await api.DELETE('/ContactGroups/{id}', at(group))).response.status,
      gone: (await api.GET('/ContactGroups/{id}', at(group))).response.status,
    };
  }
  const me = got(await api.GET('/ClientIntegrationInformation'));
  if (!me.ValidPrivileges?.length) throw new Error('no privileges');
  return done;
}
