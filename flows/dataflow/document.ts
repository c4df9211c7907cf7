/** A dataflow document as data: what `tandem flows read --json` prints. Lines count from 1. */
import type { Relation, When } from '../flow.ts';

/** A row of the property table. `type` stands as in the document, quotes included. */
export interface PropertyRow {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  /** The element or record for which the row holds. */
  readonly when: readonly When[];
}

/** A create that waits until the record refers to a linked one: items as in the sentence, and the system named last. */
export interface Connected {
  readonly list: readonly string[];
  readonly into: string;
}

/** One flow of a document. `from` and `to` are system and data type as in the heading; a blank system leaves a leading space. */
export interface Section {
  readonly line: number;
  readonly from: string;
  readonly to: string;
  readonly relation: Relation;
  /** Alternatives in order: a pair of properties that must be equal. */
  readonly match: readonly (readonly [string, string])[];
  readonly condition: string | null;
  readonly connected: Connected | null;
  readonly properties: readonly PropertyRow[];
}

/** Something kept as it is that a person should know of, or decide before such a flow can run. */
export interface Warning {
  readonly line: number;
  readonly text: string;
}

export interface Dataflow {
  readonly source: string;
  /** Blank where the document leaves the second system out. */
  readonly target: string;
  /** `YYYY-MM-DD HH:MM:SS` */
  readonly generated: string;
  readonly sections: readonly Section[];
  readonly warnings: readonly Warning[];
}

/** One thing that a document gets wrong. */
export interface DocumentProblem {
  readonly line: number;
  /** The line as it stands; empty after the last one. */
  readonly found: string;
  readonly what: string;
  readonly expected: string;
}
