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
import { instantKey } from '../flows/instant.ts';
import { readFlows } from '../flows/read.ts';

const IN_MEMORY = 100_000;
const IN_STORE = 5000;
const PAGE = 2000;

function snapshot(i: number): Snapshot {
  const instant = `2026-01-01T00:00:00.${String(i).padStart(7, '0')}Z`;
  return { id: `1/${i}`, version: instantKey(instant), instant, fields: { FirstName: `F${i}`, LastName: `L${i}` }, at: [0, 1] };
}

/** How many unchanged records a second a sweep compares: in the worker alone, and with the local store. */
export async function compareSpeed(mongo: string, say: (text: string) => void): Promise<{ memory: number; store: number }> {
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
  await store.discover(
    known.map((record) => newRecord(flow, record.id, observationOf(flow, 'source', record), 0)),
    { source: flow.source.type, target: flow.target.type },
  );
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
  return { memory, store: speed };
}
