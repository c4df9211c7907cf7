/**
 * Where workflows and activities meet: types alone. Inputs are small and JSON; texts of refusals never travel here,
 * they stay in the store.
 */
import type { Side } from '../flows/side.ts';
import type { Values } from '../flows/values.ts';
import type { Assignment } from './core/merge.ts';
import type { Outcome } from './core/outcome.ts';
import type { Block, EndReason, LinkState, Observation, Rules, Status } from './core/state.ts';

/** What the store keeps of a link, written under its revision. */
export interface LinkRecord {
  readonly flow: string;
  readonly sourceId: string;
  readonly targetId: string | null;
  readonly revision: number;
  readonly incarnation: number;
  readonly rules: string;
  readonly status: Status;
  readonly statusAt: number;
  readonly ended: EndReason | null;
  readonly block: Block | null;
  readonly conflicts: readonly string[];
  readonly last: LinkState['last'];
  readonly base: Readonly<Record<Side, Values>>;
  readonly seen: Readonly<Record<Side, Observation | null>>;
  /** Ended by a deletion that Tandem made: no sighting revives it. */
  readonly final?: boolean;
  /** A person let pass what was held back. */
  readonly approved?: boolean;
  /** Targets that it had before; see LinkState. */
  readonly formerTargets?: readonly string[];
  /** A side that went back behind this version and was believed: the store may follow. */
  readonly back?: Partial<Readonly<Record<Side, string>>>;
}

/** Which world an activity belongs to; none in those from before worlds had names, which are the default installation's. */
export interface InWorld {
  readonly world?: string;
}

export interface LinkActivities {
  /** Gives the link its target record: the chosen one, one that matches, or a new one, as the flow's relation says. */
  createRecord(input: InWorld & { link: LinkRecord; values: Values; chosen?: string; recreates?: boolean }): Promise<Outcome>;
  /** Writes one side on the condition that it still holds what was seen; one API call where nobody interferes. */
  writeRecord(input: InWorld & { link: LinkRecord; side: Side; assignments: readonly Assignment[] }): Promise<Outcome>;
  /**
   * Reads records directly, after the lag, so that the replica shows what was written before. `announced`: a list of ids
   * lacks the record; `list`: such a list is asked for.
   */
  readRecords(
    input: InWorld & { link: LinkRecord; sides: readonly Side[]; announced?: boolean; list?: boolean },
  ): Promise<Outcome>;
  /** Deletes a record because its partner was deleted and the flow says so. */
  removeRecord(input: InWorld & { link: LinkRecord; side: Side }): Promise<Outcome>;
  /** Stores base and status where no system had to be written. */
  storeLink(input: InWorld & { link: LinkRecord }): Promise<Outcome>;
}

/** One feed: a record type of one system, however many flows use it. */
export interface FeedInput extends InWorld {
  readonly system: string;
  readonly type: string;
  /** A watcher that gives no sign for so long is replaced (seconds). */
  readonly takeoverSeconds: number;
}

export interface FeedActivities {
  /** Looks at the feed again and again until asked to hand over; its cursor is in the store. */
  watchFeed(input: FeedInput): Promise<void>;
}

export type { Rules };
