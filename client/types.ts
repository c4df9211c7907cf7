import type { Flow } from '../flows/flow.ts';
import type { Value } from '../flows/values.ts';
import type { Status } from '../workflows/core/state.ts';
import type { Replayed } from '../worker/replay.ts';
import type {
  Change,
  ChangeEvent,
  Conflict,
  HeldChanges,
  Link,
  LinkDetails,
  PageOf,
  RemovedFlow,
  RemovedInstallation,
  StatusReport,
  SyncResult,
} from './model.ts';
import type { RemoveOptions } from './remove.ts';
import type { Renewed, RenewOptions } from './renew.ts';

/** How `sync` goes about it. */
export interface SyncOptions {
  /** Waits until both sides agree, or the link is blocked or has ended. Default false. */
  readonly wait?: boolean;
  /** How long to wait (ms). Default 60,000. */
  readonly timeoutMs?: number;
  /** Names the request: the same id again within 24 hours (the last 50 of a link are known) asks nothing twice. */
  readonly requestId?: string;
  /** Gives status `asked` when the time is over, rather than throwing. Default false. */
  readonly orAsked?: boolean;
}

/** The way for people and services to reach Tandem. Close it when done. */
export interface Tandem {
  readonly flows: readonly Flow[];
  readonly namespace: string;
  readonly installation: string;
  /**
   * Reads both sides of one link and brings them into step. A source record that has no link yet is read and linked at
   * once. Throws NotFound where the system does not have it, TimedOut where `timeoutMs` was not enough.
   *
   * @example
   * const { status } = await tandem.sync('contactperson-contact', '501/2001', { wait: true });
   */
  sync(flow: string, sourceId: string, options?: SyncOptions): Promise<SyncResult>;
  /**
   * Compares everything with everything as soon as the watchers get to it; gives the feeds that were asked.
   *
   * @example
   * await tandem.syncAll('contactperson-contact');
   */
  syncAll(flow?: string): Promise<readonly string[]>;
  /**
   * The whole installation at a glance.
   *
   * @example
   * const { flows, feeds } = await tandem.status();
   */
  status(): Promise<StatusReport>;
  /**
   * Links by flow and source id, a page at a time. Default limit 50.
   *
   * @example
   * const { items } = await tandem.links({ status: 'blocked', limit: 10 });
   */
  links(filter?: {
    readonly flow?: string | undefined;
    readonly status?: Status | undefined;
    readonly limit?: number | undefined;
    readonly cursor?: string | undefined;
  }): Promise<PageOf<Link>>;
  /**
   * One link with both records as last seen and its latest changes (20). Throws NotFound.
   *
   * @example
   * const link = await tandem.getLink('contactperson-contact', '501/2001');
   */
  getLink(flow: string, sourceId: string, options?: { readonly history?: number }): Promise<LinkDetails>;
  /**
   * The changes that Tandem made to a pair, newest first, a page at a time. Throws NotFound.
   *
   * @example
   * const { items } = await tandem.history('contactperson-contact', '501/2001', { limit: 10 });
   */
  history(
    flow: string,
    sourceId: string,
    page?: { readonly limit?: number | undefined; readonly cursor?: string | undefined },
  ): Promise<PageOf<Change>>;
  /**
   * Holds back a flow or a system (`powerOffice`, `crm`), or one link of a flow; edits made meanwhile arrive after `resume`.
   * Throws NotFound.
   *
   * @example
   * await tandem.pause('crm');
   */
  pause(flowOrSystem: string, sourceId?: string): Promise<void>;
  /**
   * Lets what was paused go on. Throws NotFound.
   *
   * @example
   * await tandem.resume('crm');
   */
  resume(flowOrSystem: string, sourceId?: string): Promise<void>;
  /**
   * Tries one blocked link again. Throws NotFound.
   *
   * @example
   * await tandem.tryAgain('contactperson-contact', '501/2001');
   */
  tryAgain(flow: string, sourceId: string): Promise<void>;
  /**
   * Links a record that has no partner with a target record that a person names; differing values go by policy.
   *
   * @example
   * await tandem.link('contactperson-contact', '501/2001', 'c113');
   */
  link(flow: string, sourceId: string, targetId: string): Promise<void>;
  /**
   * Ends a link by hand; neither record is touched. Throws NotFound.
   *
   * @example
   * await tandem.unlink('contactperson-contact', '501/2001');
   */
  unlink(flow: string, sourceId: string): Promise<void>;
  /**
   * Resumes a link that was ended by hand, or links a record anew whose target is gone. Throws NotFound.
   *
   * @example
   * await tandem.relink('contactperson-contact', '501/2001');
   */
  relink(flow: string, sourceId: string): Promise<void>;
  /**
   * Properties on which both sides were edited and a person has to decide, with the values of either side.
   *
   * @example
   * for (const { flow, sourceId, property } of await tandem.conflicts()) console.log(flow, sourceId, property);
   */
  conflicts(flow?: string): Promise<readonly Conflict[]>;
  /**
   * Decides a property: the source's value, the target's, or another one, for both sides. Throws NotFound.
   *
   * @example
   * await tandem.resolve('contactperson-contact', '501/2001', { property: 'FirstName', choice: 'source' });
   */
  resolve(
    flow: string,
    sourceId: string,
    decision: { readonly property: string; readonly choice: 'source' | 'target' | { readonly value: Value } },
  ): Promise<void>;
  /**
   * Puts the value that a change overwrote back, on both sides, as an ordinary edit. Throws NotFound.
   *
   * @example
   * await tandem.restore('contactperson-contact', '501/2001', '7:FirstName');
   */
  restore(flow: string, sourceId: string, changeId: string): Promise<void>;
  /**
   * Tries blocked links again; gives how many were asked. `reason` is looked for in the code and in the system's text.
   *
   * @example
   * await tandem.retry({ flow: 'contactperson-contact', reason: 'already in use' });
   */
  retry(filter?: { readonly flow?: string | undefined; readonly reason?: string | undefined }): Promise<number>;
  /**
   * Lets all pass that is held back of a flow, however long it takes; tells what that is.
   *
   * @example
   * await tandem.approve('contactperson-contact');
   */
  approve(flow: string): Promise<HeldChanges>;
  /**
   * What was held back is given up: its links look again, and what would still go that way is held again.
   *
   * @example
   * await tandem.withdraw('contactperson-contact');
   */
  withdraw(flow: string): Promise<HeldChanges>;
  /**
   * Events after number `after` (from now on where left out), oldest first. Throws CursorTooOld.
   *
   * @example
   * const { events, next } = await tandem.readChanges({ after: 0, limit: 100 });
   */
  readChanges(from?: {
    readonly after?: number | undefined;
    readonly limit?: number | undefined;
  }): Promise<{ readonly events: readonly ChangeEvent[]; readonly next: number }>;
  /**
   * Follows what happens to all links, in the order in which it was committed, at least once; ends when `signal` aborts.
   * Keep the `seq` of the last event that was dealt with, and go on `after` it. Throws CursorTooOld.
   *
   * @example
   * for await (const event of tandem.changes({ after: lastSeq })) await handle(event);
   */
  changes(from?: { readonly after?: number; readonly signal?: AbortSignal }): AsyncIterable<ChangeEvent>;
  /**
   * Brings the lost one of both stores back: links from their workflows, workflows from the links. Writes to no system.
   *
   * @example
   * const { stored, started } = await tandem.rebuild((done) => console.log(done));
   */
  rebuild(onProgress?: (done: number) => void): Promise<{ readonly stored: number; readonly started: number }>;
  /**
   * Replays histories of running links (`each` of every status, oldest and newest; default 5) and of feeds in the workflows of
   * this build: those that are broken would stand still under it. Changes nothing.
   *
   * @example
   * const { broken } = await tandem.replay();
   */
  replay(options?: {
    readonly each?: number | undefined;
    readonly onProgress?: ((histories: number) => void) | undefined;
  }): Promise<Replayed>;
  /**
   * Asks links, quiet ones too, at a set rate to continue as new: old histories, and the code that wrote them, die out.
   * Touches no system.
   *
   * @example
   * const { asked, left } = await tandem.renew({ perSecond: 20 });
   */
  renew(options?: RenewOptions): Promise<Renewed>;
  /**
   * Closes what was opened here.
   *
   * @example
   * await tandem.close();
   */
  close(): Promise<void>;
  /**
   * Takes a flow away that is no longer configured: closes its workflows, stops feeds that no flow uses, keeps or deletes
   * what the store has. Touches no system. Refused while it is configured, or a worker runs it; throws NotFound where
   * nothing is left of it.
   *
   * @example
   * const { closed } = await tandem.removeFlow('supplierperson-contact', { data: 'keep' });
   */
  removeFlow(flow: string, options: RemoveOptions): Promise<RemovedFlow>;
  /**
   * Closes everything that the installation runs, keeps or deletes what the store has. Touches no system. Refused while one
   * of its workers runs.
   *
   * @example
   * await tandem.removeInstallation({ data: 'delete', onProgress: (done, all) => console.log(done, all) });
   */
  removeInstallation(options: RemoveOptions): Promise<RemovedInstallation>;
}
