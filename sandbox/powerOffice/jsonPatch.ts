import { anyCase, resolve } from './description.ts';
import type { Properties, Schema } from './schema.ts';
import { bind } from './values.ts';

/** A patch that cannot be applied, in the words of the framework that the service is built on. */
export class PatchError extends Error {
  override readonly name = 'PatchError';
}

/** One operation as it came; names of operations and properties count whatever their case. */
export interface PatchOperation {
  readonly op: string;
  readonly path: string;
  readonly from?: string | null;
  readonly value?: unknown;
}

/** A place that an operation names: a property of an object, or an element of a list. */
type Place =
  | { readonly object: Record<string, unknown>; readonly name: string; readonly schema: Schema; readonly segment: string }
  | { readonly list: unknown[]; readonly schema: Schema; readonly segment: string };

const notFound = (segment: string): PatchError =>
  new PatchError(`The target location specified by path segment '${segment}' was not found.`);
const invalid = (value: unknown): PatchError => new PatchError(`The value '${shown(value)}' is invalid for target location.`);

const shown = (value: unknown): string =>
  value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);

/** What a PatchDto has below a nested object: all that can be written. */
const writable = (schema: Schema): Properties =>
  Object.fromEntries(Object.entries(resolve(schema).properties ?? {}).filter(([, each]) => each.readOnly !== true));

const segments = (path: string): string[] =>
  path
    .replace(/^\//, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

function place(
  root: Record<string, unknown>,
  rootProperties: Properties,
  { op, path }: Pick<PatchOperation, 'op' | 'path'>,
): Place {
  const parts = segments(path);
  const last = parts.pop() ?? '';
  let object: unknown = root;
  let properties = rootProperties;
  let items: Schema | undefined;
  for (const part of parts) {
    const name = items ? undefined : anyCase(Object.keys(properties), part);
    if (name === undefined) throw notFound(part);
    const schema = resolve(properties[name] ?? {});
    object = (object as Record<string, unknown>)[name];
    items = schema.type === 'array' ? (schema.items ?? {}) : undefined;
    properties = writable(schema);
    if (object === null || object === undefined || typeof object !== 'object')
      throw new PatchError(`For operation '${op}', the target location specified by path '${path}' was not found.`);
  }
  if (items) return { list: object as unknown[], schema: items, segment: last };
  const name = anyCase(Object.keys(properties), last);
  if (name === undefined) throw notFound(last);
  return { object: object as Record<string, unknown>, name, schema: properties[name] ?? {}, segment: last };
}

/** The position that an element's segment means; `-` is the end. */
function position(list: readonly unknown[], segment: string, adding: boolean): number {
  const most = adding ? list.length : list.length - 1;
  const at = segment === '-' ? most : /^\d+$/.test(segment) ? Number(segment) : undefined;
  if (at === undefined) throw new PatchError(`The path segment '${segment}' is invalid for an array index.`);
  if (at < 0 || at > most)
    throw new PatchError(`The index value provided by path segment '${segment}' is out of bounds of the array size.`);
  return at;
}

function fitted(schema: Schema, value: unknown): unknown {
  const resolved = resolve(schema);
  const bound = bind(resolved.type === 'object' ? { ...resolved, properties: writable(schema) } : schema, value ?? null, '');
  if ('misfit' in bound) throw invalid(value);
  return bound.value;
}

function get(at: Place): unknown {
  return 'list' in at ? at.list[position(at.list, at.segment, false)] : (at.object[at.name] ?? null);
}

function set(at: Place, value: unknown, how: 'add' | 'replace'): void {
  const fit = fitted(at.schema, value);
  if (!('list' in at)) at.object[at.name] = fit;
  else if (fit === null) throw invalid(value);
  else if (how === 'add') at.list.splice(position(at.list, at.segment, true), 0, fit);
  else at.list[position(at.list, at.segment, false)] = fit;
}

function remove(at: Place): void {
  if ('list' in at) at.list.splice(position(at.list, at.segment, false), 1);
  else at.object[at.name] = null;
}

/** Whether two values are the same; no property and a null one are. */
function equal(a: unknown, b: unknown): boolean {
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return (a ?? null) === (b ?? null);
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return [...new Set([...Object.keys(x), ...Object.keys(y)])].every((name) => equal(x[name] ?? null, y[name] ?? null));
}

function test(at: Place, value: unknown): void {
  const current = get(at);
  if (equal(current, fitted(at.schema, value))) return;
  const where = 'list' in at ? 'position' : 'path';
  throw new PatchError(
    `The current value '${shown(current)}' at ${where} '${at.segment}' is not equal to the test value '${shown(value)}'.`,
  );
}

/** Applies a JSON Patch to what may be patched of a record. Throws PatchError; the object is then half changed. */
export function applyJsonPatch(
  properties: Properties,
  target: Record<string, unknown>,
  operations: readonly PatchOperation[],
): void {
  for (const { op, path, from, value } of operations) {
    const at = (where: string): Place => place(target, properties, { op, path: where });
    switch (op.toLowerCase()) {
      case 'test':
        test(at(path), value);
        break;
      case 'add':
      case 'replace':
        set(at(path), value, op.toLowerCase() as 'add' | 'replace');
        break;
      case 'remove':
        remove(at(path));
        break;
      case 'copy':
        set(at(path), structuredClone(get(at(from ?? ''))), 'add');
        break;
      case 'move': {
        const source = at(from ?? '');
        const moved = get(source);
        remove(source);
        set(at(path), moved, 'add');
        break;
      }
      default:
        throw new PatchError(`Invalid JsonPatch operation '${op}'.`);
    }
  }
}

/** The operations of a body, or null where it is no JSON Patch document. */
export function readPatch(body: unknown): PatchOperation[] | null {
  if (!Array.isArray(body)) return null;
  const fits = body.every(
    (each: unknown) =>
      each !== null &&
      typeof each === 'object' &&
      typeof (each as PatchOperation).op === 'string' &&
      typeof (each as PatchOperation).path === 'string',
  );
  return fits ? (body as PatchOperation[]) : null;
}
