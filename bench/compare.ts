import { pino } from 'pino';
import { handlePage, news, type Part } from '../activities/feed/page.ts';
import type { Deps } from '../activities/deps.ts';
import { newRecord } from '../activities/messenger.ts';
import { observationOf } from '../activities/observation.ts';
import { realTime } from '../activities/realTime.ts';
import { Store } from '../activities/store/store.ts';
import type { Snapshot } from '../activities/systems/system.ts';
import { catalogueOf } from '../activities/systems/crm/system.ts';
import { DEFAULT_PROFILE } from '../activities/systems/crm/profile.ts';
import { POWEROFFICE_CATALOGUE } from '../activities/systems/powerOffice/catalogue.ts';
import type { Flow } from '../flows/flow.ts';
import { instantKey } from '../flows/instant.ts';
import { linkKey } from '../flows/names.ts';
import { readFlows } from '../flows/read.ts';
import type { Observation } from '../workflows/core/state.ts';

const IN_MEMORY = 100_000;
const IN_STORE = 5000;
const FEW = 500;
const PAGE = 2000;

function snapshot(i: number): Snapshot {
  const instant = `2026-01-01T00:00:00.${String(i).padStart(7, '0')}Z`;
  return { id: `1/${i}`, version: instantKey(instant), instant, fields: { FirstName: `F${i}`, LastName: `L${i}` }, at: [0, 1] };
}

/** What a change and a page ask of the store, for `FEW` links (ms): raised, looked up by target, and written. */
async function storeTime(store: Store, flow: Flow, records: readonly Snapshot[], revision: number): Promise<number> {
  const types = { source: flow.source.type, target: flow.target.type };
  const began = performance.now();
  const seen = records.map((record) => observationOf(flow, 'source', { ...record, version: `${record.version}.${revision}` }));
  await store.raise(records.map(({ id }, i) => ({ key: linkKey(flow.name, id), side: 'source', seen: seen[i] as Observation })));
  await store.byTarget(
    types.target,
    records.map(({ id }) => `of ${id}`),
  );
  for (const [i, { id }] of records.entries())
    await store.write({ ...newRecord(flow, id, seen[i] ?? null, 0), revision, targetId: `of ${id}` }, types);
  return performance.now() - began;
}

/**
 * How many unchanged records a second a sweep compares: in the worker alone, and with the local store; and how many times
 * longer the store takes for the same links once it holds ten times as many.
 */
export async function compareSpeed(
  mongo: string,
  say: (text: string) => void,
): Promise<{ memory: number; store: number; growth: number }> {
  const { flows } = await readFlows(undefined, [POWEROFFICE_CATALOGUE, catalogueOf(DEFAULT_PROFILE)]);
  const flow = flows.find((each) => each.name === 'contactperson-contact');
  if (!flow) throw new Error('no such flow');
  const records = Array.from({ length: IN_MEMORY }, (_, i) => snapshot(i));
  const seen = records.map((record) => observationOf(flow, 'source', record));
  const began = performance.now();
  let unchanged = 0;
  for (const [i, record] of records.entries())
    if (news(seen[i], observationOf(flow, 'source', record)) === 'none') unchanged += 1;
  const memory = unchanged / ((performance.now() - began) / 1000);
  say(`compared ${unchanged} records in memory`);

  const store = await Store.connect(`${mongo}/compare`);
  await store.prepare(1);
  const known = records.slice(0, IN_STORE);
  const discover = (some: readonly Snapshot[]): Promise<void> =>
    store.discover(
      some.map((record) => newRecord(flow, record.id, observationOf(flow, 'source', record), 0)),
      { source: flow.source.type, target: flow.target.type },
    );
  // Other links than those that are compared, so that these stay unchanged.
  const written = records.slice(IN_STORE, IN_STORE + FEW);
  await discover(written);
  await storeTime(store, flow, written, 1);
  const few = await storeTime(store, flow, written, 2);
  await discover(known);
  const many = await storeTime(store, flow, written, 3);
  const refuse = (): Promise<never> => Promise.reject(new Error('an unchanged record woke a link'));
  const deps = {
    flows,
    store,
    links: { start: refuse, tell: refuse, tellVanished: refuse },
    time: realTime,
    log: pino({ level: 'silent' }),
  } as unknown as Deps;
  const parts: Part[] = [{ flow, side: 'source' }];
  const start = performance.now();
  for (let at = 0; at < IN_STORE; at += PAGE) await handlePage(deps, parts, known.slice(at, at + PAGE));
  const speed = IN_STORE / ((performance.now() - start) / 1000);
  await store.close();
  return { memory, store: speed, growth: many / few };
}
