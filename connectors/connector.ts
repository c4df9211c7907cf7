import type { Catalogue } from '../flows/catalogue.ts';
import type { SystemName } from '../flows/flow.ts';
import { pathSteps, type PathStep } from '../flows/path.ts';
import { sameValue, type Value, type Values } from '../flows/values.ts';
import type { Instants } from '../workflows/core/state.ts';
import type { SystemClock } from './clock.ts';
import { SystemError } from './systemError.ts';

/** A record as a system's answer showed it, reduced to the fields that were asked for. */
export interface Snapshot {
  readonly id: string;
  readonly version: string;
  readonly instant: string;
  readonly etag?: string;
  readonly externalId?: string;
  /** Nobody has changed it since it was created, as far as the system tells. */
  readonly untouched?: boolean;
  /** The answer to a create did not show it: it was read afterwards, and may have been edited between. */
  readonly readBack?: boolean;
  readonly fields: Values;
  /** When it last changed, on our clock. */
  readonly at: Instants;
}

/** Who gets a slot of the throttle first. */
export type Priority = 'write' | 'feed' | 'sweep';

/** Options of every call. `signal` aborts it. */
export interface CallOptions {
  readonly priority: Priority;
  /** A repeated write: its answer may be an old one and says nothing about clocks. */
  readonly again?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A row of a list that cannot be read; its neighbours can. `id` where the row shows one. `why` may quote values: for the store alone. */
export interface UnreadableRow {
  readonly id?: string;
  readonly why: string;
}

/** A page of any list: where a reading that breaks off goes on after it, null at the end; left out where it begins anew. */
interface Positioned {
  readonly position?: string | null;
}

/**
 * One page of a list. `after` is where the next look may begin once the page is dealt with; null where nothing says so
 * yet.
 */
export interface Page extends Positioned {
  readonly records: readonly Snapshot[];
  /** Rows that are set aside, so that they do not stop the feed. */
  readonly unreadable?: readonly UnreadableRow[];
  readonly after: string | null;
}

/** One page of a list of ids. */
export interface IdPage extends Positioned {
  readonly ids: readonly string[];
}

/** What makes a write conditional: raw values to be tested, the ETag seen. */
export interface WriteCondition {
  readonly test: Values;
  readonly etag?: string | undefined;
  /** The version seen: an answer without a record is read again until it shows a newer one. */
  readonly version: string;
}

/** What a system offers; the connector does without what is missing. */
export interface Features {
  /** How a write is made conditional: JSON Patch `test`, `If-Match`, or not at all (a read before the write). */
  readonly conditional: 'test' | 'etag' | 'none';
  readonly externalId: boolean;
  /** Whether the system itself refuses a second record with the same external id; left out: it does. */
  readonly uniqueExternalId?: boolean;
  readonly idempotencyKey: boolean;
}

/**
 * For a system that may not know the conditions it is sent, and refuses for a condition as for much else. Where a
 * conditional write was refused although reads show what it expects, one try without the condition tells.
 */
export interface ConditionProbe {
  /** Whether a refusal may have another reason than a condition that did not hold. */
  isDoubtful(refusal: SystemError): boolean;
  /** Between the two reads that must both show what was expected before the condition itself is doubted (ms). */
  readonly readsApartMs: number;
  /** False once a condition was seen to work. */
  isOpen(): boolean;
  /** The try without the condition was taken: conditions don't work here, from now on a read comes before each write. */
  settleMissing(): Promise<void>;
  /** What `settleMissing` means, for the log. */
  readonly warning: string;
}

/** Of what type, and which of its fields the answer shall show. */
interface Wanted {
  readonly type: string;
  readonly fields: readonly string[];
}

export interface ChangedRequest extends Wanted {
  readonly since: string | null;
  /** Where an earlier reading of the same question broke off. */
  readonly position?: string | undefined;
}

export interface IdsRequest {
  readonly type: string;
  readonly position?: string | undefined;
}

export interface ReadRequest extends Wanted {
  readonly id: string;
}

export interface CreateRequest extends Wanted {
  readonly values: Values;
  readonly identity: { readonly externalId: string; readonly idempotencyKey: string };
}

export interface UpdateRequest extends Wanted {
  readonly id: string;
  readonly set: Readonly<Record<string, Value>>;
  readonly condition: WriteCondition;
}

export interface FindRequest extends Wanted {
  readonly by: { readonly externalId: string; readonly values: Values; readonly since: number };
}

/** One of the two systems, as the activities use it. All errors are SystemError. */
export interface Connector {
  readonly name: SystemName;
  readonly title: string;
  readonly catalogue: Catalogue;
  readonly clock: SystemClock;
  /** How long a write may stay invisible to reads (ms). */
  readonly lagMs: number;
  features(): Features;
  readonly conditionProbe?: ConditionProbe;
  /** One cheap call that shows whether system and key work; tells who we are, and what we may, where the system says so. */
  check(signal?: AbortSignal): Promise<{ readonly identity: string; readonly privileges?: readonly string[] }>;
  /** Records changed after `since` (all where null), oldest change first. `since` is exclusive or inclusive as the system has it; none is lost. */
  changed(request: ChangedRequest, options: CallOptions): AsyncIterable<Page>;
  /** Ids of all records of a type, page by page. */
  ids(request: IdsRequest, options: CallOptions): AsyncIterable<IdPage>;
  /** Where the system tells which records were deleted; left out where it does not. */
  readonly deletions?: {
    /** The types of which it tells. */
    readonly types: readonly string[];
    /** Ids of the records of such a type that were deleted since then (ISO), page by page. Earlier ones may be among them. */
    since(request: { readonly type: string; readonly since: string }, options: CallOptions): AsyncIterable<readonly string[]>;
  };
  /** A direct read. */
  read(request: ReadRequest, options: CallOptions): Promise<Snapshot>;
  create(request: CreateRequest, options: CallOptions): Promise<Snapshot>;
  /** Writes `set`. `unconditional` leaves out the condition: for the one try that shows whether a system knows it. */
  update(request: UpdateRequest, options: CallOptions & { unconditional?: boolean }): Promise<Snapshot>;
  remove(type: string, id: string, options: CallOptions): Promise<void>;
  /** Records that carry the external id; by content where there is none. */
  find(request: FindRequest, options: CallOptions): Promise<readonly Snapshot[]>;
}

/** For a write without a condition of the system's own: what was just read must be what the write expects. Throws SystemError. */
export function requireUnchanged(system: string, test: Values, now: (property: string) => Value | undefined): void {
  for (const [name, value] of Object.entries(test))
    if (!sameValue(now(name), value)) throw new SystemError(system, 'contended', `${name} was edited meanwhile`);
}

/**
 * Whether a write's answer shows that it changed the record: its stamp tells the system's time then. What changed nothing
 * (a system that normalises to what stood there) is answered with the stamp of an earlier edit, perhaps of months ago.
 */
export function hasChanged({ set, condition }: UpdateRequest, seen: Snapshot): boolean {
  if (seen.version === condition.version) return false;
  const shown = Object.keys(set).filter((name) => name in seen.fields && name in condition.test);
  return shown.length === 0 || shown.some((name) => !sameValue(seen.fields[name], condition.test[name]));
}

/** The value at a property path. Arrays on the way are flattened to a list, unless the path selects an element. */
export function valueAt(record: unknown, path: string): Value {
  let here: unknown[] = [record];
  let listed = false;
  for (const { name, where } of pathSteps(path)) {
    here = here.flatMap((item) => {
      if (item === null || typeof item !== 'object') return [];
      const inner = (item as Record<string, unknown>)[name];
      if (!Array.isArray(inner)) return inner === undefined ? [] : [inner];
      if (where) return inner.filter((each) => isElement(each, where)).slice(0, 1);
      listed = true;
      return inner as unknown[];
    });
  }
  const values = here.map((item): Value =>
    typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean'
      ? item
      : item === null || item === undefined
        ? null
        : JSON.stringify(item),
  );
  return listed ? values : (values[0] ?? null);
}

/** Whether an answer leaves a property out: not even an empty value stands there. A list without the element that is meant shows it. */
export function isLeftOut(record: unknown, path: string): boolean {
  let here: unknown = record;
  for (const { name, where } of pathSteps(path)) {
    if (here === null || typeof here !== 'object') return false;
    const inner = (here as Record<string, unknown>)[name];
    if (inner === undefined) return true;
    here = where && Array.isArray(inner) ? inner.find((each) => isElement(each, where)) : inner;
    if (here === undefined || Array.isArray(here)) return false;
  }
  return false;
}

function isElement(item: unknown, where: NonNullable<PathStep['where']>): boolean {
  const value = item !== null && typeof item === 'object' ? (item as Record<string, unknown>)[where.property] : undefined;
  return (typeof value === 'string' || typeof value === 'number' ? String(value) : '') === where.value;
}

/** Puts a value at a property path; objects on the way, and an element that is selected, are made where they lack. */
export function putAt(record: Record<string, unknown>, path: string, value: unknown): void {
  const steps = pathSteps(path);
  let here = record;
  for (const { name, where } of steps.slice(0, -1)) {
    if (!where) {
      here = (here[name] ??= {}) as Record<string, unknown>;
      continue;
    }
    const list = (here[name] ??= []) as Record<string, unknown>[];
    let element = list.find((each) => isElement(each, where));
    if (!element) list.push((element = { [where.property]: where.value }));
    here = element;
  }
  here[steps.at(-1)?.name ?? path] = value;
}
