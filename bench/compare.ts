import { pino } from 'pino';
import { handOnPage, compareWithSeen, type FlowRole } from '../activities/feed/compareWithSeen.ts';
import type { Deps } from '../activities/deps.ts';
import { newRecord } from '../workflows/linkRecord.ts';
import { observationOf, rulesOf } from '../activities/observation.ts';
import { realTime } from '../activities/realTime.ts';
import { Store } from '../store/store.ts';
import type { Snapshot } from '../connectors/connector.ts';
import { catalogueOf } from '../connectors/crm/connector.ts';
import { DEFAULT_PROFILE } from '../connectors/crm/profile/default.ts';
import { POWEROFFICE_CATALOGUE } from '../connectors/powerOffice/catalogue.ts';
import type { Flow } from '../flows/flow.ts';
import { instantKey } from '../flows/instant.ts';
import { DEFAULT_INSTALLATION, installationNamed } from '../flows/installation.ts';
import { linkKey } from '../flows/names.ts';
import { readFlows } from '../worker/readFlows.ts';
import { numberOnce } from '../worker/sequencer.ts';
import { median } from './figures.ts';
import { note, say } from './report.ts';

const IN_MEMORY = 100_000;
const IN_STORE = 5000;
const FEW = 500;
const TOUCHED = 100;
const PAGE = 2000;

function snapshot(i: number): Snapshot {
  const instant = `2026-01-01T00:00:00.${String(i).padStart(7, '0')}Z`;
  return { id: `1/${i}`, version: instantKey(instant), instant, fields: { FirstName: `F${i}`, LastName: `L${i}` }, at: [0, 1] };
}

/** The specification's three flows. */
export async function flowsOfBench(): Promise<readonly Flow[]> {
  return (await readFlows(undefined, [POWEROFFICE_CATALOGUE, catalogueOf(DEFAULT_PROFILE)])).flows;
}

async function contactPersonFlow(): Promise<Flow> {
  const flow = (await flowsOfBench()).find((each) => each.name === 'contactperson-contact');
  if (!flow) throw new Error('no such flow');
  return flow;
}

/** A store that knows so many links, none of which has written. */
async function storeOf(uri: string, flow: Flow, records: readonly Snapshot[]): Promise<Store> {
  const store = await Store.connect(uri);
  await store.prepare(1);
  await store.links.discover(
    records.map((record) =>
      newRecord({
        flow: flow.name,
        rules: rulesOf(flow),
        sourceId: record.id,
        seen: observationOf(flow, 'source', record),
        now: 0,
      }),
    ),
    flow,
  );
  await numberAll(store);
  return store;
}

/** What a worker does beside: what was written is numbered soon after. */
async function numberAll(store: Store): Promise<void> {
  while ((await numberOnce(store)) > 0);
}

/** What changes and a page ask of the store, for some of its links (ms): raised, looked up by target, written. */
async function storeTime({
  store,
  flow,
  records,
  revision,
}: {
  readonly store: Store;
  readonly flow: Flow;
  readonly records: readonly Snapshot[];
  readonly revision: number;
}): Promise<number> {
  const linksOf = records.map((record) => ({
    id: record.id,
    seen: observationOf(flow, 'source', { ...record, version: `${record.version}.${revision}` }),
    targetId: `of ${record.id}`,
  }));
  const began = performance.now();
  await store.links.raise(linksOf.map(({ id, seen }) => ({ key: linkKey(flow.name, id), side: 'source', seen })));
  await store.links.byTarget(
    flow.target,
    linksOf.map(({ targetId }) => targetId),
  );
  for (const { id, seen, targetId } of linksOf)
    await store.links.write(
      { ...newRecord({ flow: flow.name, rules: rulesOf(flow), sourceId: id, seen, now: 0 }), revision, targetId },
      flow,
    );
  const took = performance.now() - began;
  await numberAll(store);
  return took;
}

/** How many times longer the store takes for the same links where it holds ten times as many; measured in turns. */
async function storeGrowth(mongo: string): Promise<number> {
  const flow = await contactPersonFlow();
  const records = Array.from({ length: 10 * FEW }, (_, i) => snapshot(i));
  const few = await storeOf(`${mongo}/few`, flow, records.slice(0, FEW));
  const many = await storeOf(`${mongo}/many`, flow, records);
  const some = records.slice(0, TOUCHED);
  const ratios: number[] = [];
  for (let round = 1; round <= 7; round++) {
    const least = await storeTime({ store: few, flow, records: some, revision: round });
    ratios.push((await storeTime({ store: many, flow, records: some, revision: round })) / least);
  }
  await few.close();
  await many.close();
  return median(ratios);
}

/** How many unchanged records a second a sweep compares: in the worker alone, and with the local store. */
async function compareSpeed(mongo: string): Promise<{ memory: number; store: number }> {
  const flow = await contactPersonFlow();
  const records = Array.from({ length: IN_MEMORY }, (_, i) => snapshot(i));
  const observation = records.map((record) => observationOf(flow, 'source', record));
  const began = performance.now();
  let unchanged = 0;
  for (const [i, record] of records.entries())
    if (compareWithSeen(observation[i], observationOf(flow, 'source', record)) === 'none') unchanged += 1;
  const memory = unchanged / ((performance.now() - began) / 1000);
  say(`compared ${unchanged} records in memory`);

  const known = records.slice(0, IN_STORE);
  const store = await storeOf(`${mongo}/compare`, flow, known);
  const refuse = (): Promise<never> => Promise.reject(new Error('an unchanged record woke a link'));
  const deps = {
    installation: installationNamed(DEFAULT_INSTALLATION),
    flows: [flow],
    store,
    links: { start: refuse, tell: refuse, tellVanished: refuse },
    time: realTime,
    log: pino({ level: 'silent' }),
  } as unknown as Deps;
  const parts: FlowRole[] = [{ flow, side: 'source' }];
  const start = performance.now();
  for (let at = 0; at < IN_STORE; at += PAGE) await handOnPage(deps, parts, { records: known.slice(at, at + PAGE) });
  const speed = IN_STORE / ((performance.now() - start) / 1000);
  await store.close();
  return { memory, store: speed };
}

/** What a sweep of unchanged records costs, and how the store's share of it grows. */
export async function measureComparing(mongo: string): Promise<void> {
  const { memory, store } = await compareSpeed(mongo);
  note({
    name: 'unchanged records compared, store aside',
    value: memory,
    unit: 'records/s',
    target: 'at least 20,000',
    met: memory >= 20_000,
  });
  note({
    name: 'unchanged records compared with the local store',
    value: store,
    unit: 'records/s',
    target: 'at least 4,000',
    met: store >= 4000,
  });
  const growth = await storeGrowth(mongo);
  note({
    name: 'what the same links cost the local store, with ten times as many links in it',
    value: growth,
    unit: 'times',
    target: 'at most 1.5',
    met: growth <= 1.5,
  });
}
