import type { Collection, Db } from 'mongodb';
import type { LinkDocument } from './documents.ts';
import { byBytes } from './order.ts';

/** So many source ids are drawn, over all flows; where there are fewer than so many links a server may as well read all. */
const DRAWN = 1000;
const ENOUGH = 2000;
/** They are drawn again once there are so many times the links. */
const GROWN = 1.5;
/** A process knows them for so long (ms). */
const KNOWN_MS = 60_000;

interface LandmarksDocument {
  readonly _id: 'landmarks';
  /** How many links there were. */
  readonly of: number;
  /** Source ids by flow. */
  readonly flows: readonly { readonly flow: string; readonly ids: readonly string[] }[];
}

/** Source ids of a flow in the order of the store. */
export type Landmarks = ReadonlyMap<string, readonly string[]>;

/**
 * Source ids drawn at random, so that whoever wants one page of a long list can say up to where it reaches at most: some
 * servers read all that a filter lets through, whatever the limit. Hints and no more: no list is right or wrong by them.
 */
export class LandmarkStore {
  readonly #links: Collection<LinkDocument>;
  readonly #counters: Collection<LandmarksDocument>;
  #known: { readonly at: number; readonly landmarks: Landmarks } | null = null;
  #drawnOf: number | null = null;

  constructor(db: Db) {
    this.#links = db.collection('links');
    this.#counters = db.collection('counters');
  }

  async get(): Promise<Landmarks> {
    const now = Date.now();
    if (this.#known && now - this.#known.at < KNOWN_MS) return this.#known.landmarks;
    const found = await this.#counters.findOne({ _id: 'landmarks' });
    const landmarks = new Map((found?.flows ?? []).map(({ flow, ids }) => [flow, ids]));
    this.#known = { at: now, landmarks };
    return landmarks;
  }

  /** Draws them where there are many links, or many more than when they were drawn. */
  async draw(total: number): Promise<void> {
    if (total < ENOUGH) return;
    this.#drawnOf ??= (await this.#counters.findOne({ _id: 'landmarks' }, { projection: { of: 1 } }))?.of ?? 0;
    if (this.#drawnOf > 0 && total < GROWN * this.#drawnOf) return;
    const drawn = this.#links.aggregate<Pick<LinkDocument, 'flow' | 'sourceId'>>([
      { $sample: { size: DRAWN } },
      { $project: { flow: 1, sourceId: 1 } },
    ]);
    const flows = new Map<string, Set<string>>();
    for await (const { flow, sourceId } of drawn) flows.set(flow, (flows.get(flow) ?? new Set()).add(sourceId));
    const fields = { of: total, flows: [...flows].map(([flow, ids]) => ({ flow, ids: [...ids].toSorted(byBytes) })) };
    await this.#counters.updateOne({ _id: 'landmarks' }, { $set: fields }, { upsert: true });
    this.#drawnOf = total;
    this.#known = null;
  }
}
