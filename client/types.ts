import type { HistoryDocument, LinkDocument } from '../store/documents.ts';
import type { ClockEstimate } from '../connectors/clock.ts';
import type { Flow } from '../flows/flow.ts';
import type { NotRun } from '../worker/readFlows.ts';
import type { Value } from '../flows/values.ts';
import type { Message } from '../workflows/core/receive.ts';
import type { Status } from '../workflows/core/state.ts';

/** One feed, as far as it was read. */
export interface FeedStatus {
  readonly feed: string;
  readonly looks: number;
  /** Seconds since the last look; null before the first. */
  readonly lagSeconds: number | null;
  readonly sweptAt: Date | null;
  /** Properties whose edits no look finds, and how old such an edit may be before a full comparison does (h). */
  readonly unstamped: { readonly fields: readonly string[]; readonly hours: number } | null;
  /** What stands in the way now, in the system's own words. */
  readonly trouble: string | null;
}

/** One flow: its pairs by status, when one was last synced, and every reason that blocks some. */
export interface FlowStatus {
  readonly flow: string;
  readonly pairs: Readonly<Partial<Record<Status, number>>>;
  readonly lastSync: Date | null;
  readonly blocked: readonly { readonly reason: string; readonly count: number; readonly example: string }[];
}

export interface TandemStatus {
  readonly flows: readonly FlowStatus[];
  /** Sections of the dataflow document that cannot run, and why. */
  readonly refused: readonly NotRun[];
  readonly feeds: readonly FeedStatus[];
  /** Flows and systems that a person paused. */
  readonly paused: readonly string[];
  /** What is known of each system: its clock against ours in ms, and whether a write can be made conditional. */
  readonly systems: readonly {
    readonly system: string;
    readonly address: string | null;
    readonly clock: ClockEstimate | null;
    readonly note: string | null;
  }[];
}

/** A link and what happened to it, newest first. */
export interface LinkDetails {
  readonly link: LinkDocument;
  readonly history: readonly HistoryDocument[];
  readonly workflowId: string;
}

export interface SyncResult {
  readonly flow: string;
  readonly sourceId: string;
  readonly status: Status | 'asked';
  readonly ended: string | null;
}

/** The way for people and services to reach Tandem. Close it when done. */
export interface Tandem {
  readonly flows: readonly Flow[];
  readonly namespace: string;
  /**
   * Reads both sides of one link and brings them into step. `wait` waits until that is done, at most `timeoutMs`
   * (60,000), and tells how the link stands. A source record that has no link yet gets one.
   */
  sync(flow: string, sourceId: string, options?: { wait?: boolean; timeoutMs?: number }): Promise<SyncResult>;
  /** Compares everything with everything as soon as the watchers get to it. */
  syncAll(flow?: string): Promise<readonly string[]>;
  status(): Promise<TandemStatus>;
  /** Links by source id. Default limit 50. */
  links(filter?: { flow?: string; status?: Status; limit?: number }): Promise<readonly LinkDocument[]>;
  /** One link with its history. Throws TandemError where there is none. */
  getLink(flow: string, sourceId: string, options?: { history?: number }): Promise<LinkDetails>;
  /** A person's request to a link: pause, resume, retry, unlink, relink, or a decision on a property. */
  steer(flow: string, sourceId: string, message: Exclude<Message, { kind: 'observed' | 'vanished' }>): Promise<void>;
  /** Links a record that has no partner with a target record that a person names; differing values go by policy. */
  link(flow: string, sourceId: string, targetId: string): Promise<void>;
  /** Links on which both sides were edited and a person has to decide, with the values of either side. */
  conflicts(flow?: string): Promise<readonly Conflict[]>;
  /** Decides a property: the source's value, the target's, or another one, for both sides. */
  resolve(
    flow: string,
    sourceId: string,
    decision: { readonly property: string; readonly choice: 'source' | 'target' | { readonly value: Value } },
  ): Promise<void>;
  /** Puts the value that a change overwrote back, on both sides, as an ordinary edit. `historyId` is as `show` prints it. */
  restore(flow: string, sourceId: string, historyId: string): Promise<void>;
  /** Tries blocked links again; gives how many were asked. `reason` is looked for in the code and in the system's text. */
  retry(filter?: { flow?: string; reason?: string }): Promise<number>;
  /** Holds a flow, a system (`powerOffice`, `crm`) or one link of a flow back; edits made meanwhile arrive afterwards. */
  pause(flowOrSystem: string, sourceId?: string): Promise<void>;
  /** Lets what was paused go on. */
  resume(flowOrSystem: string, sourceId?: string): Promise<void>;
  /** Lets a flow end, delete or blank very many records for an hour, and tries what was held back. */
  approve(flow: string): Promise<number>;
  /** Brings the lost one of both stores back: links from their workflows, workflows from the links. Writes to no system. */
  rebuild(onProgress?: (done: number) => void): Promise<{ readonly stored: number; readonly started: number }>;
  close(): Promise<void>;
}

/** A property on which both sides were edited. */
export interface Conflict {
  readonly flow: string;
  readonly sourceId: string;
  readonly property: string;
  readonly source: Value;
  readonly target: Value;
}
