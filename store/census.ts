import type { Collection, Db } from 'mongodb';
import type { Status } from '../workflows/core/state.ts';
import type { LinkDocument } from './documents.ts';

/** Links of a flow that stand alike: how many, and when one of them was last written. */
export interface StandingCount {
  readonly flow: string;
  readonly status: Status;
  /** Why they are blocked, or wait. */
  readonly code: string | null;
  readonly count: number;
  readonly last: Date;
}

/** What is counted of a link. */
type Standing = Pick<LinkDocument, '_id' | 'flow' | 'status' | 'ended' | 'block' | 'updatedAt' | 'numbered'>;

interface Row {
  readonly flow: string;
  readonly standing: string;
  readonly count: number;
  readonly last: Date;
}

/** The counts as they are kept, by whoever numbers the changes. */
interface CensusDocument {
  readonly _id: 'census';
  /** Who keeps them. */
  readonly holder: string;
  /** Grows with each writing. */
  readonly version: number;
  /** When all links were last counted one by one (ms). */
  readonly countedAt: number;
  /** Its holder ended in good order: the next may go on from it. */
  readonly closed: boolean;
  readonly rows: readonly Row[];
  /** The links that were counted last, and as what: whether they say so themselves yet is not known. */
  readonly latest: readonly { readonly key: string; readonly standing: string }[];
}

/** Somebody else keeps the counts, or a flow was forgotten: what this one still wants to write is out of date. */
export class CensusTaken extends Error {
  override readonly name = 'CensusTaken';
}

/** How a link stands, as its number and the counts say it. */
export const standingOf = ({ status, ended, block }: Pick<LinkDocument, 'status' | 'ended' | 'block'>): string =>
  `${status} ${ended ?? ''} ${block?.code ?? ''}`.trim();

/** A link that says nothing of itself was only noted. */
const NOTED = 'linking';
/** Counts that somebody kept for so long are counted anew, in case one slept through another's turn (ms). */
const RECOUNT_MS = 24 * 3600_000;
/** A reading that met so many writings takes what it has. */
const READINGS = 5;

/**
 * How many links stand how, kept so that nobody has to count them. Each link remembers as what it was counted
 * (`numbered`), and one that was written since says so (`unnumbered`): kept counts and those few make exact ones.
 */
export class Census {
  readonly #links: Collection<LinkDocument>;
  readonly #counters: Collection<CensusDocument>;

  constructor(db: Db) {
    this.#links = db.collection('links');
    this.#counters = db.collection('counters');
  }

  /** Links by flow, status and reason. Reads those alone that were written lately, or all where nobody has counted yet. */
  async counts(): Promise<StandingCount[]> {
    let kept = await this.#kept();
    for (let reading = 1; kept; reading++) {
      const { version, rows, latest } = kept;
      const counts = new Counts(rows);
      const was = new Map(latest.map(({ key, standing }) => [key, standing]));
      for await (const link of this.#links.find<Standing>({ unnumbered: true }, { projection: COUNTED }))
        counts.move(link, was.get(link._id) ?? link.numbered?.status);
      kept = await this.#kept();
      if (kept && (kept.version === version || reading === READINGS)) return counts.rows().map(countOf);
    }
    return (await this.#countAll(false)).map(countOf);
  }

  /** Begins to keep the counts, for the one process that numbers; `before`: who numbered last. */
  async open(holder: string, before: string | null): Promise<Keeper> {
    const kept = await this.#kept();
    const goesOn = kept?.closed === true && kept.holder === before && Date.now() - kept.countedAt < RECOUNT_MS;
    const version = (kept?.version ?? 0) + 1;
    const rows = goesOn ? kept.rows : await this.#countAll(true);
    const countedAt = goesOn ? kept.countedAt : Date.now();
    const all: CensusDocument = { _id: 'census', holder, version, countedAt, closed: false, rows, latest: [] };
    await this.#counters.replaceOne({ _id: 'census' }, all, { upsert: true });
    return new Keeper(this.#counters, all);
  }

  /** Nobody's counts hold any more: they are counted anew. */
  async forget(): Promise<void> {
    await this.#counters.deleteOne({ _id: 'census' });
  }

  #kept(): Promise<CensusDocument | null> {
    return this.#counters.findOne({ _id: 'census' });
  }

  /** Every link one by one: as it was counted before, so that those written since are not counted twice, or as it stands. */
  async #countAll(asCounted: boolean): Promise<Row[]> {
    if (asCounted) {
      // Of an earlier version, which noted links without a word.
      const silent = { unnumbered: { $exists: false }, numbered: { $exists: false } };
      await this.#links.updateMany(silent, { $set: { numbered: { revision: 0, status: NOTED } } });
    }
    const match = asCounted ? [{ $match: { numbered: { $exists: true } } }] : [];
    const by = asCounted
      ? { flow: '$flow', standing: '$numbered.status' }
      : { flow: '$flow', status: '$status', ended: '$ended', code: '$block.code' };
    const found = await this.#links
      .aggregate<{ _id: Grouped; count: number; last: Date }>([
        ...match,
        { $group: { _id: by, count: { $sum: 1 }, last: { $max: '$updatedAt' } } },
      ])
      .toArray();
    return found.map(({ _id: { flow, standing, status, ended, code }, count, last }) => ({
      flow,
      standing: standing ?? `${status} ${ended ?? ''} ${code ?? ''}`.trim(),
      count,
      last,
    }));
  }
}

interface Grouped {
  readonly flow: string;
  readonly standing?: string;
  readonly status?: string;
  readonly ended?: string | null;
  readonly code?: string | null;
}

const COUNTED = { flow: 1, status: 1, ended: 1, 'block.code': 1, updatedAt: 1, numbered: 1 } as const;

/** The counts in the hands of the one who keeps them. */
export class Keeper {
  readonly #counters: Collection<CensusDocument>;
  readonly #counts: Counts;
  #kept: CensusDocument;

  constructor(counters: Collection<CensusDocument>, kept: CensusDocument) {
    this.#counters = counters;
    this.#kept = kept;
    this.#counts = new Counts(kept.rows);
  }

  /** How many links there are. */
  get total(): number {
    return this.#counts.total;
  }

  /** Whether it is time to count every link again. */
  get isOld(): boolean {
    return Date.now() - this.#kept.countedAt > RECOUNT_MS;
  }

  /** Counts links as they stand now, before they say so themselves. Throws CensusTaken. */
  async count(links: readonly Standing[]): Promise<void> {
    if (links.length === 0) return;
    for (const link of links) this.#counts.move(link, link.numbered?.status);
    const latest = links.map((link) => ({ key: link._id, standing: standingOf(link) }));
    await this.#write({ rows: this.#counts.rows(), latest, closed: false });
  }

  /** Whoever comes next may go on from here: all that was counted says so itself. */
  async close(): Promise<void> {
    await this.#write({ closed: true });
  }

  async #write(fields: Partial<Pick<CensusDocument, 'rows' | 'latest' | 'closed'>>): Promise<void> {
    const { holder, version } = this.#kept;
    this.#kept = { ...this.#kept, ...fields, version: version + 1 };
    const done = await this.#counters.updateOne({ _id: 'census', holder }, { $set: { ...fields, version: version + 1 } });
    if (done.matchedCount === 0) throw new CensusTaken('another process keeps the counts');
  }
}

/** Counts by flow and standing. */
class Counts {
  readonly #rows = new Map<string, Row>();

  constructor(rows: readonly Row[]) {
    for (const row of rows) this.#rows.set(`${row.flow} ${row.standing}`, row);
  }

  get total(): number {
    return [...this.#rows.values()].reduce((sum, { count }) => sum + count, 0);
  }

  /** A link that was counted as one thing, or not at all, is counted as what it is. */
  move(link: Standing, was: string | undefined): void {
    const { flow, updatedAt: last } = link;
    if (was !== undefined) this.#add({ flow, standing: was, count: -1, last: new Date(0) });
    this.#add({ flow, standing: standingOf(link), count: 1, last });
  }

  rows(): Row[] {
    return [...this.#rows.values()].filter(({ count }) => count > 0);
  }

  #add({ flow, standing, count, last }: Row): void {
    const key = `${flow} ${standing}`;
    const known = this.#rows.get(key);
    this.#rows.set(key, {
      flow,
      standing,
      count: (known?.count ?? 0) + count,
      last: known && known.last > last ? known.last : last,
    });
  }
}

/** `blocked  held`, `ended source gone`, `linking  no-match`: the reason stands after two blanks. */
function countOf({ flow, standing, count, last }: Row): StandingCount {
  const [before = '', code] = standing.split('  ');
  return { flow, status: before.split(' ')[0] as Status, code: code ?? null, count, last };
}
