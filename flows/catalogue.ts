import type { Condition, SystemName } from './flow.ts';
import type { DataType } from './convert.ts';

/** A field of a record type, as its connector knows it. */
export interface Field {
  /** The system's own path, `Address.City` for a nested one. */
  readonly name: string;
  readonly type: DataType;
  readonly writable: boolean;
  /** Longest text the system is known to take. */
  readonly maxLength?: number;
  /** The type of the same system whose id this field holds. */
  readonly refers?: string;
}

/** What a connector (or a CRM profile) says of itself, so that flows can be checked before anything runs. */
export interface Catalogue {
  readonly system: SystemName;
  readonly types: readonly RecordType[];
  /** Names by which documents call its types besides their own. */
  readonly aliases?: readonly TypeAlias[];
}

/** What a data type's name in a document means: a record type, and the records of it that are meant. */
export interface TypeAlias {
  /** Held against the name in lower case, of which letters and digits alone are left. */
  readonly pattern: RegExp;
  readonly type: string;
  readonly scope?: readonly Condition[];
  /** How a document that Tandem writes calls this type with this scope. */
  readonly spelling?: string;
}

export interface RecordType {
  readonly name: string;
  /** Its place below the base address. */
  readonly path: string;
  /** Fields that make the id. */
  readonly idFields: readonly string[];
  readonly fields: readonly Field[];
  /** Lists whose elements can be written one by one. */
  readonly lists?: readonly string[];
}
