import type { SystemName } from './flow.ts';
import type { DataType } from './convert.ts';

/** A field of a record type, as its connector knows it. */
export interface Field {
  /** The system's own path, `Address.City` for a nested one. */
  readonly name: string;
  readonly type: DataType;
  readonly writable: boolean;
  /** Longest text the system is known to take. */
  readonly maxLength?: number;
}

/** What a connector (or a CRM profile) says of itself, so that flows can be checked before anything runs. */
export interface Catalogue {
  readonly system: SystemName;
  readonly types: readonly { readonly name: string; readonly fields: readonly Field[] }[];
}
