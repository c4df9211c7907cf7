import { anyCase, resolve } from './description.ts';
import type { Properties, Schema } from './schema.ts';

/** A value that does not fit its property; `path` leads to it from the body's root. */
export interface Misfit {
  readonly path: string;
  readonly says: string;
}

type Bound = { readonly value: unknown } | { readonly misfit: Misfit };

const LIMITS: Readonly<Record<string, readonly [number, number]>> = {
  int32: [-2_147_483_648, 2_147_483_647],
  // Larger ones have no exact JavaScript number; ids and numbers never get there.
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DAY = /^(\d{4})-(\d\d)-(\d\d)(?=$|[T ])/;

function day(given: string): string | undefined {
  const [head] = DAY.exec(given) ?? [];
  const at = head === undefined ? NaN : Date.parse(`${head}T00:00:00Z`);
  return Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== head ? undefined : head;
}

function text(schema: Schema, given: unknown): unknown {
  const value = typeof given === 'number' ? String(given) : given;
  if (typeof value !== 'string') return undefined;
  if (schema.format === 'date') return value === '' ? null : day(value);
  if (schema.format === 'uuid') return UUID.test(value) ? value.toLowerCase() : undefined;
  if (schema.enum) return value === '' ? null : anyCase(schema.enum, value);
  return value;
}

function number(schema: Schema, value: unknown): unknown {
  const given = typeof value === 'string' && /^\s*[-+]?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : value;
  if (typeof given !== 'number' || !Number.isFinite(given)) return undefined;
  if (schema.type !== 'integer') return given;
  const [least, most] = LIMITS[schema.format ?? 'int64'] ?? [-Infinity, Infinity];
  return Number.isInteger(given) && given >= least && given <= most ? given : undefined;
}

function scalar(schema: Schema, value: unknown): unknown {
  switch (schema.type) {
    case 'string':
      return text(schema, value);
    case 'integer':
    case 'number':
      return number(schema, value);
    case 'boolean':
      return typeof value === 'string' && /^(true|false)$/i.test(value)
        ? value.toLowerCase() === 'true'
        : typeof value === 'boolean'
          ? value
          : undefined;
    default:
      return value;
  }
}

/** A JSON value as the property takes it: the service reads "12" as a number and 12 as a text, and names whatever their case. */
export function bind(given: Schema, value: unknown, path: string): Bound {
  const schema = resolve(given);
  if (value === null) return { value };
  if (schema.type === 'array') {
    if (!Array.isArray(value)) return { misfit: { path, says: `Cannot read a list at '${path}'.` } };
    const values: unknown[] = [];
    for (const [i, item] of value.entries()) {
      const bound = bind(schema.items ?? {}, item, `${path}[${i}]`);
      if ('misfit' in bound) return bound;
      if (bound.value === null) return { misfit: { path, says: `Null is no element of '${path}'.` } };
      values.push(bound.value);
    }
    return { value: values };
  }
  if (schema.type === 'object') return bindObject(schema.properties ?? {}, value, path);
  const fitting = scalar(schema, value);
  return fitting === undefined
    ? {
        misfit: {
          path,
          says: `Could not convert to ${schema.format ?? schema.type ?? 'value'}: ${JSON.stringify(value)}. Path '${path}'.`,
        },
      }
    : { value: fitting };
}

/** An object's values under the description's own names. A name that it lacks is a misfit: no additional properties. */
export function bindObject(properties: Properties, value: unknown, path: string): Bound {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    return { misfit: { path, says: `Cannot read an object at '${path}'.` } };
  const object: Record<string, unknown> = {};
  for (const [given, item] of Object.entries(value)) {
    const name = anyCase(Object.keys(properties), given);
    const below = path === '' ? given : `${path}.${given}`;
    if (name === undefined) return { misfit: { path: below, says: `There is no property '${below}'.` } };
    const bound = bind(properties[name] ?? {}, item, path === '' ? name : `${path}.${name}`);
    if ('misfit' in bound) return bound;
    object[name] = bound.value;
  }
  return { value: object };
}

const empty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'string' && value.trim() === '');

/** What the framework's own validation says of an object: required, too long, out of range; per property. */
export function faultsOf(schema: Schema, values: Readonly<Record<string, unknown>>, path = ''): Record<string, string[]> {
  const faults: Record<string, string[]> = {};
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  for (const name of schema.required ?? []) if (empty(values[name])) faults[at(name)] = [`The ${name} field is required.`];
  for (const [name, value] of Object.entries(values)) {
    const { maxLength, minimum, maximum, ...inner } = resolve(schema.properties?.[name] ?? {});
    if (typeof value === 'string' && maxLength !== undefined && value.length > maxLength)
      faults[at(name)] = [`The field ${name} must be a string with a maximum length of ${maxLength}.`];
    if (typeof value === 'number' && (value < (minimum ?? value) || value > (maximum ?? value)))
      faults[at(name)] = [`The field ${name} must be between ${minimum} and ${maximum}.`];
    if (value !== null && typeof value === 'object' && inner.properties)
      Object.assign(faults, faultsOf(inner, value as Record<string, unknown>, at(name)));
  }
  return faults;
}
