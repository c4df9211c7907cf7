import type { Condition, SystemName } from './flow.ts';
import type { DataType } from './convert.ts';

/** A field of a record type, as its connector knows it. */
export interface Field {
  /** The system's own path, `Address.City` for a nested one. */
  readonly name: string;
  readonly type: DataType;
  /** Whether it can be changed on a record that is there. */
  readonly writable: boolean;
  /** It can be given when a record is made, and not changed afterwards. */
  readonly atCreation?: true;
  /** No answer shows it. */
  readonly unreadable?: true;
  /** An edit of it does not move its record's stamp: only a comparison of everything finds it. */
  readonly unstamped?: true;
  /** Longest text the system is known to take. */
  readonly maxLength?: number;
  /** The words that the system takes, where it takes no others. */
  readonly words?: readonly string[];
  /** The types of the same system, one of which has the id that this field holds. */
  readonly refers?: readonly string[];
  /** Why no flow may use it. */
  readonly refused?: string;
  /** Where the facts above are from; `assumed`: no source confirms them. */
  readonly source?: 'description' | 'documentation' | 'assumed';
}

/** What a connector (or a CRM profile) says of itself, so that flows can be checked before anything runs. */
export interface Catalogue {
  readonly system: SystemName;
  readonly types: readonly RecordType[];
  /** Types that the system has and its connector cannot keep in step, each with the reason. */
  readonly refused?: Readonly<Record<string, string>>;
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
  /** How long its system asks to pause between two looks at it (s), where it asks for more than usual. */
  readonly pollSeconds?: number;
  /** Lists whose elements can be written one by one. */
  readonly lists?: readonly string[];
}
