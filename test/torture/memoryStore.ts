import { linkKey } from '../../flows/names.ts';
import type { Side } from '../../flows/side.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import {
  UNREAD,
  type CandidateDocument,
  type CursorDocument,
  type HistoryDocument,
  type LinkDocument,
  type Sighting,
} from '../../store/documents.ts';
import { TargetTaken, type LinkStore } from '../../store/store.ts';
import type { Breaks } from './breaks.ts';

/** The store's contract in memory: guarded by revision, `seen` never backwards, unique on both sides. */
export class MemoryStore implements LinkStore {
  readonly links = new Map<string, LinkDocument>();
  readonly cursors = new Map<string, CursorDocument>();
  readonly history = new Map<string, HistoryDocument>();
  readonly #breaks: Breaks;

  readonly #now: () => number;

  constructor(breaks: Breaks, now: () => number) {
    this.#breaks = breaks;
    this.#now = now;
  }

  readonly candidates = new Map<string, CandidateDocument>();

  countWritten(flow: string, ids: readonly string[]): Promise<number> {
    return Promise.resolve(ids.filter((id) => (this.links.get(linkKey(flow, id))?.revision ?? 0) > 0).length);
  }

  candidatesOf(flow: string, side: Side, ids: readonly string[]): Promise<Map<string, CandidateDocument>> {
    const mine = [...this.candidates.values()].filter((each) => each.flow === flow && each.side === side);
    return Promise.resolve(new Map(mine.filter((each) => ids.includes(each.id)).map((each) => [each.id, each])));
  }

  withKeys(flow: string, side: Side, keys: readonly string[]): Promise<CandidateDocument[]> {
    const mine = [...this.candidates.values()].filter((each) => each.flow === flow && each.side === side);
    return Promise.resolve(mine.filter((each) => each.keys.some((key) => keys.includes(key))));
  }

  referringTo(ref: string): Promise<CandidateDocument[]> {
    return Promise.resolve([...this.candidates.values()].filter((each) => each.refs.includes(ref)));
  }

  noteCandidates(now: readonly CandidateDocument[], gone: readonly string[]): Promise<void> {
    for (const each of now) this.candidates.set(each._id, each);
    for (const id of gone) this.candidates.delete(id);
    return Promise.resolve();
  }

  link(key: string): Promise<LinkDocument | null> {
    return Promise.resolve(this.links.get(key) ?? null);
  }

  async *linksOf(flow: string, before: Date): AsyncIterable<LinkDocument> {
    for (const link of this.links.values()) if (link.flow === flow && link.updatedAt < before) yield link;
  }

  bySource(flow: string, ids: readonly string[]): Promise<Map<string, LinkDocument>> {
    return Promise.resolve(
      new Map(
        ids.flatMap((id) =>
          this.links.has(linkKey(flow, id)) ? [[id, this.links.get(linkKey(flow, id)) as LinkDocument] as const] : [],
        ),
      ),
    );
  }

  byTarget(type: string, ids: readonly string[]): Promise<Map<string, LinkDocument>> {
    return Promise.resolve(
      new Map(
        [...this.links.values()].flatMap((link) =>
          link.targetType === type && link.targetId !== null && ids.includes(link.targetId)
            ? [[link.targetId, link] as const]
            : [],
        ),
      ),
    );
  }

  discover(records: readonly LinkRecord[], types: Readonly<Record<Side, string>>): Promise<void> {
    for (const record of records) this.#note(record, types);
    return Promise.resolve();
  }

  #note(record: LinkRecord, types: Readonly<Record<Side, string>>): void {
    const key = linkKey(record.flow, record.sourceId);
    if (this.links.has(key)) return;
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
    this.links.set(key, {
      ...blank,
      _id: key,
      sourceType: types.source,
      targetType: types.target,
      updatedAt: new Date(this.#now()),
    });
  }

  raise(sightings: readonly Sighting[]): Promise<void> {
    for (const { key, side, seen } of sightings) {
      const link = this.links.get(key);
      if (!link || (link.seen[side]?.version ?? '') >= seen.version) continue;
      this.links.set(key, { ...link, seen: { ...link.seen, [side]: seen } });
    }
    return Promise.resolve();
  }

  write(record: LinkRecord, types: Readonly<Record<Side, string>>, text: string | null = null): Promise<LinkDocument | null> {
    const key = linkKey(record.flow, record.sourceId);
    this.#note(record, types);
    const stored = this.links.get(key) as LinkDocument;
    if (stored.revision >= record.revision && !this.#breaks.has('old-revision-writes')) return Promise.resolve(null);
    for (const other of this.links.values())
      if (
        record.targetId !== null &&
        other._id !== key &&
        other.targetType === types.target &&
        other.targetId === record.targetId
      )
        throw new TargetTaken(record.targetId);
    const newer = (side: Side): LinkRecord['seen'][Side] =>
      (stored.seen[side]?.version ?? '') <= (record.seen[side]?.version ?? '') ? record.seen[side] : stored.seen[side];
    this.links.set(key, {
      ...record,
      _id: key,
      sourceType: types.source,
      targetType: types.target,
      seen: { source: newer('source'), target: newer('target') },
      block: record.block && { ...record.block, text: text ?? '' },
      updatedAt: new Date(this.#now()),
    });
    return Promise.resolve(this.links.get(key) ?? null);
  }

  remember(changes: readonly HistoryDocument[]): Promise<void> {
    if (!this.#breaks.has('no-history'))
      for (const change of changes)
        if ((this.history.get(change._id)?.attempt ?? 0) <= change.attempt) this.history.set(change._id, change);
    return Promise.resolve();
  }

  countBulkChange(): Promise<{ minutes: Record<string, number>; approvedUntil: number }> {
    return Promise.resolve({ minutes: {}, approvedUntil: 0 });
  }

  size(): Promise<number> {
    return Promise.resolve(this.links.size);
  }

  paused(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  cursor(id: string): Promise<CursorDocument> {
    return Promise.resolve({ ...UNREAD, ...this.cursors.get(id), _id: id });
  }

  async setCursor(id: string, fields: Partial<Omit<CursorDocument, '_id'>>): Promise<void> {
    this.cursors.set(id, { ...(await this.cursor(id)), ...fields });
  }
}
