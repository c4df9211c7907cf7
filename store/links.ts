import type { AnyBulkWriteOperation, Collection, Db, Filter, UpdateFilter } from 'mongodb';
import { linkKey } from '../flows/names.ts';
import type { Ends } from '../flows/installation.ts';
import type { Side } from '../flows/side.ts';
import type { LinkRecord } from '../workflows/contract.ts';
import type { Observation, Status } from '../workflows/core/state.ts';
import { chunks, isDuplicate, isDuplicateAlone } from './chunks.ts';
import type { CreationNote, LinkDocument, SeenUpdate } from './documents.ts';
import { idAfter } from './order.ts';

const OLD_TARGET_INDEX = 'targetType_1_targetId_1';
const OLD_STATUS_INDEX = 'status_1_flow_1';

/** Another link has that target already: the unique index on (target system, type, id) refused. */
export class TargetTaken extends Error {
  override readonly name = 'TargetTaken';
}

/** Which links; all of them where nothing is named. */
export interface LinkFilter {
  readonly flow?: string | readonly string[] | undefined;
  readonly status?: Status | undefined;
  readonly ended?: LinkRecord['ended'] | undefined;
  /** Blocked, or waiting, for this reason. */
  readonly blockCode?: string | undefined;
  readonly targetId?: string | undefined;
  /** Whether it has a partner. */
  readonly linked?: boolean | undefined;
}

/** One page of a list in the order of keys: so many, from after the last key of the page before. */
export interface LinkPage {
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
}

/** A link's ids, and how it stands. */
export interface StandingLink extends Pick<LinkDocument, 'flow' | 'sourceId' | 'targetId' | 'status' | 'ended'> {
  readonly block?: { readonly code: string } | null;
}

/** The links: everything that is asked about many of them at once. */
export class Links {
  readonly #links: Collection<LinkDocument>;

  constructor(db: Db) {
    this.#links = db.collection('links');
  }

  /** Makes the indexes; the same call again changes nothing. */
  async prepare(): Promise<void> {
    await this.#links.createIndex({ flow: 1, sourceId: 1 }, { unique: true });
    await this.#links.createIndex(
      { targetSystem: 1, targetType: 1, targetId: 1 },
      { unique: true, partialFilterExpression: { targetId: { $type: 'string' } } },
    );
    // Of the first schema, whose types were one system's.
    if (await this.#links.indexExists(OLD_TARGET_INDEX)) await this.#links.dropIndex(OLD_TARGET_INDEX);
    await this.#links.createIndex({ targetId: 1 });
    // In front of it are those of a status, and of a status in a flow.
    await this.#links.createIndex({ status: 1, flow: 1, sourceId: 1 });
    if (await this.#links.indexExists(OLD_STATUS_INDEX)) await this.#links.dropIndex(OLD_STATUS_INDEX);
    await this.#links.createIndex({ unnumbered: 1 }, { partialFilterExpression: { unnumbered: true } });
    await this.#links.createIndex({ uncarriedSince: 1 }, { partialFilterExpression: { uncarriedSince: { $exists: true } } });
  }

  /** One link; null where the store knows none. */
  byKey(key: string): Promise<LinkDocument | null> {
    return this.#links.findOne({ _id: key });
  }

  /** Links of one flow by source id. */
  async bySource(flow: string, sourceIds: readonly string[]): Promise<Map<string, LinkDocument>> {
    const found = new Map<string, LinkDocument>();
    for (const ids of chunks(sourceIds))
      for (const doc of await this.#links.find({ _id: { $in: ids.map((id) => linkKey(flow, id)) } }).toArray())
        found.set(doc.sourceId, doc);
    return found;
  }

  /** Links in the order of their keys; `after` goes on where an earlier page ended. */
  list(filter: LinkFilter = {}, { limit = 0, after }: LinkPage = {}): Promise<LinkDocument[]> {
    // Of one flow the order of keys is that of source ids, for which there is an index.
    const byId = typeof filter.flow === 'string';
    const from = byId && after !== undefined ? idAfter(filter.flow, after) : after;
    if (from === null) return Promise.resolve([]);
    const range = from === undefined || from === '' ? {} : { [byId ? 'sourceId' : '_id']: { $gt: from } };
    return this.#links
      .find({ ...query(filter), ...range })
      .sort(byId ? { sourceId: 1 } : { _id: 1 })
      .limit(limit)
      .toArray();
  }

  /** Links one after the other, in no order: for all of them, without holding them all. */
  each(filter: LinkFilter = {}): AsyncIterable<LinkDocument> {
    return this.#links.find(query(filter));
  }

  /** Every link of a flow that was last written, or whose record on that side was last changed, before `before`: how it stands. */
  settledBefore(flow: string, side: Side, before: Date): AsyncIterable<StandingLink> {
    return this.#links.find<StandingLink>(
      { flow, $or: [{ updatedAt: { $lt: before } }, { [`seen.${side}.at.1`]: { $lt: before.getTime() } }] },
      { projection: { sourceId: 1, targetId: 1, flow: 1, ended: 1, status: 1, 'block.code': 1 } },
    );
  }

  /** Links of these flows that are blocked for one reason, by name alone. Reads no other link. */
  blockedFor(flows: readonly string[], code: string): Promise<Pick<LinkDocument, 'flow' | 'sourceId'>[]> {
    const filter: Filter<LinkDocument> = { flow: { $in: [...flows] }, status: 'blocked', 'block.code': code };
    return this.#links.find(filter, { projection: { flow: 1, sourceId: 1 } }).toArray();
  }

  count(filter: LinkFilter = {}): Promise<number> {
    return this.#links.countDocuments(query(filter));
  }

  /** How many links are past their beginning, or wait for a match or a record that they refer to. Reads every link. */
  countSettled(): Promise<number> {
    return this.#links.countDocuments({ $or: [{ status: { $ne: 'linking' } }, { block: { $ne: null } }] });
  }

  /** How many of these links have written to the store themselves. */
  countWritten(flow: string, sourceIds: readonly string[]): Promise<number> {
    return this.#links.countDocuments({ _id: { $in: sourceIds.map((id) => linkKey(flow, id)) }, revision: { $gt: 0 } });
  }

  /** Links by target id, over all flows into that type of that system. */
  async byTarget({ system, type }: Ends[Side], targetIds: readonly string[]): Promise<Map<string, LinkDocument>> {
    const found = new Map<string, LinkDocument>();
    for (const ids of chunks(targetIds))
      // By id alone: some servers look a list of keys up in an index of one field only, and scan otherwise.
      for (const doc of await this.#links.find({ targetId: { $in: ids } }).toArray())
        if (doc.targetId !== null && doc.targetType === type && (doc.targetSystem ?? system) === system)
          found.set(doc.targetId, doc);
    return found;
  }

  /** Notes links whose workflows were just started; those that have written already stay as they are. */
  async discover(records: readonly LinkRecord[], ends: Ends): Promise<void> {
    for (const part of chunks(records))
      await this.#links
        .insertMany(
          part.map((record) => ({ _id: linkKey(record.flow, record.sourceId), ...blank(record, ends) })),
          { ordered: false },
        )
        .catch((error: unknown) => {
          if (!isDuplicateAlone(error)) throw error;
        });
  }

  /**
   * Notes what is known of a record that is being created; the link is there already. Given what was noted `before`, only
   * where that still stands; tells whether it was noted.
   */
  async noteCreation(key: string, creation: CreationNote, before?: CreationNote | null): Promise<boolean> {
    const { incarnation, tries, id = null } = before ?? {};
    const stands = { 'creation.incarnation': incarnation, 'creation.tries': tries, 'creation.id': id };
    const where = before === undefined ? {} : before === null ? { creation: null } : stands;
    const done = await this.#links.updateOne({ _id: key, ...where } as Filter<LinkDocument>, { $set: { creation } });
    return done.matchedCount === 1;
  }

  /** Raises `seen`, never backwards. */
  async raise(updates: readonly SeenUpdate[]): Promise<void> {
    const now = new Date();
    for (const part of chunks(updates))
      await this.#links.bulkWrite(
        part.map(({ key, side, seen, news, targetId, comparedWith }): AnyBulkWriteOperation<LinkDocument> => ({
          updateOne: {
            filter: {
              _id: key,
              ...(targetId === undefined ? {} : { targetId }),
              [`seen.${side}.version`]: comparedWith === undefined ? { $not: { $gte: seen.version } } : comparedWith,
            } as Filter<LinkDocument>,
            update: {
              $set: { [`seen.${side}`]: seen },
              ...(news === true ? { $min: { uncarriedSince: now } } : {}),
            } as unknown as UpdateFilter<LinkDocument>,
          },
        })),
        { ordered: false },
      );
  }

  /**
   * Writes a link under its revision and gives the link as it stands; an older revision changes nothing and gives null.
   * `seen` only moves forward, since the watcher may have raised it meanwhile, unless the system itself went `back`.
   * Throws TargetTaken.
   */
  async write(record: LinkRecord, ends: Ends, text: string | null = null): Promise<LinkDocument | null> {
    const _id = linkKey(record.flow, record.sourceId);
    const { seen, block, approved: _, back = {}, ...rest } = record;
    const fields = {
      ...rest,
      ...endsOf(ends),
      block: block && { ...block, text: text ?? '' },
      updatedAt: new Date(),
      unnumbered: true as const,
    };
    const upTo = (side: Side): string => [seen[side]?.version ?? '', back[side] ?? ''].sort()[1] as string;
    try {
      // Mostly the store has seen nothing that the link does not know: one operation then. No $or at the top, which makes
      // some servers scan, and no equality, which an upsert would take over into the new document.
      const known = (side: Side): object => ({ [`seen.${side}.version`]: { $not: { $gt: upTo(side) } } });
      const filter = { _id, revision: { $lt: record.revision }, ...known('source'), ...known('target') };
      const update = { $set: { ...fields, seen }, $unset: { uncarriedSince: '' as const } };
      const done = await this.#links.updateOne(filter as Filter<LinkDocument>, update, { upsert: true });
      if (done.matchedCount + done.upsertedCount === 1) return { _id, ...fields, seen };
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
    const newer = (side: Side): object => {
      const value = seen[side];
      const lower = { $lte: [{ $ifNull: [`$seen.${side}.version`, ''] }, { $literal: upTo(side) }] };
      // What was seen of another target says nothing of this one.
      const other = { $ne: [{ $ifNull: ['$targetId', null] }, { $literal: record.targetId }] };
      if (value === null && side === 'source') return {};
      const moved = side === 'source' ? lower : value === null ? other : { $or: [lower, other] };
      return { [`seen.${side}`]: { $cond: [moved, { $literal: value }, `$seen.${side}`] } };
    };
    const literal = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, { $literal: value }]));
    const merged = [{ $set: { ...literal, ...newer('source'), ...newer('target') } }];
    const put = async (upsert: boolean): Promise<boolean> => {
      const done = await this.#links.updateOne({ _id, revision: { $lt: record.revision } }, merged, { upsert });
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
      const now = await this.byKey(_id);
      if (!now) throw new TargetTaken(record.targetId ?? '');
      return written ? now : null;
    } catch (error) {
      if (isDuplicate(error)) throw new TargetTaken(record.targetId ?? '');
      throw error;
    }
  }

  /** Flows and types of links from the first schema, which named no system. */
  async withoutSystems(): Promise<Pick<LinkDocument, 'flow' | 'sourceType' | 'targetType'>[]> {
    const found = await this.#links
      .aggregate<{ _id: Pick<LinkDocument, 'flow' | 'sourceType' | 'targetType'> }>([
        { $match: { targetSystem: { $exists: false } } },
        { $group: { _id: { flow: '$flow', sourceType: '$sourceType', targetType: '$targetType' } } },
      ])
      .toArray();
    return found.map(({ _id }) => _id);
  }

  /** Names the systems of a flow's links from the first schema. */
  async setSystems(flow: string, { source, target }: Ends): Promise<number> {
    const done = await this.#links.updateMany(
      { flow, sourceType: source.type, targetType: target.type, targetSystem: { $exists: false } },
      { $set: { sourceSystem: source.system, targetSystem: target.system } },
    );
    return done.modifiedCount;
  }

  /** Forgets the links of a flow; tells how many there were. */
  async forget(flow: string): Promise<number> {
    return (await this.#links.deleteMany({ flow })).deletedCount;
  }
}

function query({ flow, status, ended, blockCode, targetId, linked }: LinkFilter): Filter<LinkDocument> {
  return {
    ...(flow === undefined ? {} : { flow: typeof flow === 'string' ? flow : { $in: flow } }),
    ...(status === undefined ? {} : { status }),
    ...(ended === undefined ? {} : { ended }),
    ...(blockCode === undefined ? {} : { 'block.code': blockCode }),
    ...(targetId === undefined ? {} : { targetId }),
    ...(linked === undefined ? {} : linked ? { targetId: { $type: 'string' } } : { targetId: null }),
  } as Filter<LinkDocument>;
}

const endsOf = ({ source, target }: Ends): Pick<LinkDocument, 'sourceSystem' | 'sourceType' | 'targetSystem' | 'targetType'> => ({
  sourceSystem: source.system,
  sourceType: source.type,
  targetSystem: target.system,
  targetType: target.type,
});

function blank(record: LinkRecord, ends: Ends): Omit<LinkDocument, '_id'> {
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
    ...endsOf(ends),
    updatedAt: new Date(),
    // It is counted like all others, though there is nothing to tell of it.
    unnumbered: true,
  };
}
