import type { DataType } from '../../flows/convert.ts';
import type { Policy, When } from '../../flows/flow.ts';
import type { Side } from '../../flows/side.ts';
import type { Value, Values } from '../../flows/values.ts';

/** An instant on Tandem's clock as far as it is known: not before the first, not after the second (ms since 1970). */
export type Instants = readonly [number, number];

/** A record's mapped values at a version, from whatever answer brought it. */
export interface Observation {
  /** Sorts as the record's versions do. */
  readonly version: string;
  /** The record's last-changed stamp as the system wrote it; its cursor text. */
  readonly instant: string;
  readonly etag?: string;
  readonly values: Values;
  readonly inScope: boolean;
  /** Raw values of the properties by which it is in scope, where a scope leaves several to choose from. */
  readonly scope?: Values;
  /** When the record last changed, on Tandem's clock. */
  readonly at: Instants;
}

/** The part of a flow that a link needs to decide; it travels with the link, so replay never depends on a file. */
export interface Rules {
  readonly hash: string;
  /** Each side in words, for people: "PowerOffice ContactPerson", "CRM Contact". */
  readonly names: Readonly<Record<Side, string>>;
  readonly pairs: readonly {
    readonly source: string;
    readonly target: string;
    readonly type: DataType;
    readonly policy: Policy;
    /** The data type on the way to the source, where it is another. */
    readonly back?: DataType;
    /** One side alone writes; both where it is left out. */
    readonly direction?: 'toTarget' | 'toSource';
    /** The pair holds only while these properties have these texts. */
    readonly when?: readonly When[];
  }[];
  readonly onSourceDeleted: 'keep' | 'delete';
  readonly onTargetDeleted: 'keep' | 'delete' | 'recreate';
  /** Values for creation alone, by target property. */
  readonly create: Values;
}

/** How a link stands. What it does at the moment (`syncing`) is a detail, which history and summaries show, and no status. */
export const STATUSES = ['linking', 'in-step', 'conflict', 'blocked', 'paused', 'ended'] as const;
export type Status = (typeof STATUSES)[number];
export type EndReason = 'source gone' | 'target gone' | 'out of scope' | 'unlinked by hand';

/** What a link knows of one of its records. */
export interface SideState {
  readonly id: string | null;
  readonly seen: Observation | null;
  /** Raw mapped values on which the link last agreed; a property that never agreed is missing. */
  readonly base: Values;
  /** Per property that differs from its base: the record's instant in the earliest observation that showed it. */
  readonly since: Readonly<Record<string, Instants>>;
  /** Something must be read directly before it can be trusted: an equal version with other values, or on request. */
  readonly doubt: boolean;
  readonly gone: Absence | null;
  /** A direct read showed this version, older than what was seen: believed once a second one, the lag later, shows it too. */
  readonly older?: string;
  /** The system went back behind this version and was believed: the store may follow. */
  readonly back?: string;
  /** What attempts may have written of which nobody was told. */
  readonly sent?: readonly SentValue[];
}

/** A value that may have been written although its answer was lost. */
export interface SentValue {
  readonly property: string;
  readonly value: Value;
  /** What stood there before. */
  readonly expected: Value;
  /** The value of the other side that it carried; null for a person's decision. */
  readonly from: { readonly property: string; readonly value: Value } | null;
  /** A record that changed later than this (ms) was changed by somebody else. */
  readonly until: number;
}

/** Direct reads in a row that said "gone", and when the next one is due (ms). */
export interface Absence {
  readonly reads: number;
  readonly nextAt: number;
  /** The first of them, where no list of ids had announced it (ms): such a 404 takes longer to be believed. */
  readonly since?: number;
  /** The last of them (ms). */
  readonly lastAt?: number;
  /** A list of ids has shown since that the record is missing. */
  readonly listed?: boolean;
}

/** A person's decision on one pair: this value on both sides, each written at most once. */
export interface Verdict {
  readonly source: Value;
  readonly target: Value;
  readonly why: string;
  readonly done: readonly Side[];
}

/** Why nothing is tried for now: a permanent refusal. The system's own text stays in the store. */
export interface Block {
  /**
   * The system's status code, or `type`, `taken`, `ambiguous`, `held`, `flow-paused`, `not-configured`, `partner-gone`; `unmatched` and
   * `unconnected` only wait.
   */
  readonly code: string;
  readonly side: Side;
  readonly properties: readonly string[];
  readonly at: number;
  /** A direct read was refused: nothing is read until it is tried again. */
  readonly read?: boolean;
  /** The other side refused as well. */
  readonly both?: boolean;
}

/** Everything one link knows; JSON, so that it can be carried through continue-as-new. */
export interface LinkState {
  /** The world that it belongs to; see InWorld. */
  readonly world?: string;
  readonly flow: string;
  readonly rules: Rules;
  /** Counts the store's writes for this link: an older one changes nothing. */
  readonly revision: number;
  /** Counts the target records made for this link; part of every idempotency key. */
  readonly incarnation: number;
  readonly source: SideState;
  readonly target: SideState;
  readonly status: Status;
  /** Since when the status stands (ms). */
  readonly statusAt: number;
  readonly ended: EndReason | null;
  readonly paused: boolean;
  readonly block: Block | null;
  /** The target record that a person chose for a link that has none. */
  readonly chosen?: string;
  readonly verdicts: Readonly<Record<string, Verdict>>;
  /** Pairs (by source property) that wait for a person. */
  readonly conflicts: readonly string[];
  /** Whether the store holds base and status as they are here. */
  readonly stored: boolean;
  /** Requests that were heard within a day, so that the same again asks nothing twice. */
  readonly requests?: readonly { readonly id: string; readonly at: number }[];
  /** What happened last, in words without values, and when (ms). */
  readonly last: { readonly what: string; readonly at: number } | null;
  /** Its end came by a deletion that Tandem made: no sighting revives it. */
  readonly final?: boolean;
  /** A person let pass what was held back. */
  readonly approved?: boolean;
  /** The target that comes next takes the place of one that was deleted. */
  readonly recreates?: boolean;
  /** Targets that it had before and that were gone, the last one last: one that is restored was not made by a lost create. */
  readonly formerTargets?: readonly string[];
}

/** Nothing is wrong: the record waits for a match, or for a record it refers to. */
export const isWaiting = (block: Pick<Block, 'code'> | null): boolean =>
  block?.code === 'unmatched' || block?.code === 'unconnected';
