/** A property of a record as a description or a sample shows it. */
export interface Property {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'decimal' | 'boolean';
  readonly writable: boolean;
}

/** What was found out about one type, before it is put into a profile. */
export interface DescribedType {
  readonly typeName: string;
  readonly path: string;
  readonly properties: readonly Property[];
  readonly items?: string | undefined;
  /** Where a single record stands in its answer. */
  readonly out?: string | undefined;
  /** Names of the query parameters that its list takes; none known for a sample. */
  readonly parameters: readonly string[];
  readonly update: 'PATCH' | 'PUT' | null;
  readonly remove: boolean;
  readonly id?: string | undefined;
}

const first = (names: readonly string[], ...patterns: readonly RegExp[]): string | undefined => {
  for (const pattern of patterns) {
    const found = names.find((name) => pattern.test(name));
    if (found !== undefined) return found;
  }
  return undefined;
};

const CHANGED = [
  /^(updated|modified|changed)[-_]?(at|on|date|time)?$/i,
  /^(date|last)[-_]?(updated|modified|changed)/i,
  /(updated|modified|changed)/i,
];
const CREATED = [/^created[-_]?(at|on|date|time)?$/i, /^date[-_]?created/i, /created/i];

/** Places of id and stamps by what they are usually called. */
export function guessRecord(properties: readonly Property[], id?: string): Record<string, unknown> {
  const names = properties.map(({ name }) => name);
  const changed = first(names, ...CHANGED);
  const created = first(names, ...CREATED);
  const external = first(names, /^external[-_]?(id|reference|key)$/i);
  const version = properties.find(({ name, type }) => /^(row)?version$/i.test(name) && type === 'integer')?.name;
  return {
    id: id ?? first(names, /^id$/i, /^_id$/, /id$/i) ?? 'id',
    changed: changed === undefined ? [created ?? 'updatedAt'] : created === undefined ? [changed] : [changed, created],
    ...(created === undefined ? {} : { created }),
    ...(version === undefined ? {} : { version }),
    ...(external === undefined ? {} : { externalId: external }),
  };
}

/** How much of what Tandem needs a type shows: a last-changed stamp above all. */
export function fitness(properties: readonly Property[]): number {
  const names = properties.map(({ name }) => name);
  const { externalId } = guessRecord(properties);
  return (first(names, ...CHANGED) ? 4 : 0) + (externalId === undefined ? 0 : 2) + (first(names, ...CREATED) ? 1 : 0);
}

/** Paging and filters by what their parameters are usually called. */
export function guessList(parameters: readonly string[]): {
  paging: object;
  list: object;
  changes: object | null;
  find: (name: string) => object | null;
} {
  const size = first(parameters, /^(\$top|limit|per[-_]?page|page[-_]?size|size|count)$/i);
  const offset = first(parameters, /^(\$skip|offset|skip|start)$/i);
  const page = first(parameters, /^page([-_]?(number|index|no))?$/i);
  const cursor = first(parameters, /^(cursor|after|page[-_]?token|starting[-_]?after)$/i);
  const since = first(parameters, /^(updated|modified|changed|last[-_]?modified)[-_]?(since|after|from|gte?)?$/i, /since$/i);
  const query: Record<string, string> = {};
  if (size !== undefined) query[size] = '{size}';
  const style = cursor !== undefined ? 'cursor' : offset !== undefined ? 'offset' : page !== undefined ? 'page' : 'none';
  if (style === 'cursor' && cursor !== undefined) query[cursor] = '{cursor}';
  if (style === 'offset' && offset !== undefined) query[offset] = '{offset}';
  if (style === 'page' && page !== undefined) query[page] = '{page}';
  return {
    paging: { style, size: 100, ...(style === 'cursor' ? { next: 'nextCursor' } : {}) },
    list: { query },
    changes: since === undefined ? null : { query: { [since]: '{since}' } },
    find: (name) => {
      const by = parameters.find((each) => each.toLowerCase() === name.toLowerCase());
      return by === undefined ? null : { query: { [by]: '{externalId}' } };
    },
  };
}

/** Properties that a sample of records shows. */
export function sampled(records: readonly Record<string, unknown>[]): Property[] {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return names.flatMap((name): Property[] => {
    const values = records.map((record) => record[name]).filter((value) => value !== null && value !== undefined);
    if (values.some((value) => typeof value === 'object')) return [];
    const [value] = values;
    const type =
      typeof value === 'boolean'
        ? 'boolean'
        : typeof value !== 'number'
          ? 'string'
          : values.every(Number.isInteger)
            ? 'integer'
            : 'decimal';
    return [{ name, type, writable: true }];
  });
}

/** `contacts` is a type Contact, `companies` a Company; `contacts/records` is a Contact, too. */
export function typeNameOf(text: string): string {
  const steps = text.split(/[/.]/).filter(Boolean);
  const named = steps.filter((step) => !/^(records|items|rows|entries|data)$/i.test(step));
  const word = (named.at(-1) ?? steps.at(-1) ?? text).replace(/[^A-Za-z0-9]+(.)?/g, (_, next: string = '') => next.toUpperCase());
  const one = word
    .replace(/ies$/, 'y')
    .replace(/(ch|sh|x|s)es$/, '$1')
    .replace(/([^s])s$/, '$1');
  return one.charAt(0).toUpperCase() + one.slice(1);
}
