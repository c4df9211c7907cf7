import { MongoClient } from 'mongodb';
import { rulesOf } from '../../activities/observation.ts';
import type { Flow } from '../../flows/flow.ts';
import { DEFAULT_INSTALLATION } from '../../flows/installation.ts';
import { linkKey } from '../../flows/names.ts';
import { standingOf } from '../../store/census.ts';
import type { LinkDocument } from '../../store/documents.ts';
import { SCHEMA, Store } from '../../store/store.ts';
import { newRecord } from '../../workflows/linkRecord.ts';

const PART = 1000;
/** What looks a link up by its target is not asked for here, and costs half of the filling. */
const LEFT_OUT = ['targetId_1', 'targetSystem_1_targetType_1_targetId_1'];
/** One of so many links is blocked. */
const BLOCKED_EACH = 500;

/** The nth source id of a flow, as a system with few customers of many people each has them. */
export const filledId = (n: number): string => `${500 + (n % 50)}/${2000 + n}`;

/** A store that holds so many links of each flow, put there directly, in step and counted. */
export async function filledStore(uri: string, flows: readonly Flow[], each: number): Promise<Store> {
  const store = await Store.connect(uri);
  await store.prepare(1);
  await store.owner.claim({ name: DEFAULT_INSTALLATION, schema: SCHEMA });
  const client = await MongoClient.connect(uri);
  const links = client.db().collection<LinkDocument>('links');
  for (const name of LEFT_OUT) await links.dropIndex(name);
  for (const flow of flows)
    for (let at = 0; at < each; at += PART) {
      const part = Array.from({ length: Math.min(PART, each - at) }, (_, i) => documentOf(flow, at + i));
      await links.insertMany(part, { ordered: false });
    }
  await client.close();
  const keeper = await store.census.open('filled', null);
  await store.landmarks.draw(keeper.total);
  await keeper.close();
  return store;
}

function documentOf(flow: Flow, n: number): LinkDocument {
  const sourceId = filledId(n);
  const at = Date.UTC(2026, 0, 1);
  const sees = (names: readonly string[]) => {
    const values = Object.fromEntries(names.map((name) => [name, `${name} ${n}`]));
    return {
      version: '2026-01-01T00:00:00.0000000',
      instant: '2026-01-01T00:00:00Z',
      values,
      inScope: true,
      at: [at, at] as const,
    };
  };
  const seen = {
    source: sees(flow.properties.map((pair) => pair.source)),
    target: sees(flow.properties.map((pair) => pair.target)),
  };
  const block = { code: 'refused', side: 'target', properties: [], at, text: 'the name is already in use' } as const;
  const link: LinkDocument = {
    ...newRecord({ flow: flow.name, rules: rulesOf(flow), sourceId, seen: null, now: at }),
    _id: linkKey(flow.name, sourceId),
    revision: 1,
    targetId: `c${n}`,
    status: n % BLOCKED_EACH === 0 ? 'blocked' : 'in-step',
    block: n % BLOCKED_EACH === 0 ? block : null,
    seen,
    base: { source: seen.source.values, target: seen.target.values },
    sourceSystem: flow.source.system,
    sourceType: flow.source.type,
    targetSystem: flow.target.system,
    targetType: flow.target.type,
    updatedAt: new Date(at),
  };
  return { ...link, numbered: { revision: 1, status: standingOf(link) } };
}
