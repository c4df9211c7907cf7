import { faultInWords, faultNamed, type FaultKind } from '../../flows/faults.ts';
import { isIndexed, neededFields, type SystemName } from '../../flows/flow.ts';
import { feedKey, systemTitle } from '../../flows/names.ts';
import { instantKey, secondsBefore } from '../../flows/instant.ts';
import type { FeedInput } from '../../workflows/contract.ts';
import { indexName, isReady, noteCandidates } from '../candidates.ts';
import type { Deps } from '../deps.ts';
import type { CursorDocument } from '../../store/documents.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Snapshot, Connector } from '../../connectors/connector.ts';
import { findMissing } from './findMissing.ts';
import { handOnPage, flowRoles, type FlowRole } from './handOn.ts';

/** Records become visible late; each look starts so long before the newest instant seen. */
const OVERLAP_SECONDS = 60;
const PATIENCE_MS = 60_000;
const RECENT = 20_000;
/** How soon to ask again whether the other side's records are noted (ms). */
const NOT_READY_MS = 300;
const HOUR_MS = 3600 * 1000;
/** Two slots of eight a second for each page of a sweep: half of the quota stays free. */
const SWEEP_PAUSE_MS = 250;

const codeOf = (error: unknown): string =>
  error instanceof SystemError ? String(error.status ?? error.failure) : error instanceof Error ? error.name : 'unknown';

/** A version may come again with other values, where stamps are coarse and nothing counts versions. */
const fingerprint = ({ version, fields }: Snapshot): string => `${version} ${JSON.stringify(fields)}`;

/** One record type's feed, as one process watches it. */
export class Feed {
  readonly #deps: Deps;
  readonly #id: string;
  readonly #type: string;
  readonly #connector: Connector;
  readonly #roles: FlowRole[];
  readonly #fields: string[];
  readonly #signal: AbortSignal;
  /** Fields in use whose edits move no stamp: no look finds them, only a full comparison. */
  readonly #unstamped: readonly string[];
  readonly #sweepHours: number;
  #background: Promise<void> | null = null;
  #failures = 0;
  /** What was dealt with lately: each look reads the last minute again, and need not ask the store again. */
  readonly #recent = new Map<string, string>();

  constructor(deps: Deps, input: FeedInput, signal: AbortSignal) {
    const name = input.system as SystemName;
    this.#deps = deps;
    this.#id = feedKey(input.system, input.type);
    this.#type = input.type;
    this.#connector = deps.connectors[name];
    this.#roles = flowRoles(deps.flows, name, input.type);
    this.#fields = [...new Set(this.#roles.flatMap(({ flow, side }) => neededFields(flow, side)))];
    this.#signal = signal;
    const known = this.#connector.catalogue.types.find(({ name: each }) => each === input.type)?.fields ?? [];
    this.#unstamped = known.filter((field) => field.unstamped && this.#fields.includes(field.name)).map((field) => field.name);
    this.#sweepHours = this.#unstamped.length > 0 ? Math.min(deps.sweepHours, deps.unstampedHours) : deps.sweepHours;
  }

  /** One look, and whatever else is due; tells how long to pause (ms). Never rejects: trouble is waited out. */
  async poll(): Promise<number> {
    const { store, log, pollSeconds } = this.#deps;
    try {
      if (!(await this.#index())) return NOT_READY_MS;
      await this.#look(await store.cursors.get(this.#id));
      if (this.#failures > 0) log.info({ event: 'feed', feed: this.#id }, 'the feed answers again');
      this.#failures = 0;
      this.#begin(await store.cursors.get(this.#id));
      return pollSeconds(this.#connector.name, this.#type) * 1000;
    } catch (error) {
      if (this.#signal.aborted) return 0;
      this.#failures += 1;
      // Where it is no fault of the system's, the store or Temporal failed.
      const fault = error instanceof SystemError ? faultNamed(error.failure) : null;
      if (this.#failures === 1 || this.#failures % 10 === 0)
        log.warn(
          { event: 'feed', feed: this.#id, code: codeOf(error), failures: this.#failures },
          fault === null
            ? 'the feed cannot be read; waiting'
            : `${faultInWords(systemTitle(this.#connector.name), fault)}; the feed waits for it`,
        );
      const text = error instanceof SystemError ? error.text : error instanceof Error ? error.message : String(error);
      await this.#noteTrouble(text, fault).catch(() => {});
      const asked = error instanceof SystemError ? (error.retryAfterMs ?? 0) : 0;
      return Math.max(asked, Math.min(PATIENCE_MS, 1000 * 2 ** Math.min(6, this.#failures - 1)));
    }
  }

  /** Notes what stands in the way, since when, and the system's fault where it is its. */
  async #noteTrouble(text: string, fault: FaultKind | null): Promise<void> {
    const { cursors } = this.#deps.store;
    const at = this.#deps.time.now();
    const { trouble: earlier } = await cursors.get(this.#id);
    const since = earlier?.since ?? earlier?.at ?? at;
    await cursors.set(this.#id, { trouble: { text, at, since, ...(fault === null ? {} : { fault }) } });
  }

  /** Waits until a sweep or a look for deletions that is under way has ended. */
  async drain(): Promise<void> {
    await this.#background;
  }

  /**
   * Notes every record once for flows that look for matches, before any link of theirs begins: a match that was not
   * looked at yet would become a duplicate. False while the other side has not got so far.
   */
  async #index(): Promise<boolean> {
    const roles = this.#roles.filter(({ flow }) => isIndexed(flow));
    if (roles.length === 0) return true;
    const { indexed = [] } = await this.#deps.store.cursors.get(this.#id);
    const open = roles.filter(({ flow }) => !indexed.includes(indexName(flow)));
    if (open.length > 0) {
      const options = { priority: 'feed' as const, signal: this.#signal };
      for await (const page of this.#connector.changed({ type: this.#type, fields: this.#fields, since: null }, options))
        for (const { flow, side } of open) await noteCandidates(this.#deps, { flow, side, records: page.records });
      const names = new Set([...indexed, ...open.map(({ flow }) => indexName(flow))]);
      await this.#deps.store.cursors.set(this.#id, { indexed: [...names] });
    }
    for (const { flow, side } of roles) if (side === 'source' && !(await isReady(this.#deps, flow))) return false;
    return true;
  }

  async #look(cursor: CursorDocument): Promise<void> {
    const { store, log } = this.#deps;
    const began = this.#deps.time.now();
    const since = cursor.newest === null ? null : cursor.settled ? cursor.newest : secondsBefore(cursor.newest, OVERLAP_SECONDS);
    let { newestKey, newestAt } = cursor;
    let records = 0;
    for await (const page of this.#connector.changed(
      { type: this.#type, fields: this.#fields, since },
      { priority: 'feed', signal: this.#signal },
    )) {
      const unread = page.records.filter((record) => this.#recent.get(record.id) !== fingerprint(record));
      const { started, signalled, finished } = await handOnPage(this.#deps, this.#roles, { records: unread });
      if (this.#recent.size > RECENT) this.#recent.clear();
      for (const record of finished) this.#recent.set(record.id, fingerprint(record));
      if (started + signalled > 0)
        log.info(
          { event: 'feed', feed: this.#id, records: page.records.length, started, signalled },
          'a page of the feed brought news',
        );
      if (page.after !== null && instantKey(page.after) > newestKey) {
        newestKey = instantKey(page.after);
        newestAt = began;
        // After all signals of the page are accepted, and not before.
        await store.cursors.set(this.#id, { newest: page.after, newestKey, newestAt, settled: false });
      }
      records += page.records.length;
      this.#signal.throwIfAborted();
    }
    if (cursor.looks === 0) log.info({ event: 'feed', feed: this.#id, records }, 'the feed was read for the first time');
    const settled =
      newestKey !== '' && newestKey === cursor.newestKey && (cursor.settled || began - newestAt > OVERLAP_SECONDS * 1000);
    await store.cursors.set(this.#id, {
      settled,
      lookedAt: began,
      looks: cursor.looks + 1,
      trouble: null,
      unstamped: this.#unstamped.length > 0 ? { fields: this.#unstamped, hours: this.#sweepHours } : null,
      ...(cursor.looks === 0 ? { sweptAt: began, idsAt: began } : {}),
    });
  }

  /** Sweeps and looks for deletions run beside the looks, one at a time, so that edits never wait for them. */
  #begin(cursor: CursorDocument): void {
    if (this.#background || this.#signal.aborted) return;
    const now = this.#deps.time.now();
    const { deletionHours } = this.#deps;
    const sweep = cursor.sweepAsked > cursor.sweptAt || now - cursor.sweptAt > this.#sweepHours * HOUR_MS;
    const ids = cursor.sweepAsked > cursor.idsAt || now - cursor.idsAt > deletionHours * HOUR_MS;
    if (!sweep && !ids) return;
    const work = async (): Promise<void> => {
      if (sweep) await this.#sweep(now);
      if (ids)
        await findMissing(this.#deps, {
          roles: this.#roles,
          connector: this.#connector,
          type: this.#type,
          feed: this.#id,
          signal: this.#signal,
        });
    };
    this.#background = work()
      .catch((error: unknown) => {
        if (!this.#signal.aborted)
          this.#deps.log.warn({ event: 'sweep', feed: this.#id, code: codeOf(error) }, 'a sweep broke off; it begins again');
      })
      .finally(() => (this.#background = null));
  }

  /** Compares everything, whatever the cursor says, at a pace that leaves half of the quota free. */
  async #sweep(began: number): Promise<void> {
    let records = 0;
    let handedOn = 0;
    for await (const page of this.#connector.changed(
      { type: this.#type, fields: this.#fields, since: null },
      { priority: 'sweep', signal: this.#signal },
    )) {
      const { started, signalled } = await handOnPage(this.#deps, this.#roles, { records: page.records, sweep: true });
      records += page.records.length;
      handedOn += started + signalled;
      await this.#deps.time.sleep(SWEEP_PAUSE_MS, this.#signal);
    }
    await this.#deps.store.cursors.set(this.#id, { sweptAt: began });
    this.#deps.log.info({ event: 'sweep', feed: this.#id, records, news: handedOn }, 'everything was compared');
  }
}
