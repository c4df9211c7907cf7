import { instantKey, instantMs } from '../../flows/instant.ts';
import { pathSteps, plainPath } from '../../flows/path.ts';
import { isNoValue, type Value } from '../../flows/values.ts';
import type { SystemClock } from '../clock.ts';
import { isLeftOut, putAt, valueAt, type Snapshot } from '../connector.ts';
import { SystemError } from '../systemError.ts';
import { placeOf, textAt } from './profile/place.ts';
import type { ReadyType, RecordShape } from './profile/resolve.ts';
import { fillText } from './profile/template.ts';
import { isPattern, patternGrain } from './profile/pattern.ts';
import { formatThatReads, instantOf, stampText } from './profile/stamps.ts';

export type Json = Record<string, unknown>;

export const malformed = (what: string): SystemError => new SystemError('CRM', 'malformed', what);
export const isObject = (value: unknown): value is Json => value !== null && typeof value === 'object' && !Array.isArray(value);

/** Where a mapped property stands in a record, or in a row of a list whose shape is another. */
export function placeIn(type: Pick<ReadyType, 'fields' | 'record'>, name: string, shape: RecordShape = type.record): string {
  const at = type.fields.find((field) => field.name === name)?.at ?? name;
  return shape.values === undefined ? at : `${shape.values}.${at}`;
}

/** An id as text; of an address, which some systems give in its place, the last step. */
export function idAt(record: unknown, path: string | undefined): string | null {
  const text = textAt(record, path);
  return text !== null && /^https?:\/\/|^\//.test(text) ? lastStep(text) : text;
}

/** The last step of an address, as `5` of `/contacts/5`, or of OData's `/contacts(5)`. */
export function lastStep(address: string): string | null {
  const step = address.split(/[?#]/)[0]?.split('/').filter(Boolean).at(-1);
  return step === undefined ? null : decodeURIComponent(step.replace(/^.*\('?|'?\)$/g, ''));
}

/** A stamp that shows no part of a second may be so much earlier than the change (ms). */
function grainOf(stamp: unknown, format: string): number {
  if (isPattern(format)) return patternGrain(format);
  if (format === 'ms' || format === 'odata') return 1;
  if (typeof stamp === 'number' || format === 'seconds') return Number.isInteger(Number(stamp)) ? 1000 : 1;
  if (typeof stamp !== 'string') return 1000;
  return /^\d{4}-\d\d-\d\d$/.test(stamp) ? 86_400_000 : /:\d\d[.,]\d/.test(stamp) ? 1 : 1000;
}

/** The first of the profile's stamps that is there. */
function stampOf(record: Json, shape: RecordShape, type: ReadyType): { raw: unknown; instant: string } | null {
  for (const path of shape.changed) {
    const raw = placeOf(record, path);
    if (raw === undefined || raw === null || raw === '') continue;
    const instant = instantOf(raw, type.stamps);
    if (instant !== null) return { raw, instant };
  }
  return null;
}

/** What stands where a stamp should, and in which format it could be read. */
function unreadStamp(record: Json, shape: RecordShape, { stamps }: ReadyType): string {
  const raw = shape.changed.map((path) => placeOf(record, path)).find((each) => each !== undefined && each !== null);
  if (raw === undefined) return '';
  const format = formatThatReads(raw);
  const next = format === null ? 'give "format" a pattern, such as DD.MM.YYYY HH:mm:ss' : `say "format": "${format}"`;
  return ` that "format": "${stamps.format}" can read (${JSON.stringify(raw).slice(0, 60)}): under stamps, ${next}`;
}

/** Why a record that a system still shows is none that Tandem may touch. */
function setAside(record: Json, shape: RecordShape): 'gone' | { survivor: string } | null {
  const survivor = textAt(record, shape.mergedInto);
  if (survivor !== null) return { survivor };
  return shape.gone.some(({ path, equals }) => placeOf(record, path) === equals) ? 'gone' : null;
}

/** Whether a row of a list stands for a record that is no more. */
export const isGone = (record: unknown, shape: RecordShape): boolean => isObject(record) && setAside(record, shape) !== null;

/** The id that a record shows. Throws where there is none. */
export function idOf(record: unknown, shape: RecordShape, type: string): string {
  const id = isObject(record) ? idAt(record, shape.id) : null;
  if (id === null) throw malformed(`a ${type} has no ${shape.id}`);
  return id;
}

/** What an answer is held against, and what of it is wanted. */
export interface Reading {
  readonly type: ReadyType;
  readonly fields: readonly string[];
  readonly shape?: RecordShape;
  /** The record that was asked for. */
  readonly asked?: string;
  readonly etag?: string | null;
  /** A check has seen that this system leaves out what has no value. */
  readonly absentSeen: boolean;
  readonly clock: SystemClock;
}

/** Whether a stamp tells the instant of a change to the millisecond. */
export const isFine = (record: unknown, type: ReadyType, shape: RecordShape = type.record): boolean => {
  const stamp = isObject(record) ? stampOf(record, shape, type) : null;
  return stamp !== null && grainOf(stamp.raw, type.stamps.format) === 1;
};

/** A record of an answer, reduced to what is wanted of it. Throws SystemError where it can't be, or is another record. */
export function snapshotOf(record: unknown, reading: Reading): Snapshot {
  const { type, fields, asked, clock } = reading;
  const shape = reading.shape ?? type.record;
  if (!isObject(record)) throw malformed(`a ${type.name} is not an object`);
  const id = idOf(record, shape, type.name);
  if (asked !== undefined && id !== asked)
    throw new SystemError('CRM', 'merged', `${type.name} ${asked} was merged into ${id}: the CRM answers with ${id}`);
  if (asked !== undefined) {
    const aside = setAside(record, shape);
    if (aside === 'gone') throw new SystemError('CRM', 'gone', `${type.name} ${id} is deleted`);
    if (aside) throw new SystemError('CRM', 'merged', `${type.name} ${id} was merged into ${aside.survivor}`);
  }
  const stamp = stampOf(record, shape, type);
  if (!stamp) throw malformed(`${type.name} ${id} has no ${shape.changed.join(' or ')}${unreadStamp(record, shape, type)}`);
  const { instant, raw } = stamp;
  const version = shape.version === undefined ? null : textAt(record, shape.version);
  const externalId = shape.externalId === undefined ? null : textAt(record, shape.externalId);
  const tag = conditionOf(record, reading, stamp);
  const at = clock.correct(instantMs(instant));
  return {
    id,
    // A version's number orders, whatever the system's clock does; its letter sorts after the stamps of those without one.
    version:
      version !== null && /^\d+$/.test(version) ? `v${version.padStart(12, '0')}/${instantKey(instant)}` : instantKey(instant),
    instant,
    ...(tag ? { etag: tag } : {}),
    ...(shape.created !== undefined && placeOf(record, shape.created) === raw ? { untouched: true } : {}),
    ...(externalId === null ? {} : { externalId }),
    fields: Object.fromEntries(fields.map((name) => [name, valueOf(record, name, reading)])),
    at: [at[0], at[1] + grainOf(raw, type.stamps.format) - 1],
  };
}

function conditionOf(
  record: Json,
  { type, shape = type.record, etag }: Reading,
  stamp: { raw: unknown; instant: string },
): string | null {
  const { condition } = type;
  if (typeof condition !== 'object') return null;
  const text = fillText(condition.value, {
    etag: textAt(record, shape.etag) ?? etag,
    version: textAt(record, shape.version),
    stamp: stamp.raw,
    httpStamp: stampText(instantMs(stamp.instant), type.stamps, 'http'),
  });
  return text ?? null;
}

function valueOf(record: Json, name: string, { type, shape = type.record, absentSeen }: Reading): Value {
  const path = placeIn(type, name, shape);
  if (!(shape.absent === 'noValue' && absentSeen) && isLeftOut(record, path))
    throw new SystemError(
      'CRM',
      'refused',
      `the answer leaves out ${name} of ${type.name}: it may not be read as empty. Ask for it in the profile ({fields}), or say "absent": "noValue" and let tandem profile check see it`,
    );
  const value = valueAt(record, path);
  const field = type.fields.find((each) => each.name === plainPath(name));
  const none = field?.noValue ?? shape.noValue;
  return none === false && value === false && field?.type !== 'boolean' ? null : value;
}

/** Values as a request sends them: each at its place, no value as the system writes it. */
export function bodyOf(type: ReadyType, values: Readonly<Record<string, Value>>): Json {
  const body: Json = {};
  for (const [name, value] of Object.entries(values)) putAt(body, placeIn(type, name), written(type, name, value));
  return body;
}

/** A value as a request sends it. */
export function written(type: ReadyType, name: string, value: Value): Value {
  const none = type.fields.find((each) => each.name === plainPath(name))?.noValue ?? type.record.noValue;
  return none !== null && isNoValue(value) ? none : value;
}

/** `{fields}` and `{columns}`: the properties that are wanted, by themselves and with what every record needs. */
export function namesFor(
  type: ReadyType,
  fields: readonly string[],
  shape: RecordShape = type.record,
): { fields: string[]; columns: string[] } {
  const at = (name: string): string => type.fields.find((field) => field.name === name)?.at ?? name;
  const names = [...new Set(fields.map((name) => at(plainPath(name))))];
  const top = (path: string): string => pathSteps(path)[0]?.name ?? path;
  const own = [shape.id, ...shape.changed, shape.created, shape.version, shape.externalId, shape.mergedInto].filter(
    (path) => path !== undefined && !path.startsWith('@'),
  ) as string[];
  const aside = shape.gone.map(({ path }) => path);
  const inner = shape.values === undefined ? names.map(top) : [top(shape.values)];
  const prefix = shape.values === undefined ? null : `${shape.values}.`;
  const beside = prefix === null ? [] : own.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
  return { fields: [...new Set([...names, ...beside])], columns: [...new Set([...own.map(top), ...aside.map(top), ...inner])] };
}
