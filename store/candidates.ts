import type { Collection, Db } from 'mongodb';
import { candidateKey } from '../flows/names.ts';
import type { Side } from '../flows/side.ts';
import { chunks } from './chunks.ts';
import type { CandidateDocument } from './documents.ts';

/** Records as matches and references find them. */
export class Candidates {
  readonly #candidates: Collection<CandidateDocument>;

  constructor(db: Db) {
    this.#candidates = db.collection('candidates');
  }

  /** Makes the indexes; the same call again changes nothing. */
  async prepare(): Promise<void> {
    await this.#candidates.createIndex({ keys: 1 });
    await this.#candidates.createIndex({ refs: 1 });
    await this.#candidates.createIndex({ flow: 1, side: 1, wakes: 1 }, { partialFilterExpression: { wakes: { $gt: 0 } } });
  }

  /** Candidates of one side of a flow by record id. */
  async byId(flow: string, side: Side, ids: readonly string[]): Promise<Map<string, CandidateDocument>> {
    const found = new Map<string, CandidateDocument>();
    for (const part of chunks(ids))
      for (const doc of await this.#candidates.find({ _id: { $in: part.map((id) => candidateKey(flow, side, id)) } }).toArray())
        found.set(doc.id, doc);
    return found;
  }

  /** Candidates with one of the keys, on one side of a flow. */
  async withKeys(flow: string, side: Side, keys: readonly string[]): Promise<CandidateDocument[]> {
    const found: CandidateDocument[] = [];
    for (const part of chunks(keys)) found.push(...(await this.#candidates.find({ keys: { $in: part }, flow, side }).toArray()));
    return [...new Map(found.map((each) => [each._id, each])).values()];
  }

  /** Candidates of any flow that refer to a record, so many at most. */
  referringTo(ref: string, limit: number): Promise<CandidateDocument[]> {
    return this.#candidates.find({ refs: ref }).limit(limit).toArray();
  }

  /** Links are to be woken for all that refer to a record. */
  async markReferring(ref: string, now: number): Promise<void> {
    await this.#candidates.updateMany({ refs: ref }, { $set: { wakes: now } });
  }

  /** Candidates for which links are still to be woken, so many at most. */
  waking(flow: string, side: Side, limit: number): Promise<CandidateDocument[]> {
    return this.#candidates
      .find({ flow, side, wakes: { $gt: 0 } })
      .limit(limit)
      .toArray();
  }

  /** Links were woken for these candidates as they were noted; one that was noted again since is woken for again. */
  async woken(candidates: readonly CandidateDocument[]): Promise<void> {
    for (const wakes of new Set(candidates.map((each) => each.wakes ?? 0)))
      for (const part of chunks(candidates.filter((each) => each.wakes === wakes))) {
        const ids = part.map(({ _id }) => _id);
        await this.#candidates.updateMany({ _id: { $in: ids }, wakes }, { $unset: { wakes: '', keysBefore: '' } });
      }
  }

  /** Notes candidates as they are now, and forgets those that are none any more. */
  async note(now: readonly CandidateDocument[], gone: readonly string[]): Promise<void> {
    for (const part of chunks(now))
      await this.#candidates.bulkWrite(
        part.map((each) => ({ replaceOne: { filter: { _id: each._id }, replacement: each, upsert: true } })),
        { ordered: false },
      );
    for (const part of chunks(gone)) await this.#candidates.deleteMany({ _id: { $in: part } });
  }

  count(): Promise<number> {
    return this.#candidates.countDocuments({});
  }

  /** Forgets the candidates of a flow. */
  async forget(flow: string): Promise<void> {
    await this.#candidates.deleteMany({ flow });
  }
}
