import type { Collection, Db, Filter } from 'mongodb';
import { linkKey } from '../flows/names.ts';
import type { Status } from '../workflows/core/state.ts';
import type { LinkDocument } from './documents.ts';
import { idAfter, byBytes } from './order.ts';
import type { LandmarkStore } from './landmarks.ts';

/** So many ids on either side of one that is not there. */
const NEAR = 5;

/** Links a page at a time, in the order of flow and source id, however many there are. */
export class LinkPages {
  readonly #links: Collection<LinkDocument>;
  readonly #landmarks: LandmarkStore;

  constructor(db: Db, landmarks: LandmarkStore) {
    this.#links = db.collection('links');
    this.#landmarks = landmarks;
  }

  /** So many links of these flows, from after a link's key on. */
  async read(
    { flows, status }: { readonly flows: readonly string[]; readonly status?: Status | undefined },
    { limit, after }: { readonly limit: number; readonly after?: string | undefined },
  ): Promise<LinkDocument[]> {
    const found: LinkDocument[] = [];
    for (const flow of [...new Set(flows)].toSorted((a, b) => byBytes(linkKey(a, ''), linkKey(b, '')))) {
      const from = idAfter(flow, after);
      if (from === null) continue;
      const filter = status === undefined ? { flow } : { flow, status };
      found.push(...(await this.#ofFlow(filter, { from, limit: limit - found.length })));
      if (found.length >= limit) break;
    }
    return found;
  }

  /** Source ids of a flow that come just before and just after one in their order. */
  async idsNear(flow: string, sourceId: string): Promise<string[]> {
    const landmarks = (await this.#landmarks.get()).get(flow) ?? [];
    const floor = landmarks.findLast((each) => byBytes(each, sourceId) < 0);
    const range = { $lt: sourceId, ...(floor === undefined ? {} : { $gte: floor }) };
    const before = await this.#find({ flow, sourceId: range }, NEAR, -1);
    const after = await this.#ofFlow({ flow }, { from: sourceId, limit: NEAR });
    return [...before, ...after].map((each) => each.sourceId);
  }

  /** One stretch after the other, each twice as long, until there are enough. */
  async #ofFlow(
    filter: { readonly flow: string; readonly status?: Status },
    { from, limit }: { readonly from: string; readonly limit: number },
  ): Promise<LinkDocument[]> {
    const all = (await this.#landmarks.get()).get(filter.flow) ?? [];
    const ahead = all.filter((each) => byBytes(each, from) > 0);
    const found: LinkDocument[] = [];
    let lower = from;
    for (let next = 0, stride = 1; ; next += stride, stride *= 2) {
      const upper = ahead[next + stride - 1];
      const range = { ...(lower === '' ? {} : { $gt: lower }), ...(upper === undefined ? {} : { $lte: upper }) };
      const stretch = Object.keys(range).length === 0 ? filter : { ...filter, sourceId: range };
      found.push(...(await this.#find(stretch, limit - found.length, 1)));
      if (upper === undefined || found.length >= limit) return found;
      lower = upper;
    }
  }

  #find(filter: Filter<LinkDocument>, limit: number, direction: 1 | -1): Promise<LinkDocument[]> {
    return this.#links.find(filter).sort({ sourceId: direction }).limit(limit).toArray();
  }
}
