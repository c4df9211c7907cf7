import {
  MongoClient,
  MongoServerError,
  type AnyBulkWriteOperation,
  type Collection,
  type Db,
  type Filter,
  type UpdateFilter,
} from 'mongodb';
import { linkKey } from '../flows/names.ts';
import type { Side } from '../flows/side.ts';
import type { Observation } from '../workflows/core/state.ts';
import type { LinkRecord } from '../workflows/contract.ts';
import type { ClockEstimate } from '../connectors/clock.ts';
import type { RateSlots } from '../connectors/rateLimiter.ts';
import {
  UNREAD,
  type CandidateDocument,
  type CursorDocument,
  type HistoryDocument,
  type LimitDocument,
  type LinkDocument,
  type Sighting,
  type SystemDocument,
} from './documents.ts';

/** Look-ups are cheapest in lists of about so many keys. */
const CHUNK = 100;
const DUPLICATE = 11000;

/** Another link has that target already: the unique index on (target type, target id) refused. */
export class TargetTaken extends Error {
  override readonly name = 'TargetTaken';
}

const isDuplicate = (error: unknown): error is MongoServerError => error instanceof MongoServerError && error.code === DUPLICATE;

function chunks<T>(items: readonly T[]): T[][] {
  const out: T[][] = [];
  for (let i = 0; i < items.length; i += CHUNK) out.push(items.slice(i, i + CHUNK));
  return out;
}

/**
 * What has to be asked about many links at once, in MongoDB. One document per write, no transaction, no server-side
 * clock, so any server of the protocol serves.
 */
export class Store {
  readonly #client: MongoClient;
  readonly links: Collection<LinkDocument>;
  readonly cursors: Collection<CursorDocument>;
  readonly limits: Collection<LimitDocument>;
  readonly history: Collection<HistoryDocument>;
  readonly systems: Collection<SystemDocument>;
  readonly candidates: Collection<CandidateDocument>;

  private constructor(client: MongoClient, db: Db) {
    this.#client = client;
    this.links = db.collection('links');
    this.cursors = db.collection('cursors');
    this.limits = db.collection('limits');
    this.history = db.collection('history');
    this.systems = db.collection('systems');
    this.candidates = db.collection('candidates');
  }

  /** Connects; the database's name is in the address's path. Rejects when nothing answers within `timeoutMs`. */
  static async connect(uri: string, timeoutMs = 5000): Promise<Store> {
    const client = new MongoClient(uri, {
      serverSelectionTimeoutMS: timeoutMs,
      connectTimeoutMS: timeoutMs,
      retryWrites: false,
      ignoreUndefined: true,
    });
    try {
      await client.connect();
      await client.db().command({ ping: 1 });
    } catch (error) {
      await client.close().catch(() => {});
      throw error;
    }
    return new Store(client, client.db());
  }

  /** Makes the indexes; the same call again changes nothing. */
  async prepare(historyDays: number): Promise<void> {
    await this.links.createIndex({ flow: 1, sourceId: 1 }, { unique: true });
    await this.links.createIndex(
      { targetType: 1, targetId: 1 },
      { unique: true, partialFilterExpression: { targetId: { $type: 'string' } } },
    );
    await this.links.createIndex({ targetId: 1 });
    await this.links.createIndex({ status: 1, flow: 1 });
    await this.candidates.createIndex({ keys: 1 });
    await this.candidates.createIndex({ refs: 1 });
    await this.history.createIndex({ link: 1, at: -1 });
    const expireAfterSeconds = Math.round(historyDays * 24 * 3600);
    await this.history.createIndex({ at: 1 }, { name: 'kept', expireAfterSeconds }).catch(async (error: unknown) => {
      if (!(error instanceof MongoServerError)) throw error;
      // The index stands with another time: historyDays was changed.
      await this.history.dropIndex('kept');
      await this.history.createIndex({ at: 1 }, { name: 'kept', expireAfterSeconds });
    });
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** One link; null where the store knows none. */
  link(key: string): Promise<LinkDocument | null> {
    return this.links.findOne({ _id: key });
  }

  /** Every link of a flow that was last written before `before`, ids and end alone. */
  linksOf(flow: string, before: Date): AsyncIterable<Pick<LinkDocument, 'flow' | 'sourceId' | 'targetId' | 'ended'>> {
    return this.links.find({ flow, updatedAt: { $lt: before } }, { projection: { sourceId: 1, targetId: 1, flow: 1, ended: 1 } });
  }

  /** Links of one flow by source id. */
  async bySource(flow: string, sourceIds: readonly string[]): Promise<Map<string, LinkDocument>> {
    const found = new Map<string, LinkDocument>();
    for (const ids of chunks(sourceIds))
      for (const doc of await this.links.find({ _id: { $in: ids.map((id) => linkKey(flow, id)) } }).toArray())
        found.set(doc.sourceId, doc);
    return found;
  }

  /** How many of these links have written to the store themselves. */
  countWritten(flow: string, sourceIds: readonly string[]): Promise<number> {
    return this.links.countDocuments({ _id: { $in: sourceIds.map((id) => linkKey(flow, id)) }, revision: { $gt: 0 } });
  }

  /** Links by target id, over all flows with that target type. */
  async byTarget(targetType: string, targetIds: readonly string[]): Promise<Map<string, LinkDocument>> {
    const found = new Map<string, LinkDocument>();
    for (const ids of chunks(targetIds))
      // By id alone: some servers look a list of keys up in an index of one field only, and scan otherwise.
      for (const doc of await this.links.find({ targetId: { $in: ids } }).toArray())
        if (doc.targetId !== null && doc.targetType === targetType) found.set(doc.targetId, doc);
    return found;
  }

  /** Notes links whose workflows were just started; those that have written already stay as they are. */
  async discover(records: readonly LinkRecord[], types: Readonly<Record<Side, string>>): Promise<void> {
    for (const part of chunks(records))
      await this.links.bulkWrite(
        part.map((record) => ({
          updateOne: {
            filter: { _id: linkKey(record.flow, record.sourceId) },
            update: { $setOnInsert: blank(record, types) } as UpdateFilter<LinkDocument>,
            upsert: true,
          },
        })),
        { ordered: false },
      );
  }

  /** Raises `seen`, never backwards. */
  async raise(sightings: readonly Sighting[]): Promise<void> {
    for (const part of chunks(sightings))
      await this.links.bulkWrite(
        part.map(({ key, side, seen }): AnyBulkWriteOperation<LinkDocument> => ({
          updateOne: {
            filter: { _id: key, [`seen.${side}.version`]: { $not: { $gte: seen.version } } } as Filter<LinkDocument>,
            update: { $set: { [`seen.${side}`]: seen } } as unknown as UpdateFilter<LinkDocument>,
          },
        })),
        { ordered: false },
      );
  }

  /**
   * Writes a link under its revision and gives the link as it stands; an older revision changes nothing and gives null.
   * `seen` only moves forward,
   * since the watcher may have raised it meanwhile. Throws TargetTaken.
   */
  async write(
    record: LinkRecord,
    types: Readonly<Record<Side, string>>,
    text: string | null = null,
  ): Promise<LinkDocument | null> {
    const _id = linkKey(record.flow, record.sourceId);
    const { seen, block, ...rest } = record;
    const fields = {
      ...rest,
      sourceType: types.source,
      targetType: types.target,
      block: block && { ...block, text: text ?? '' },
      updatedAt: new Date(),
    };
    try {
      // Mostly the store has seen nothing that the link does not know: one operation then. No $or at the top, which makes
      // some servers scan, and no equality, which an upsert would take over into the new document.
      const known = (side: Side): object => ({ [`seen.${side}.version`]: { $not: { $gt: seen[side]?.version ?? '' } } });
      const filter = { _id, revision: { $lt: record.revision }, ...known('source'), ...known('target') };
      const done = await this.links.updateOne(filter as Filter<LinkDocument>, { $set: { ...fields, seen } }, { upsert: true });
      if (done.matchedCount + done.upsertedCount === 1) return { _id, ...fields, seen };
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
    const newer = (side: Side): object => {
      const value = seen[side];
      if (value === null) return {};
      const moved = { $lte: [{ $ifNull: [`$seen.${side}.version`, ''] }, { $literal: value.version }] };
      return { [`seen.${side}`]: { $cond: [moved, { $literal: value }, `$seen.${side}`] } };
    };
    const literal = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, { $literal: value }]));
    const update = [{ $set: { ...literal, ...newer('source'), ...newer('target') } }];
    const put = async (upsert: boolean): Promise<boolean> => {
      const done = await this.links.updateOne({ _id, revision: { $lt: record.revision } }, update, { upsert });
      return done.matchedCount + done.upsertedCount === 1;
    };
    try {
      let written: boolean;
      try {
        written = await put(true);
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        // The link is there already (noted this very moment, or newer), or its target is another link's.
        written = await put(false);
      }
      // Asking for the link in the same breath (findAndModify) costs some servers five times as much.
      const now = await this.link(_id);
      if (!now) throw new TargetTaken(record.targetId ?? '');
      return written ? now : null;
    } catch (error) {
      if (isDuplicate(error)) throw new TargetTaken(record.targetId ?? '');
      throw error;
    }
  }

  /** Candidates of one side of a flow by record id. */
  async candidatesOf(flow: string, side: Side, ids: readonly string[]): Promise<Map<string, CandidateDocument>> {
    const found = new Map<string, CandidateDocument>();
    for (const part of chunks(ids))
      for (const doc of await this.candidates.find({ _id: { $in: part.map((id) => candidateKey(flow, side, id)) } }).toArray())
        found.set(doc.id, doc);
    return found;
  }

  /** Candidates with one of the keys, on one side of a flow. */
  async withKeys(flow: string, side: Side, keys: readonly string[]): Promise<CandidateDocument[]> {
    const found: CandidateDocument[] = [];
    for (const part of chunks(keys)) found.push(...(await this.candidates.find({ keys: { $in: part }, flow, side }).toArray()));
    return [...new Map(found.map((each) => [each._id, each])).values()];
  }

  /** Candidates of any flow that refer to a record. */
  referringTo(ref: string): Promise<CandidateDocument[]> {
    return this.candidates.find({ refs: ref }).toArray();
  }

  /** Notes candidates as they are now, and forgets those that are none any more. */
  async noteCandidates(now: readonly CandidateDocument[], gone: readonly string[]): Promise<void> {
    for (const part of chunks(now))
      await this.candidates.bulkWrite(
        part.map((each) => ({ replaceOne: { filter: { _id: each._id }, replacement: each, upsert: true } })),
        { ordered: false },
      );
    for (const part of chunks(gone)) await this.candidates.deleteMany({ _id: { $in: part } });
  }

  /** Adds to the history; a later attempt at the same change replaces the note of an earlier one, never the other way. */
  async remember(changes: readonly HistoryDocument[]): Promise<void> {
    for (const change of changes) {
      try {
        await this.history.replaceOne({ _id: change._id, attempt: { $lte: change.attempt } }, change, { upsert: true });
      } catch (error) {
        if (!isDuplicate(error)) throw error;
      }
    }
  }

  /** Adds to a flow's endings, deletions and blanks of a minute; tells those on record and until when (ms) they are approved. */
  async countBulkChange(
    flow: string,
    minute: number,
    add: number,
  ): Promise<{ minutes: Readonly<Record<string, number>>; approvedUntil: number }> {
    const found = await this.limits.findOneAndUpdate(
      { _id: `mass:${flow}` },
      { $inc: { [`minutes.${minute}`]: add } },
      { upsert: true, returnDocument: 'after' },
    );
    const old = Object.keys(found?.minutes ?? {}).filter((at) => Number(at) < minute - 120);
    if (old.length > 60)
      await this.limits.updateOne(
        { _id: `mass:${flow}` },
        { $unset: Object.fromEntries(old.map((at) => [`minutes.${at}`, ''])) },
      );
    return { minutes: found?.minutes ?? {}, approvedUntil: found?.approvedUntil ?? 0 };
  }

  async approve(flow: string, until: number): Promise<void> {
    await this.limits.updateOne({ _id: `mass:${flow}` }, { $set: { approvedUntil: until } }, { upsert: true });
  }

  /** How many links a flow has. */
  size(flow: string): Promise<number> {
    return this.links.countDocuments({ flow });
  }

  /** Flows and systems that a person has paused. */
  async paused(): Promise<readonly string[]> {
    return (await this.limits.findOne({ _id: 'paused' }))?.paused ?? [];
  }

  async setPaused(name: string, paused: boolean): Promise<void> {
    await this.limits.updateOne({ _id: 'paused' }, paused ? { $addToSet: { paused: name } } : { $pull: { paused: name } }, {
      upsert: true,
    });
  }

  async cursor(id: string): Promise<CursorDocument> {
    const found = await this.cursors.findOne({ _id: id });
    return { ...UNREAD, ...found, _id: id };
  }

  async setCursor(id: string, fields: Partial<Omit<CursorDocument, '_id'>>): Promise<void> {
    await this.cursors.updateOne({ _id: id }, { $set: fields }, { upsert: true });
  }

  async system(id: string): Promise<SystemDocument> {
    return (await this.systems.findOne({ _id: id })) ?? { _id: id };
  }

  async setSystem(id: string, fields: { identity?: string; test?: 'works' | 'missing'; clock?: ClockEstimate }): Promise<void> {
    await this.systems.updateOne({ _id: id }, { $set: fields }, { upsert: true });
  }

  /** The throttle's slots. Compare-and-set on one number, so that no server-side clock is needed. */
  readonly slots: RateSlots = {
    take: async (key, known, now, spacingMs) => {
      const slot = Math.max(now, known);
      const next = slot + spacingMs;
      const before = await this.limits.updateOne({ _id: key, next: known }, { $set: { next } });
      if (before.matchedCount === 1) return { slot, next };
      const found = await this.limits.findOne({ _id: key });
      if (found) return { taken: found.next ?? 0 };
      await this.limits.updateOne({ _id: key }, { $setOnInsert: { next: 0 } }, { upsert: true });
      return { taken: 0 };
    },
    push: async (key, until) => {
      const found = await this.limits.findOneAndUpdate(
        { _id: key },
        { $max: { next: until } },
        { upsert: true, returnDocument: 'after' },
      );
      return found?.next ?? until;
    },
    delay: async (key, ms) => {
      const found = await this.limits.findOneAndUpdate(
        { _id: key },
        { $inc: { next: ms } },
        { upsert: true, returnDocument: 'after' },
      );
      return found?.next ?? 0;
    },
  };
}

/** The store's key of a candidate. */
export const candidateKey = (flow: string, side: Side, id: string): string => `${flow}:${side}:${id}`;

function blank(record: LinkRecord, types: Readonly<Record<Side, string>>): Omit<LinkDocument, '_id'> {
  const seen: Record<Side, Observation | null> = { source: record.seen.source, target: null };
  return {
    ...record,
    revision: 0,
    targetId: null,
    base: { source: {}, target: {} },
    block: null,
    status: 'linking',
    ended: null,
    seen,
    sourceType: types.source,
    targetType: types.target,
    updatedAt: new Date(),
  };
}

/** The part of the store that activities use; tests of schedules bring one of their own. */
export type LinkStore = Pick<
  Store,
  | 'link'
  | 'linksOf'
  | 'bySource'
  | 'byTarget'
  | 'countWritten'
  | 'discover'
  | 'raise'
  | 'write'
  | 'candidatesOf'
  | 'withKeys'
  | 'referringTo'
  | 'noteCandidates'
  | 'remember'
  | 'countBulkChange'
  | 'size'
  | 'paused'
  | 'cursor'
  | 'setCursor'
>;
