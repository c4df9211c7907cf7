import { linkKey } from '../../flows/names.ts';
import type { Ends } from '../../flows/installation.ts';
import type { Side } from '../../flows/side.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import {
  type CandidateDocument,
  type CreationNote,
  type HistoryDocument,
  type LinkDocument,
  type SeenUpdate,
} from '../../store/documents.ts';
import { TargetTaken, type LinkFilter } from '../../store/links.ts';
import type { Observation } from '../../workflows/core/state.ts';
import type { LinkStore } from '../../store/store.ts';
import type { Breaks } from './breaks.ts';
import { MemoryCursors, MemoryIdLists, MemorySetAside } from './memoryFeeds.ts';
import { MemoryLimits } from './memoryLimits.ts';

/** The store's contract in memory: guarded by revision, `seen` never backwards, unique on both sides. */
export class MemoryStore implements LinkStore {
  readonly links: MemoryLinks;
  readonly candidates: MemoryCandidates;
  readonly history: MemoryHistory;
  readonly cursors = new MemoryCursors();
  readonly idLists = new MemoryIdLists();
  readonly setAside = new MemorySetAside();
  readonly limits: MemoryLimits;

  constructor(breaks: Breaks, now: () => number) {
    this.links = new MemoryLinks(breaks, now);
    this.history = new MemoryHistory(breaks);
    this.candidates = new MemoryCandidates(breaks);
    this.limits = new MemoryLimits(breaks);
  }
}

class MemoryLinks {
  /** What is stored, for tests to look at. */
  readonly rows = new Map<string, LinkDocument>();
  /** Every target that a link ever had, by the link's key. */
  readonly targets = new Map<string, string>();
  /** Links that ever ended because a record was gone. */
  readonly buried = new Set<string>();
  readonly #breaks: Breaks;
  readonly #now: () => number;

  constructor(breaks: Breaks, now: () => number) {
    this.#breaks = breaks;
    this.#now = now;
  }

  /** For one of the breaks: nothing of what was seen is known. */
  forgetSeen(): void {
    for (const link of this.rows.values()) {
      const forget = (seen: Observation | null): Observation | null => seen && { ...seen, version: '', values: {} };
      this.rows.set(link._id, { ...link, seen: { source: forget(link.seen.source), target: forget(link.seen.target) } });
    }
  }

  byKey(key: string): Promise<LinkDocument | null> {
    return Promise.resolve(this.rows.get(key) ?? null);
  }

  bySource(flow: string, ids: readonly string[]): Promise<Map<string, LinkDocument>> {
    return Promise.resolve(
      new Map(
        ids.flatMap((id) => {
          const link = this.rows.get(linkKey(flow, id));
          return link ? [[id, link] as const] : [];
        }),
      ),
    );
  }

  byTarget({ type }: Ends[Side], ids: readonly string[]): Promise<Map<string, LinkDocument>> {
    return Promise.resolve(
      new Map(
        [...this.rows.values()].flatMap((link) =>
          link.targetType === type && link.targetId !== null && ids.includes(link.targetId)
            ? [[link.targetId, link] as const]
            : [],
        ),
      ),
    );
  }

  async *settledBefore(flow: string, side: Side, before: Date): AsyncIterable<LinkDocument> {
    for (const link of this.rows.values()) {
      const changedAt = link.seen[side]?.at[1] ?? Number.POSITIVE_INFINITY;
      if (link.flow === flow && (link.updatedAt < before || changedAt < before.getTime())) yield link;
    }
  }

  countWritten(flow: string, ids: readonly string[]): Promise<number> {
    return Promise.resolve(ids.filter((id) => (this.rows.get(linkKey(flow, id))?.revision ?? 0) > 0).length);
  }

  list({ flow, blockCode }: LinkFilter = {}): Promise<LinkDocument[]> {
    const found = [...this.rows.values()].filter(
      (link) =>
        (flow === undefined || [flow].flat().includes(link.flow)) && (blockCode === undefined || link.block?.code === blockCode),
    );
    return Promise.resolve(found);
  }

  async *each(filter: LinkFilter = {}): AsyncIterable<LinkDocument> {
    yield* await this.list(filter);
  }

  async count(filter: LinkFilter = {}): Promise<number> {
    return (await this.list(filter)).length;
  }

  discover(records: readonly LinkRecord[], ends: Ends): Promise<void> {
    for (const record of records) this.#note(record, ends);
    return Promise.resolve();
  }

  #note(record: LinkRecord, ends: Ends): void {
    const key = linkKey(record.flow, record.sourceId);
    if (this.rows.has(key)) return;
    const blank = {
      ...record,
      revision: 0,
      targetId: null,
      base: { source: {}, target: {} },
      block: null,
      status: 'linking' as const,
      ended: null,
      seen: { source: record.seen.source, target: null },
    };
    this.rows.set(key, {
      ...blank,
      _id: key,
      sourceType: ends.source.type,
      targetType: ends.target.type,
      updatedAt: new Date(this.#now()),
    });
  }

  raise(sightings: readonly SeenUpdate[]): Promise<void> {
    for (const { key, side, seen, targetId, comparedWith } of sightings) {
      const link = this.rows.get(key);
      if (comparedWith !== undefined && (link?.seen[side]?.version ?? null) !== comparedWith) continue;
      if (targetId !== undefined && link?.targetId !== targetId) continue;
      if (!link || (link.seen[side]?.version ?? '') >= seen.version) continue;
      this.rows.set(key, { ...link, seen: { ...link.seen, [side]: seen } });
    }
    return Promise.resolve();
  }

  noteCreation(key: string, creation: CreationNote, before?: CreationNote | null): Promise<boolean> {
    const link = this.rows.get(key);
    const stands = before === undefined || JSON.stringify(link?.creation ?? null) === JSON.stringify(before);
    if (link && stands) this.rows.set(key, { ...link, creation });
    return Promise.resolve(link !== undefined && stands);
  }

  write(record: LinkRecord, ends: Ends, text: string | null = null): Promise<LinkDocument | null> {
    const key = linkKey(record.flow, record.sourceId);
    this.#note(record, ends);
    const stored = this.rows.get(key) as LinkDocument;
    if (stored.revision >= record.revision && !this.#breaks.has('old-revision-writes')) return Promise.resolve(null);
    for (const other of this.rows.values())
      if (
        record.targetId !== null &&
        other._id !== key &&
        other.targetType === ends.target.type &&
        other.targetId === record.targetId
      )
        throw new TargetTaken(record.targetId);
    const { approved: _, back = {}, ...rest } = record;
    const newer = (side: Side): LinkRecord['seen'][Side] => {
      // What was seen of another target says nothing of this one.
      if (side === 'target' && stored.targetId !== record.targetId) return record.seen.target;
      const known = stored.seen[side]?.version ?? '';
      return known <= (record.seen[side]?.version ?? '') || known <= (back[side] ?? '') ? record.seen[side] : stored.seen[side];
    };
    this.rows.set(key, {
      ...rest,
      ...(stored.creation ? { creation: stored.creation } : {}),
      _id: key,
      sourceType: ends.source.type,
      targetType: ends.target.type,
      seen: { source: newer('source'), target: newer('target') },
      block: record.block && { ...record.block, text: this.#breaks.has('words-dropped') ? '' : (text ?? '') },
      updatedAt: new Date(this.#now()),
    });
    if (record.targetId !== null) this.targets.set(record.targetId, key);
    if (record.ended === 'source gone' || record.ended === 'target gone') this.buried.add(key);
    const written = this.rows.get(key) ?? null;
    if (record.ended === 'source gone' && this.#breaks.has('tombstone-forgotten')) this.rows.delete(key);
    return Promise.resolve(written);
  }
}

class MemoryCandidates {
  readonly #rows = new Map<string, CandidateDocument>();
  readonly #breaks: Breaks;

  constructor(breaks: Breaks) {
    this.#breaks = breaks;
  }

  byId(flow: string, side: Side, ids: readonly string[]): Promise<Map<string, CandidateDocument>> {
    const mine = this.#of(flow, side);
    return Promise.resolve(new Map(mine.filter((each) => ids.includes(each.id)).map((each) => [each.id, each])));
  }

  withKeys(flow: string, side: Side, keys: readonly string[]): Promise<CandidateDocument[]> {
    if (side === 'target' && this.#breaks.has('match-not-seen')) return Promise.resolve([]);
    return Promise.resolve(this.#of(flow, side).filter((each) => each.keys.some((key) => keys.includes(key))));
  }

  referringTo(ref: string, limit: number): Promise<CandidateDocument[]> {
    return Promise.resolve([...this.#rows.values()].filter((each) => each.refs.includes(ref)).slice(0, limit));
  }

  markReferring(ref: string, now: number): Promise<void> {
    for (const each of this.#rows.values()) if (each.refs.includes(ref)) this.#rows.set(each._id, { ...each, wakes: now });
    return Promise.resolve();
  }

  waking(flow: string, side: Side, limit: number): Promise<CandidateDocument[]> {
    return Promise.resolve(
      this.#of(flow, side)
        .filter(({ wakes }) => wakes !== undefined)
        .slice(0, limit),
    );
  }

  woken(candidates: readonly CandidateDocument[]): Promise<void> {
    for (const { _id, wakes } of candidates) {
      const now = this.#rows.get(_id);
      if (!now || now.wakes !== wakes) continue;
      const { wakes: _, keysBefore: __, ...rest } = now;
      this.#rows.set(_id, rest);
    }
    return Promise.resolve();
  }

  note(now: readonly CandidateDocument[], gone: readonly string[]): Promise<void> {
    for (const each of now) this.#rows.set(each._id, each);
    for (const id of gone) this.#rows.delete(id);
    return Promise.resolve();
  }

  #of(flow: string, side: Side): CandidateDocument[] {
    return [...this.#rows.values()].filter((each) => each.flow === flow && each.side === side);
  }
}

/** As the store has it: answered replaces unanswered, else a later attempt an earlier one. */
function isReplacedBy(known: HistoryDocument | undefined, change: HistoryDocument): boolean {
  if (known === undefined || (known.unanswered && !change.unanswered)) return true;
  return known.attempt <= change.attempt && (!change.unanswered || known.unanswered === true);
}

class MemoryHistory {
  /** What is stored, for tests to look at. */
  readonly rows = new Map<string, HistoryDocument>();
  readonly #breaks: Breaks;

  constructor(breaks: Breaks) {
    this.#breaks = breaks;
  }

  add(changes: readonly HistoryDocument[]): Promise<void> {
    if (!this.#breaks.has('no-history'))
      for (const change of changes) if (isReplacedBy(this.rows.get(change._id), change)) this.rows.set(change._id, change);
    return Promise.resolve();
  }
}
