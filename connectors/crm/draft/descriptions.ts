import { placeOf } from '../profile/place.ts';
import { typeNameOf, type Property, type DescribedType } from './guess.ts';

type Json = Record<string, unknown>;
const object = (value: unknown): Json => (value !== null && typeof value === 'object' ? (value as Json) : {});

const EDM: Readonly<Record<string, Property['type']>> = {
  Int16: 'integer',
  Int32: 'integer',
  Int64: 'integer',
  Decimal: 'decimal',
  Double: 'decimal',
  Single: 'decimal',
  Boolean: 'boolean',
};

/** One entity set of OData metadata. */
export interface EntitySet extends DescribedType {
  /** How its key stands in an address: text in quotes, or plain. */
  readonly keyIsText: boolean;
}

/** The entity sets that OData metadata describes. */
export function entitySets(xml: string): EntitySet[] {
  const attribute = (tag: string, name: string): string | undefined => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
  const types = new Map(
    [...xml.matchAll(/<EntityType\b([^>]*)>([\s\S]*?)<\/EntityType>/g)].map(([, head = '', body = '']) => [
      attribute(head, 'Name') ?? '',
      body,
    ]),
  );
  return [...xml.matchAll(/<EntitySet\b([^>]*)>/g)].flatMap(([, head = '']) => {
    const path = attribute(head, 'Name') ?? '';
    const body = types.get((attribute(head, 'EntityType') ?? '').split('.').at(-1) ?? '');
    if (body === undefined) return [];
    const declared = [...body.matchAll(/<Property\b([^>]*)>/g)].map(([, tag = '']) => ({
      name: attribute(tag, 'Name') ?? '',
      edm: (attribute(tag, 'Type') ?? '').replace(/^Edm\./, ''),
    }));
    const id = /<PropertyRef\b[^>]*\bName="([^"]*)"/.exec(body)?.[1];
    return [
      {
        typeName: typeNameOf(path),
        path: `/${path}`,
        properties: declared.map(({ name, edm }) => ({ name, type: EDM[edm] ?? 'string', writable: name !== id })),
        items: 'value',
        parameters: [],
        update: 'PATCH' as const,
        remove: true,
        id,
        keyIsText: declared.find(({ name }) => name === id)?.edm === 'String',
      },
    ];
  });
}

/** The types that an OpenAPI description shows: a path that is listed and created at, and one below it that is read. */
export function resources(api: Json): DescribedType[] {
  const open = (schema: unknown, depth = 0): Json => {
    const here = object(schema);
    if (depth > 8) return here;
    if (typeof here['$ref'] === 'string')
      return open(placeOf(api, here['$ref'].replace(/^#\//, '').replaceAll('/', '.')), depth + 1);
    const all = [here['allOf'], here['oneOf'], here['anyOf']].find(Array.isArray) as unknown[] | undefined;
    if (!all) return here;
    const parts = all.map((each) => open(each, depth + 1));
    return {
      ...here,
      ...parts[0],
      properties: Object.assign({}, object(here['properties']), ...parts.map((part) => object(part['properties']))) as Json,
    };
  };
  const answer = (operation: unknown): Json => {
    const responses = object(object(operation)['responses']);
    const good = object(responses['200'] ?? responses['201'] ?? responses['default']);
    const content = object(good['content']);
    return open(object(content['application/json'] ?? Object.values(content)[0])['schema'] ?? good['schema']);
  };
  const paths = object(api['paths']);
  return Object.entries(paths).flatMap(([path, item]): DescribedType[] => {
    const { get, post } = object(item);
    const below = Object.keys(paths).find(
      (other) => other.startsWith(`${path}/{`) && other.endsWith('}') && !other.slice(path.length + 1).includes('/'),
    );
    if (!get || !post || below === undefined || path.includes('{')) return [];
    const one = object(paths[below]);
    const list = answer(get);
    const inner = Object.entries(object(list['properties'])).find(([, schema]) => open(schema)['type'] === 'array');
    const row = open(list['type'] === 'array' ? list['items'] : open(inner?.[1])['items']);
    const single = answer(one['get']);
    const out = Object.entries(object(single['properties'])).find(
      ([name, schema]) => name === 'data' && open(schema)['properties'],
    )?.[0];
    const parameters = [...listOf(object(item)['parameters']), ...listOf(object(get)['parameters'])].map((each) => open(each));
    return [
      {
        typeName: typeNameOf(path),
        path,
        properties: Object.entries(object(row['properties'])).flatMap(([name, schema]): Property[] => {
          const { type, readOnly } = open(schema);
          const kind = Array.isArray(type) ? type.find((each) => each !== 'null') : type;
          if (kind === 'object' || kind === 'array') return [];
          const ours = kind === 'integer' ? 'integer' : kind === 'number' ? 'decimal' : kind === 'boolean' ? 'boolean' : 'string';
          return [{ name, type: ours, writable: readOnly !== true }];
        }),
        items: list['type'] === 'array' ? undefined : inner?.[0],
        out,
        parameters: parameters.filter((each) => each['in'] === 'query').map((each) => String(each['name'])),
        update: one['patch'] ? 'PATCH' : one['put'] ? 'PUT' : null,
        remove: one['delete'] !== undefined,
      },
    ];
  });
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Where an answer holds a list of records, and those; the first that is found, from the outside in. */
export function listIn(body: unknown, path = '', depth = 0): { items: string; records: Json[] } | null {
  if (Array.isArray(body)) {
    const records = body.filter((each): each is Json => each !== null && typeof each === 'object' && !Array.isArray(each));
    return records.length > 0 && records.length === body.length ? { items: path, records } : null;
  }
  if (depth > 2 || body === null || typeof body !== 'object') return null;
  for (const [name, inner] of Object.entries(body)) {
    const found = listIn(inner, path === '' ? name : `${path}.${name}`, depth + 1);
    if (found) return found;
  }
  return null;
}
