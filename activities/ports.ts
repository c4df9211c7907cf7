import type { Flow } from '../flows/flow.ts';
import type { Side } from '../flows/side.ts';
import type { LinkRecord } from '../workflows/contract.ts';
import type { Observation } from '../workflows/core/state.ts';

/** The clock by which activities wait. Ms since 1970. */
export interface Time {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A running attempt: its number, when the activity was first scheduled (ms), and what aborts its calls. */
export interface Attempt {
  readonly number: number;
  readonly scheduledAt: number;
  readonly signal: AbortSignal;
  /** Whether the worker was asleep so long meanwhile that another may have taken over, and have done what this one is about to do. */
  readonly wasAsleep: () => boolean;
}

/** Runs one attempt of an activity: heartbeats, deadline, failures as Temporal retries them. */
export type RunAttempt = <T>(work: (attempt: Attempt) => Promise<T>) => Promise<T>;

/** What a feed tells a link. */
export interface ObservedMessage {
  readonly side: Side;
  readonly id: string;
  readonly seen: Observation;
  /** A full comparison shows an older version than was seen. */
  readonly regressed?: boolean;
}

/** A link, by its flow as this worker has it and its source, and the hash of the rules that it knows. */
export interface Addressee {
  readonly flow: Flow;
  readonly sourceId: string;
  readonly knownRules?: string | undefined;
}

/** This one link takes no message for now, its inbox is full for instance; others do. */
export class LinkRefuses extends Error {
  override readonly name = 'LinkRefuses';
}

/** What came of a message to a link, or LinkRefuses where that one link takes none for now. Rejects for all else. */
export async function unlessRefused<T>(message: Promise<T>): Promise<T | LinkRefuses> {
  try {
    return await message;
  } catch (error) {
    if (error instanceof LinkRefuses) return error;
    throw error;
  }
}

/** How feeds reach link workflows. Starting and observing throw LinkRefuses where it is about that link alone. */
export interface Messenger {
  /** Starts the workflow of a link; false where it runs already. */
  start(flow: Flow, record: LinkRecord): Promise<boolean>;
  /** Starts it and tells it at once what was seen, in one breath: a link that has ended would close before it heard. */
  startTold(flow: Flow, record: LinkRecord, message: ObservedMessage): Promise<void>;
  /** Tells a running link what was seen, and its flow's rules where it knows others; false where no such workflow runs. */
  signalObserved(to: Addressee, message: ObservedMessage): Promise<boolean>;
  /** Asks a link that waits for a match or a reference to look again; false where no such workflow runs. */
  signalRetry(link: { readonly flow: string; readonly sourceId: string }): Promise<boolean>;
  /** Tells a running link that a list lacks its record; false where no such workflow runs. */
  signalVanished(link: { readonly flow: string; readonly sourceId: string }, side: Side, approved?: boolean): Promise<boolean>;
}

/** Where what is worth a metric is counted. */
export interface Meter {
  /** An edit of a linked pair was written to the other side, so many seconds after the record was changed. */
  carried(edit: { readonly flow: string; readonly side: Side; readonly seconds: number }): void;
}
