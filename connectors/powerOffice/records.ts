import { convert, decimalText } from '../../flows/convert.ts';
import { instantKey, instantMs, isInstant } from '../../flows/instant.ts';
import type { Value } from '../../flows/values.ts';
import type { SystemClock } from '../clock.ts';
import { valueAt, type Snapshot } from '../connector.ts';
import type { Answer } from '../http.ts';
import { SystemError } from '../systemError.ts';
import { RESOURCES, type Resource } from './catalogue.ts';

/** The stamp that every type with stamps has. */
export const CHANGED = 'LastChangedDateTimeOffset';
/** How long a write may stay invisible to reads, which a replica answers (ms). */
export const LAG_MS = 1500;

/** An answer that is not of the promised shape. */
export const notAsPromised = (what: string): SystemError => new SystemError('PowerOffice', 'malformed', what);

/** The type as the catalogue has it. Throws SystemError. */
export function resource(type: string): Resource {
  const found = RESOURCES.find((each) => each.name === type);
  if (!found) throw new SystemError('PowerOffice', 'refused', `the connector does not speak the type ${type}`);
  return found;
}

/** The address of a record below the base address. Throws SystemError for an id that no record of the type can have. */
export function addressOf(kind: Resource, id: string): string {
  const parts = id.split('/');
  if (parts.length !== kind.idFields.length || !parts.every((part) => /^\d{1,19}$/.test(part)))
    throw new SystemError(
      'PowerOffice',
      'gone',
      `no ${kind.name} has the id ${id}: it is ${kind.idFields.join('/')}, all numbers`,
    );
  return `${kind.path}/${parts.join('/')}`;
}

/** The id of a record in an answer, its parts joined: `12/345` for a contact person. Throws SystemError. */
export function recordId(kind: Resource, record: unknown): string {
  const ids = kind.idFields.map((name) => (record as Record<string, unknown> | null | undefined)?.[name]);
  if (!ids.every((id) => typeof id === 'number' || typeof id === 'string'))
    throw notAsPromised(`a ${kind.name} has no ${kind.idFields.join(' and ')}`);
  return ids.join('/');
}

/** The rows of a list, whose empty one is 204 without a body. Throws SystemError. */
export function rowsOf(kind: Resource, answer: Answer): unknown[] {
  if (answer.status === 204) return [];
  if (!Array.isArray(answer.body)) throw notAsPromised(`the list of ${kind.path} is not an array`);
  return answer.body.map(inPascalCase);
}

/** Older versions of the service wrote `firstName` where it is `FirstName` now. */
export function inPascalCase(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || 'Id' in value) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name.charAt(0).toUpperCase() + name.slice(1), inPascalCase(inner)]),
  );
}

/** A record of an answer, reduced to the fields asked for. Throws SystemError where it has no id or no stamp. */
export function goSnapshot(
  kind: Resource,
  record: unknown,
  { fields, clock, answer, read }: { fields: readonly string[]; clock: SystemClock; answer: Answer; read: boolean },
): Snapshot {
  if (record === null || typeof record !== 'object') throw notAsPromised(`a ${kind.name} is not an object`);
  const id = recordId(kind, record);
  const values = Object.fromEntries(fields.map((field) => [field, fromWire(kind, field, valueAt(record, field))]));
  if (!kind.stamped) return { id, ...unstamped(answer, read), fields: values };
  const instant = (record as Record<string, unknown>)[CHANGED];
  if (!isInstant(instant)) throw notAsPromised(`${kind.name} ${id} has no ${CHANGED}`);
  return { id, version: instantKey(instant), instant, fields: values, at: clock.correct(instantMs(instant)) };
}

/**
 * Where records carry no stamp, the moment of the answer stands for it. A read shows what was true a lag before it was
 * sent, so that one which a replica answers is never taken for newer than a write which it does not show yet. When such
 * a record changed, nobody can tell: any time until then.
 */
function unstamped({ sentAt, receivedAt }: Answer, read: boolean): Pick<Snapshot, 'version' | 'instant' | 'at'> {
  const instant = new Date(read ? sentAt - LAG_MS : receivedAt).toISOString();
  return { version: instantKey(instant), instant, at: [0, receivedAt] };
}

const isDecimal = (kind: Resource, name: string): boolean =>
  kind.fields.some((field) => field.name === name && field.type === 'decimal');

/** Amounts are JSON numbers there and plain digits with us, so that no rounding happens on the way between two systems. */
export const fromWire = (kind: Resource, name: string, value: Value): Value =>
  typeof value === 'number' && isDecimal(kind, name) ? decimalText(value) : value;

/** A value as the service takes it: its lists are of ids. Throws SystemError for an amount that a number cannot hold. */
export function toWire(kind: Resource, name: string, value: Value): Value {
  if (Array.isArray(value)) return value.map((each) => (typeof each === 'string' && /^\d+$/.test(each) ? Number(each) : each));
  if (typeof value !== 'string' || value === '' || !isDecimal(kind, name)) return value;
  const number = Number(value);
  if (Number.isFinite(number) && convert(decimalText(number), 'decimal') === convert(value, 'decimal')) return number;
  throw new SystemError('PowerOffice', 'refused', {
    text: `${name} takes a number, and the amount has more digits than one can hold`,
    fields: [name],
  });
}
