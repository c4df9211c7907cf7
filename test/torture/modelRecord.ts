import { instantKey } from '../../flows/instant.ts';
import type { Value } from '../../flows/values.ts';
import type { Features, Snapshot } from '../../connectors/connector.ts';

export interface ModelRecord {
  readonly id: string;
  readonly type: string;
  readonly fields: Readonly<Record<string, Value>>;
  readonly version: number;
  readonly stamp: number;
  readonly externalId: string | null;
}

/** How a system lies, where it speaks through the product's CRM connector and a profile. Shares of calls. */
export interface Lies {
  /** What a write is answered with. */
  readonly answer: 'whole' | 'part' | 'id' | 'none';
  /** Writes that are answered with success and stored nowhere. */
  readonly forgets: number;
  /** Answers that leave out a mapped property although it has a value. */
  readonly leavesOut: number;
  /** Properties without a value are always left out, as the profile says and a check has seen. */
  readonly leavesOutEmpty: boolean;
  /** Rows of lists that show no stamp, or no id. */
  readonly unreadable: number;
  /** Failures have statuses of their own, which the profile's rules know. */
  readonly oddErrors: boolean;
}

/** What a system is like in one schedule. */
export interface Nature {
  readonly conditional: Features['conditional'];
  /** Whether `test` really works where the connector hopes so. */
  readonly testWorks: boolean;
  readonly externalId: boolean;
  readonly uniqueExternalId: boolean;
  readonly idempotencyKey: boolean;
  readonly lagMs: number;
  readonly skewMs: number;
  /** What the system makes of text that it is given. */
  readonly tidy: 'keeps' | 'trims' | 'cuts' | 'capitals';
  /** A write that changes nothing moves neither version nor stamp. */
  readonly still: boolean;
  /** Deletions are refused. */
  readonly keepsAll: boolean;
  readonly lies: Lies | null;
}

/** A change of a record as it really happened: the model's own memory, against which promises are checked. */
export interface Deed {
  readonly at: number;
  readonly by: 'person' | 'tandem';
  readonly type: string;
  readonly id: string;
  readonly kind: 'create' | 'edit' | 'delete' | 'undelete' | 'merge';
  readonly property: string;
  readonly before: Value;
  readonly after: Value;
  /** Whether Tandem wrote although it had not seen what it overwrote. */
  readonly blind: boolean;
  /** The external id of a record that Tandem created. */
  readonly externalId?: string | null;
  /** The record was out of scope as Tandem wrote. */
  readonly outOfScope?: boolean;
  /** Tandem did not get the answer, or not for sure. */
  lost?: boolean;
}

const CUT = 24;

export const iso = (ms: number): string => new Date(ms).toISOString();

/** What a system keeps of a value that it is given. */
export function tidied({ tidy }: Pick<Nature, 'tidy'>, value: Value): Value {
  if (typeof value !== 'string' || tidy === 'keeps') return value;
  return tidy === 'trims' ? value.trim() : tidy === 'cuts' ? value.slice(0, CUT) : value.toUpperCase();
}

/** A record as the system answers with it; when it really changed is for its clock to say. */
export function shownOf(row: ModelRecord, fields: readonly string[], nature: Nature): Omit<Snapshot, 'at'> {
  const instant = iso(row.stamp);
  return {
    id: row.id,
    // Only a system with ETags counts its versions.
    version:
      nature.conditional === 'etag' ? `v${String(row.version).padStart(6, '0')}/${instantKey(instant)}` : instantKey(instant),
    untouched: nature.conditional === 'etag' && row.version === 1,
    instant,
    ...(nature.conditional === 'etag' ? { etag: `"${row.version}"` } : {}),
    ...(nature.externalId && row.externalId !== null ? { externalId: row.externalId } : {}),
    fields: Object.fromEntries(fields.map((name) => [name, row.fields[name] ?? null])),
  };
}
