import { faultInWords, faultNamed, type FaultKind } from '../../flows/faults.ts';
import { systemTitle } from '../../flows/names.ts';
import { SystemError } from '../../connectors/systemError.ts';
import { FeedTaken } from '../../store/cursors.ts';
import type { CursorDocument } from '../../store/documents.ts';
import type { FeedInput } from '../../workflows/contract.ts';
import type { Deps } from '../deps.ts';
import { wakeWaiting } from '../candidates.ts';
import { loggedCode, feedContext, type FeedContext } from './context.ts';
import { isDeletedDue, lookForDeleted } from './deleted.ts';
import { findMissing } from './findMissing.ts';
import { isIndexedFirst } from './firstIndex.ts';
import { lookForChanges } from './look.ts';
import { lookAtRecord } from './lookAtRecord.ts';
import { lookAgain } from './setAside.ts';
import { sweep } from './sweep.ts';

const PATIENCE_MS = 60_000;
/** How soon to ask again whether the other side's records are noted (ms). */
const NOT_READY_MS = 300;

/** One record type's feed, as one process watches it: what is due when. */
export class Feed {
  readonly #context: FeedContext;
  /** What runs beside the looks, by its name. */
  readonly #background = new Map<string, Promise<void>>();
  #failures = 0;
  #taken = false;

  constructor(deps: Deps, input: FeedInput, signal: AbortSignal) {
    this.#context = feedContext(deps, input, signal);
  }

  /** Another watcher has the feed: this one has nothing to do any more. */
  get isTaken(): boolean {
    return this.#taken;
  }

  /** What it asked last was not answered. */
  get inTrouble(): boolean {
    return this.#failures > 0;
  }

  /**
   * Reads one record that somebody says has changed. False where it could not be, or the feed was not read to its end yet:
   * then the feed is to be looked at. Never rejects.
   */
  async lookAt(recordId: string): Promise<boolean> {
    const { deps, id, signal } = this.#context;
    if (this.#taken || signal.aborted) return false;
    try {
      if ((await this.#context.cursor()).looks === 0) return false;
      return await lookAtRecord(this.#context, recordId);
    } catch (error) {
      if (!signal.aborted)
        deps.log.warn({ event: 'feed', feed: id, code: loggedCode(error) }, 'a record that a hook named could not be handed on');
      return false;
    }
  }

  /** One look, and whatever else is due; tells how long to pause (ms). Never rejects: trouble is waited out. */
  async poll(): Promise<number> {
    const { deps, id, type, connector, signal } = this.#context;
    if (this.#taken) return PATIENCE_MS;
    try {
      await this.#noteRules();
      if (!(await isIndexedFirst(this.#context))) return NOT_READY_MS;
      await lookForChanges(this.#context);
      await lookAgain(this.#context);
      for (const { flow, side } of this.#context.roles) await wakeWaiting(deps, flow, side);
      if (this.#failures > 0) deps.log.info({ event: 'feed', feed: id }, 'the feed answers again');
      this.#failures = 0;
      this.#beginWhatIsDue(await this.#context.cursor());
      return deps.pollSeconds(connector.name, type) * 1000;
    } catch (error) {
      if (signal.aborted) return 0;
      return this.#waitOut(error);
    }
  }

  /** Waits until whatever runs beside the looks has ended. */
  async drain(): Promise<void> {
    await Promise.all(this.#background.values());
  }

  /** What was read by other rules (another flow, a narrower scope) is compared once more, at once. */
  async #noteRules(): Promise<void> {
    const { deps, id, rules } = this.#context;
    const cursor = await this.#context.cursor();
    if (cursor.rules === rules) return;
    if (cursor.looks > 0 || cursor.newest !== null) {
      deps.log.info({ event: 'sweep', feed: id }, 'flows, scopes or fields are others than before: everything is compared');
      await deps.store.cursors.ask(id, { sweepAsked: deps.time.now() });
    }
    await this.#context.advance({ rules, sweep: null, reading: null });
  }

  async #waitOut(error: unknown): Promise<number> {
    const { deps, id, connector } = this.#context;
    if (this.#noteTaken(error)) return PATIENCE_MS;
    this.#failures += 1;
    // Where it is no fault of the system's, the store or Temporal failed.
    const fault = error instanceof SystemError ? faultNamed(error.failure) : null;
    if (this.#failures === 1 || this.#failures % 10 === 0)
      deps.log.warn(
        { event: 'feed', feed: id, code: loggedCode(error), failures: this.#failures },
        fault === null
          ? 'the feed cannot be read; waiting'
          : `${faultInWords(systemTitle(connector.name), fault)}; the feed waits for it`,
      );
    const text = error instanceof SystemError ? error.text : error instanceof Error ? error.message : String(error);
    await this.#noteTrouble(text, fault).catch((again: unknown) => this.#noteTaken(again));
    const asked = error instanceof SystemError ? (error.retryAfterMs ?? 0) : 0;
    return Math.max(asked, Math.min(PATIENCE_MS, 1000 * 2 ** Math.min(6, this.#failures - 1)));
  }

  /** Notes what stands in the way, since when, and the system's fault where it is its. */
  async #noteTrouble(text: string, fault: FaultKind | null): Promise<void> {
    const at = this.#context.deps.time.now();
    const { trouble: earlier } = await this.#context.cursor();
    const since = earlier?.since ?? earlier?.at ?? at;
    await this.#context.advance({ trouble: { text, at, since, ...(fault === null ? {} : { fault }) } });
  }

  #noteTaken(error: unknown): boolean {
    if (!(error instanceof FeedTaken)) return false;
    this.#taken = true;
    this.#context.deps.log.warn({ event: 'feed', feed: this.#context.id }, 'another watcher has the feed; this one stops');
    return true;
  }

  #beginWhatIsDue(cursor: CursorDocument): void {
    const { sweepAsked, sweptAt, idsAsked = 0, idsAt } = cursor;
    const { deps, sweepMs, deletionMs } = this.#context;
    const now = deps.time.now();
    if (sweepAsked > sweptAt || now - sweptAt > sweepMs) this.#begin('sweep', sweep);
    if (Math.max(sweepAsked, idsAsked) > idsAt || now - idsAt > deletionMs) this.#begin('deletions', findMissing);
    if (isDeletedDue(this.#context, cursor)) this.#begin('deleted', lookForDeleted);
  }

  /** Beside the looks, so that edits never wait for it; each by itself, so that deletions never wait for a sweep. */
  #begin(what: string, work: (context: FeedContext) => Promise<void>): void {
    const { deps, id, signal } = this.#context;
    if (this.#background.has(what) || signal.aborted) return;
    const running = work(this.#context)
      .catch((error: unknown) => {
        if (signal.aborted || this.#noteTaken(error)) return;
        deps.log.warn({ event: what, feed: id, code: loggedCode(error) }, 'reading a whole list broke off');
      })
      .finally(() => this.#background.delete(what));
    this.#background.set(what, running);
  }
}
