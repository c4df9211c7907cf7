import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { describedStandIn, type Described } from './described.ts';
import { OPERATIONS, PROVIDER, schemaOf, undescribed, type Operation, type Schema } from '../support/description.ts';

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

const ID = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .integer({ min: 0, max: 12 })
      .chain((n) => fc.constantFrom(501, 1001, 2001, 3001, 4001, 5001, 6001).map((from) => from + n)),
  },
  { weight: 1, arbitrary: fc.nat() },
);
const INSTANT = fc
  .date({ min: new Date('2025-01-01'), max: new Date('2026-12-31'), noInvalidDate: true })
  .chain((date) =>
    fc
      .tuple(fc.constantFrom('T', ' '), fc.constantFrom('Z', '+00:00', '-02:30'), fc.constantFrom('', '.123456', '.1234567'))
      .map(([between, offset, fraction]) => `${date.toISOString().slice(0, 19).replace('T', between)}${fraction}${offset}`),
  );
const LIST = fc
  .array(fc.oneof(ID.map(String), fc.constantFrom('-', '10-20', '500-', 'P1', 'abc', ' 101 ')), { maxLength: 4 })
  .map((each) => each.join(','));

/** A value as a schema has it, and now and then one that the database would refuse: too long, unknown, taken. */
function valueOf(given: Schema): fc.Arbitrary<unknown> {
  const schema = schemaOf(given);
  const nothing = fc.constant(null);
  if (schema.enum) return fc.oneof(nothing, fc.constantFrom(...schema.enum));
  switch (schema.type) {
    case 'integer':
      return fc.oneof(nothing, ID, fc.integer({ min: -5, max: 120 }));
    case 'number':
      return fc.oneof(
        nothing,
        fc.integer({ min: -1000, max: 100_000 }).map((n) => n / 100),
      );
    case 'boolean':
      return fc.oneof(nothing, fc.boolean());
    case 'array':
      return fc.array(valueOf(schema.items ?? {}), { maxLength: 3 });
    case 'object':
      return objectOf(schema, Object.keys(schema.properties ?? {}));
    default:
      if (schema.format === 'date-time') return INSTANT;
      if (schema.format === 'date')
        return fc.oneof(
          nothing,
          INSTANT.map((text) => text.slice(0, 10)),
        );
      if (schema.format === 'uuid') return fc.oneof(nothing, fc.uuid());
      return fc.oneof(
        nothing,
        fc.string({ unit: 'grapheme', maxLength: 12 }),
        fc.constantFrom('', 'Kari', 'kari@example.no', 'P1', 'x'.repeat(60), 'x'.repeat(500)),
      );
  }
}

function objectOf(schema: Schema, names: readonly string[]): fc.Arbitrary<Record<string, unknown>> {
  const all = fc.record(Object.fromEntries(names.map((name) => [name, valueOf(schema.properties?.[name] ?? {})])));
  return fc
    .tuple(all, fc.subarray([...names]), fc.boolean())
    .map(([values, some, lower]) =>
      Object.fromEntries(
        [...new Set([...some, ...(schema.required ?? [])])].map((name) => [
          lower ? name.charAt(0).toLowerCase() + name.slice(1) : name,
          values[name],
        ]),
      ),
    );
}

const typeOf = (path: string): string => {
  const list = OPERATIONS.find((each) => each.method === 'GET' && each.path === `/${path.split('/')[1]}`);
  return (
    (list?.operation.responses['200']?.content?.['application/json']?.schema.items?.$ref ?? '')
      .split('/')
      .at(-1)
      ?.replace(/Dto$/, '') ?? ''
  );
};

function patchOf(type: string): fc.Arbitrary<unknown> {
  const dto = PROVIDER.components.schemas[`${type}Dto`]?.properties ?? {};
  const names = Object.keys(dto);
  const pointer = fc.constantFrom(...names).chain((name) => {
    const inner = Object.keys(schemaOf(dto[name] ?? {}).properties ?? {});
    return fc.constantFrom(
      `/${name}`,
      `/${name.toLowerCase()}`,
      ...inner.map((each) => `/${name}/${each}`),
      ...(dto[name]?.items ? [`/${name}/-`, `/${name}/0`] : []),
    );
  });
  const operation = fc.oneof(
    fc.constantFrom(...names).chain((name) =>
      fc.record({
        op: fc.constantFrom('add', 'replace', 'test'),
        path: fc.constant(`/${name}`),
        value: valueOf(dto[name] ?? {}),
      }),
    ),
    fc.record({
      op: fc.constantFrom('add', 'replace', 'test'),
      path: pointer,
      value: fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
    }),
    fc.record({ op: fc.constant('remove'), path: pointer }),
    fc.record({ op: fc.constantFrom('copy', 'move'), from: pointer, path: pointer }),
  );
  return fc.array(operation, { maxLength: 4 });
}

function queryOf(operation: Operation): fc.Arbitrary<string> {
  const parameters = (operation.parameters ?? []).filter((each) => each.in === 'query' && each.name !== 'resourceParameter');
  const dto = schemaOf(operation.responses['200']?.content?.['application/json']?.schema.items ?? {});
  const field = fc.constantFrom(...Object.keys(dto.properties ?? { Id: {} }));
  const filters = parameters.map(({ name, schema }) =>
    (schemaOf(schema).type === 'string' && schemaOf(schema).format === undefined && !schemaOf(schema).enum
      ? fc.oneof(LIST, fc.string({ maxLength: 8 }))
      : valueOf(schema).map((value) => String(value ?? ''))
    ).map((value): [string, string] => [name, value]),
  );
  const paging: fc.Arbitrary<[string, string]>[] = [
    fc.tuple(fc.constantFrom('PageNumber', 'resourceParameter[PageNumber]'), fc.integer({ min: 0, max: 4 }).map(String)),
    fc.tuple(fc.constant('PageSize'), fc.constantFrom('1', '3', '20000', '20001', '0')),
    fc.tuple(
      fc.constant('OrderBy'),
      fc.tuple(field, fc.constantFrom('', ' desc', ' asc')).map((each) => each.join('')),
    ),
    fc.tuple(
      fc.constantFrom('Fields', 'fields'),
      fc.array(field, { maxLength: 4 }).map((each) => each.join(',')),
    ),
    fc.tuple(fc.constant('UseDatabaseValidation'), fc.constantFrom('true', 'false')),
  ];
  return fc
    .tuple(...[...filters, ...paging].map((each) => fc.option(each, { freq: 4, nil: undefined })))
    .map((pairs) => new URLSearchParams(pairs.filter((each) => each !== undefined)).toString());
}

function callOf({ path, method, operation }: (typeof OPERATIONS)[number]): fc.Arbitrary<Call> {
  const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
  const type = typeOf(path);
  const address = fc.tuple(ID, ID).map(([a, b]) => {
    const ids = [a, b];
    return path.replaceAll(/\{\w+\}/g, () => String(ids.shift()));
  });
  const cased = fc.tuple(address, fc.boolean()).map(([text, lower]) => (lower ? text.toLowerCase() : text));
  const post = schemaOf(body ?? {});
  return fc.record({
    method: fc.constant(method),
    path:
      method === 'GET'
        ? fc
            .tuple(cased, queryOf(operation))
            .map(([text, query]) => (path.includes('{') || query === '' || type === '' ? text : `${text}?${query}`))
        : cased,
    ...(method === 'PATCH' ? { body: patchOf(type) } : body ? { body: objectOf(post, Object.keys(post.properties ?? {})) } : {}),
  });
}

describe('the PowerOffice stand-in, asked anything that the description has', function () {
  let described: Described;
  before(async () => {
    described = await describedStandIn();
  });

  it('never fails, and never answers what the description does not have', async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.oneof(...OPERATIONS.map(callOf)), async ({ method, path, body }) => {
        const { status } = await described.ask(method, path, body);
        assert.ok(status < 500, `${method} ${path}: ${status}`);
        assert.deepEqual(described.violations.splice(0), [], JSON.stringify(body));
        seen.set(`${method} ${status}`, (seen.get(`${method} ${status}`) ?? 0) + 1);
      }),
      { numRuns: 4000, endOnFailure: false },
    );
    for (const expected of [
      'GET 200',
      'GET 204',
      'GET 400',
      'GET 404',
      'POST 201',
      'POST 200',
      'POST 400',
      'PATCH 200',
      'PATCH 400',
      'DELETE 200',
      'DELETE 409',
    ])
      assert.ok((seen.get(expected) ?? 0) > 0, `${expected} came up: ${JSON.stringify([...seen])}`);
  });

  it('holds answers against the description such that a wrong one is seen', () => {
    const json = 'application/json';
    const product = { Id: 1, Name: 'Brunost', LastChangedDateTimeOffset: '2026-01-15T08:00:00.1234567+00:00' };
    const answer = (body: unknown, status = 200, type = json): string[] =>
      undescribed({ method: 'GET', path: '/products/1' }, { status, type, body: JSON.stringify(body) });
    assert.deepEqual(answer(product), []);
    for (const wrong of [
      answer({ ...product, Id: null }),
      answer({ ...product, Extra: 1 }),
      answer({ ...product, ProductType: 'Thing' }),
      answer({ ...product, LastChangedDateTimeOffset: 'now' }),
      answer([product]),
      answer({ title: 'Bad Request' }, 400),
      answer(product, 200, 'text/html'),
    ])
      assert.equal(wrong.length, 1);
  });
});
