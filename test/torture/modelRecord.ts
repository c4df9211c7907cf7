import { instantKey } from '../../flows/instant.ts';
import type { Value } from '../../flows/values.ts';
import type { Features, Snapshot } from '../../connectors/connector.ts';

export interface ModelRecord {
  readonly id: string;
  readonly fields: Readonly<Record<string, Value>>;
  readonly version: number;
  readonly stamp: number;
  readonly externalId: string | null;
}

/** What a system is like in one schedule. */
export interface Nature {
  readonly conditional: Features['conditional'];
  /** Whether `test` really works where the connector hopes so. */
  readonly testWorks: boolean;
  readonly externalId: boolean;
  readonly idempotencyKey: boolean;
  readonly lagMs: number;
  readonly skewMs: number;
  /** What the system makes of text that it is given. */
  readonly tidy: 'keeps' | 'trims' | 'cuts';
}

/** A change of a record as it really happened: the model's own memory, against which promises are checked. */
export interface Deed {
  readonly at: number;
  readonly by: 'person' | 'tandem';
  readonly type: string;
  readonly id: string;
  readonly kind: 'create' | 'edit' | 'delete';
  readonly property: string;
  readonly before: Value;
  readonly after: Value;
  /** Whether Tandem wrote although it had not seen what it overwrote. */
  readonly blind: boolean;
}

const CUT = 24;

export const iso = (ms: number): string => new Date(ms).toISOString();

/** What a system keeps of a value that it is given. */
export function tidied({ tidy }: Nature, value: Value): Value {
  if (typeof value !== 'string' || tidy === 'keeps') return value;
  return tidy === 'trims' ? value.trim() : value.slice(0, CUT);
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
