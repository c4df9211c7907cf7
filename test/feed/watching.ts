import { pino } from 'pino';
import type { Deps } from '../../activities/deps.ts';
import { Feed } from '../../activities/feed/feed.ts';
import type { Messenger } from '../../activities/ports.ts';
import { realTime } from '../../activities/realTime.ts';
import { SystemClock } from '../../connectors/clock.ts';
import type { Connector, Page, Snapshot, UnreadableRow } from '../../connectors/connector.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Flow, SystemName } from '../../flows/flow.ts';
import { DEFAULT_INSTALLATION, installationNamed } from '../../flows/installation.ts';
import { instantKey } from '../../flows/instant.ts';
import type { Side } from '../../flows/side.ts';
import type { Value } from '../../flows/values.ts';
import type { Store } from '../../store/store.ts';
import { SMALL_FLOW } from '../support/flow.ts';
import { attemptOf } from '../support/attempt.ts';

/** The flow of most tests: no properties matter, one on each side is mapped. */
export const FLOW: Flow = {
  ...SMALL_FLOW,
  source: { system: 'powerOffice', type: 'Person', scope: [] },
  properties: [{ source: 'name', target: 'title', type: 'string', direction: 'both', when: [] }],
};

const START = Date.UTC(2026, 0, 1);
/** The stamp of the nth edit. */
export const stamp = (n: number): string => new Date(START + n * 1000).toISOString();

/** A row of a listed system; `broken`: it cannot be read, in these words. */
export interface Row {
  readonly id: string;
  readonly n: number;
  readonly fields: Readonly<Record<string, Value>>;
  readonly broken?: string;
  readonly externalId?: string;
}

type Call = 'changed' | 'ids' | 'read';

/** A system that is read alone, of rows in memory, whose pages and reads are counted and may fail. */
export class ListedSystem {
  readonly rows = new Map<string, Row>();
  readonly calls = { changed: 0, ids: 0, read: 0 };
  /** Throws in place of an answer, or holds it back. */
  fail: (what: Call, call: number) => void | Promise<void> = () => {};
  pageSize = 10;
  readonly name: SystemName;

  constructor(name: SystemName) {
    this.name = name;
  }

  /** Puts a record, edited at the nth stamp. */
  put(id: string, n: number, more: Partial<Pick<Row, 'fields' | 'broken' | 'externalId'>> = {}): void {
    this.rows.set(id, { id, n, fields: { name: `name ${n}` }, ...more });
  }

  async #call(what: Call): Promise<void> {
    this.calls[what] += 1;
    await this.fail(what, this.calls[what]);
  }

  snapshot({ id, n, fields, externalId }: Row): Snapshot {
    const at = START + n * 1000;
    const named = externalId === undefined ? {} : { externalId };
    return { id, version: instantKey(stamp(n)), instant: stamp(n), fields, at: [at, at], ...named };
  }

  get connector(): Connector {
    const unused = (): Promise<never> => Promise.reject(new Error('feeds write nothing'));
    const refused = (text: string): SystemError => new SystemError(this.name, 'malformed', text);
    const pages = (since: string | null): Row[] =>
      [...this.rows.values()]
        .filter(({ n }) => since === null || instantKey(stamp(n)) >= instantKey(since))
        .sort((a, b) => a.n - b.n || (a.id < b.id ? -1 : 1));
    const size = (): number => this.pageSize;
    const call = (what: Call): Promise<void> => this.#call(what);
    const shown = (row: Row): Snapshot => this.snapshot(row);
    const { rows } = this;
    return {
      name: this.name,
      title: this.name,
      catalogue: { system: this.name, types: [] },
      clock: new SystemClock(),
      lagMs: 0,
      features: () => ({ conditional: 'test', externalId: true, idempotencyKey: true }),
      check: () => Promise.resolve({ identity: this.name }),
      async *changed({ since, position }) {
        const all = pages(since);
        const begin = Number(position ?? 0);
        for (let from = begin; from === begin || from < all.length; from += size()) {
          await call('changed');
          const next = from + size();
          yield { ...pageOf(all.slice(from, next), shown), position: next < all.length ? String(next) : null };
        }
      },
      async *ids({ position }) {
        const all = [...rows.keys()].sort();
        const begin = Number(position ?? 0);
        for (let from = begin; from === begin || from < all.length; from += size()) {
          await call('ids');
          const next = from + size();
          yield { ids: all.slice(from, next), position: next < all.length ? String(next) : null };
        }
      },
      async read({ id }) {
        await call('read');
        const row = rows.get(id);
        if (!row) throw new SystemError(this.name, 'gone', { text: '404', status: 404 });
        if (row.broken !== undefined) throw refused(row.broken);
        return shown(row);
      },
      create: unused,
      update: unused,
      remove: unused,
      find: unused,
    };
  }
}

function pageOf(rows: readonly Row[], shown: (row: Row) => Snapshot): Page {
  const unreadable = rows.flatMap(({ id, broken }): UnreadableRow[] => (broken === undefined ? [] : [{ id, why: broken }]));
  const records = rows.filter(({ broken }) => broken === undefined).map(shown);
  return { records, after: records.at(-1)?.instant ?? null, ...(unreadable.length > 0 ? { unreadable } : {}) };
}

/** What links were told, by the key of their record. */
export interface Told {
  readonly started: string[];
  readonly observed: string[];
  /** Started and told in one breath: no workflow of theirs ran. */
  readonly startedTold: string[];
  readonly vanished: { sourceId: string; side: Side; approved: boolean }[];
  readonly retried: string[];
}

/** Feeds over a real store and listed systems; links are only noted. */
export class Watching {
  readonly powerOffice = new ListedSystem('powerOffice');
  readonly crm = new ListedSystem('crm');
  readonly told: Told = { started: [], observed: [], startedTold: [], vanished: [], retried: [] };
  deps: Deps;
  /** Throws in place of a message to a link. */
  refuse: (sourceId: string) => void = () => {};
  /** Links whose workflow runs no more. */
  readonly closed = new Set<string>();
  /** What its link does last, while it is being told. */
  closing: Promise<unknown> = Promise.resolve();
  now = Date.now();

  constructor(store: Store, flows: readonly Flow[] = [FLOW], more: Partial<Deps> = {}) {
    const { told } = this;
    const running = new Set<string>();
    const links: Messenger = {
      startTold: async (_flow, { sourceId }) => void told.startedTold.push(sourceId),
      start: async (_flow, { sourceId }) => {
        this.refuse(sourceId);
        if (running.has(sourceId)) return false;
        running.add(sourceId);
        told.started.push(sourceId);
        return true;
      },
      signalObserved: async ({ sourceId }) => {
        this.refuse(sourceId);
        await this.closing;
        if (this.closed.has(sourceId)) return false;
        told.observed.push(sourceId);
        return true;
      },
      signalRetry: async ({ sourceId }) => {
        this.refuse(sourceId);
        told.retried.push(sourceId);
        return true;
      },
      signalVanished: async ({ sourceId }, side, approved) => {
        told.vanished.push({ sourceId, side, approved: approved === true });
        return true;
      },
    };
    this.deps = {
      installation: installationNamed(DEFAULT_INSTALLATION),
      flows,
      connectors: { powerOffice: this.powerOffice.connector, crm: this.crm.connector },
      store,
      links,
      time: { now: () => this.now, sleep: (ms, signal) => realTime.sleep(Math.min(ms, 1), signal) },
      runAttempt: (work) => work(attemptOf({ scheduledAt: this.now })),
      log: pino({ level: 'silent' }),
      pollSeconds: () => 1,
      lookWhenAsked: [],
      sweepHours: 24,
      unstampedHours: 1,
      deletionHours: 1,
      stopping: new AbortController().signal,
      ...more,
    };
  }

  /** A watcher of a feed, as a worker would run it. */
  feed(system: SystemName = 'powerOffice', type = 'Person', abort = new AbortController()): Feed {
    return new Feed(this.deps, { system, type, takeoverSeconds: 60 }, abort.signal);
  }

  /** So many hours pass. */
  later(hours: number): void {
    this.now += hours * 3600_000;
  }
}
