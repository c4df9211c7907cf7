import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { forEachLimit } from '../activities/feed/forEachLimit.ts';
import { table } from '../client/cli/table.ts';
import type { PropertyRow, Section } from '../flows/dataflow/document.ts';
import { readDocument } from '../flows/dataflow/read.ts';
import { writeDocument } from '../flows/dataflow/write.ts';
import { compareSpeed, storeGrowth } from './compare.ts';
import { countActions, countCalls, median, mostInASecond, openTimers, quantile, spread, type Figure } from './figures.ts';
import {
  build,
  contactPersons,
  install,
  mixed,
  started,
  startFloor,
  startStack,
  until,
  type Floor,
  type Installation,
  type Stack,
} from './stack.ts';

const USAGE = `npm run bench [-- --records N] [-- --full] [-- --json FILE]

Measures what Tandem costs, on a local stack of its own: time against a bare floor taken in turns in the same run, API
calls, Temporal events and actions, delay, throughput. Ends with a table; the exit code is 1 where a target is missed,
2 for bad input. Takes about 8 minutes on two cores.

  --records N   pairs of the first sync (300)
  --full        also first syncs of 5,000, 10,000 and 50,000 pairs, and the worker's memory after each; an hour or more
  --json FILE   writes [{ name, value, unit, target, met }]`;

/** So many at once in the burst. */
const EDITS = 500;

const figures: Figure[] = [];
const say = (text: string): void => console.log(`  ${text}`);
function note({
  name,
  value,
  unit,
  target,
  met,
}: {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target: string;
  readonly met: boolean;
}): void {
  figures.push({ name, value: Math.round(value * 1000) / 1000, unit, target, met });
  say(`${met ? '✓' : '✗'} ${name}: ${Math.round(value * 100) / 100} ${unit} (${target})`);
}
const posts = ({ world }: Installation): number[] =>
  world.crm.disturbance.calls.filter((call) => call.method === 'POST').map((call) => call.at);
const crmWrites = ({ world }: Installation): number[] =>
  world.crm.disturbance.calls.filter((call) => call.method !== 'GET').map((call) => call.at);

async function firstSync(stack: Stack, records: number): Promise<{ ms: number; installation: Installation }> {
  const installation = await install(stack, mixed(records));
  await until({ what: 'the first sync', test: () => posts(installation).length >= installation.pairs });
  const end = Math.max(...posts(installation));
  let start = end;
  await until({
    what: 'the visibility of all links',
    test: async () => (await installation.client.workflow.count("WorkflowType = 'link'")).count >= installation.pairs,
  });
  for await (const run of installation.client.workflow.list({ query: "WorkflowType = 'link'" }))
    start = Math.min(start, run.startTime.getTime());
  return { ms: end - start, installation };
}

async function bareSync(floor: Floor, records: number, round: number): Promise<number> {
  const start = Date.now();
  const ids = Array.from({ length: records }, (_, i) => `bare-${round}-${i}`);
  await forEachLimit(
    ids,
    async (workflowId) => void (await floor.client.workflow.start('bare', { workflowId, taskQueue: 'floor' })),
  );
  return (await floor.ran(records)) - start;
}

async function measureFirstSync(stack: Stack, records: number, rounds: number): Promise<Installation> {
  const floor = await startFloor();
  const [ours, bare]: [number[], number[]] = [[], []];
  let last: Installation | null = null;
  for (let round = 0; round < rounds; round++) {
    bare.push(await bareSync(floor, records, round));
    await last?.close();
    const { ms, installation } = await firstSync(stack, records);
    ours.push(ms);
    last = installation;
    say(`round ${round + 1} of ${rounds}: floor ${bare.at(-1)} ms, first sync ${ms} ms`);
  }
  await floor.close();
  const ratio = median(ours.map((ms, i) => ms / (bare[i] ?? 1)));
  note({
    name: `first sync of ${records}, against the floor (spread ±${spread(ours).toFixed(0)} %)`,
    value: ratio,
    unit: 'times',
    target: 'at most 1.3',
    met: ratio <= 1.3,
  });
  if (!last) throw new Error('no round was run');
  return last;
}

async function measureCalls(installation: Installation): Promise<void> {
  const { world, pairs } = installation;
  const crm = countCalls(world.crm.disturbance.calls);
  const powerOffice = countCalls(world.powerOffice.disturbance.calls);
  note({
    name: 'creating calls a record in the first sync',
    value: crm.writes / pairs,
    unit: 'calls',
    target: 'exactly 1',
    met: crm.writes === pairs,
  });
  note({
    name: 'calls in the first sync beside creates, lists, token and checks',
    value: crm.reads + powerOffice.reads + powerOffice.writes,
    unit: 'calls',
    target: '0',
    met: crm.reads + powerOffice.reads + powerOffice.writes === 0,
  });
}

async function measureChange(installation: Installation, changes: number): Promise<void> {
  const { world, store, client } = installation;
  const links = await store.links.list({ flow: 'contactperson-contact' }, { limit: changes });
  const history = async (n: number) =>
    (await client.workflow.getHandle(`link:contactperson-contact:${links[n]?.sourceId}`).fetchHistory()).events ?? [];
  const before = {
    writes: crmWrites(installation).length,
    reads: countCalls(world.crm.disturbance.calls).reads + countCalls(world.powerOffice.disturbance.calls).reads,
  };
  // A poll may fall between a write and its record in the store, and cost that link a signal: the median counts.
  const sampled = links.slice(0, 9).map((_, n) => n);
  const was = await Promise.all(sampled.map(async (n) => (await history(n)).length));
  const delays: number[] = [];
  for (const [i, link] of links.entries()) {
    const [written, at] = [crmWrites(installation).length, Date.now()];
    world.powerOffice.desk.edit('ContactPerson', link.sourceId, { FirstName: `Bench${i}` });
    await until({ what: 'the change', test: () => crmWrites(installation).length > written });
    const arrived = crmWrites(installation).at(-1) ?? 0;
    // The wait for the poll aside: from the list that could show it first.
    const looked =
      world.powerOffice.disturbance.calls.find((call) => call.at >= at && call.path.endsWith('/ContactPersons'))?.at ?? at;
    delays.push(arrived - looked);
    await sleep(20);
  }
  await sleep(1500);
  const calls = crmWrites(installation).length - before.writes;
  const reads =
    countCalls(world.crm.disturbance.calls).reads + countCalls(world.powerOffice.disturbance.calls).reads - before.reads;
  note({
    name: 'API calls for a change, feed pages aside',
    value: (calls + reads) / links.length,
    unit: 'calls',
    target: 'exactly 1',
    met: calls + reads === links.length,
  });
  const changed = await Promise.all(sampled.map(async (n) => (await history(n)).slice(was[n])));
  const events = median(changed.map((each) => each.length));
  const actions = median(changed.map(countActions));
  note({ name: 'history events for a change', value: events, unit: 'events', target: 'at most 11', met: events <= 11 });
  note({ name: 'billable actions for a change', value: actions, unit: 'actions', target: '2', met: actions === 2 });
  note({
    name: 'delay of a change, poll aside, median',
    value: median(delays),
    unit: 'ms',
    target: 'under 150',
    met: median(delays) < 150,
  });
  note({
    name: 'delay of a change, poll aside, 99th',
    value: quantile(delays, 0.99),
    unit: 'ms',
    target: 'under 1000',
    met: quantile(delays, 0.99) < 1000,
  });

  const lengths = async (): Promise<number> =>
    (await Promise.all(links.slice(0, 20).map(async (_, i) => (await history(i)).length))).reduce((a, b) => a + b, 0);
  const quiet = { events: await lengths(), writes: crmWrites(installation).length };
  const idle = (await Promise.all(links.slice(0, 20).map(async (_, i) => openTimers(await history(i))))).reduce(
    (a, b) => a + b,
    0,
  );
  note({
    name: 'timers that run in 20 idle pairs (without one, no event comes by itself)',
    value: idle,
    unit: 'timers',
    target: '0',
    met: idle === 0,
  });
  for (const link of links.slice(0, 20)) {
    world.powerOffice.desk.edit('ContactPerson', link.sourceId, { Title: 'Umappet' });
    world.crm.desk.edit('Contact', link.targetId ?? '', { notes: 'unmapped' });
  }
  await sleep(3000);
  note({
    name: 'events after an echo and 40 unmapped edits',
    value: (await lengths()) - quiet.events,
    unit: 'events',
    target: '0',
    met: (await lengths()) === quiet.events,
  });
  note({
    name: 'calls after an echo and 40 unmapped edits, lists aside',
    value: crmWrites(installation).length - quiet.writes,
    unit: 'calls',
    target: '0',
    met: crmWrites(installation).length === quiet.writes,
  });
}

/** Edits of `EDITS` records at once, against as many signals of one activity; both have run once before it counts. */
async function measureBurst(stack: Stack, rounds: number): Promise<void> {
  const installation = await install(stack, contactPersons(EDITS), { TANDEM_POLL_SECONDS: '2' });
  const { world, store } = installation;
  await until({ what: 'the first sync', test: () => posts(installation).length >= EDITS });
  const floor = await startFloor();
  const ids = Array.from({ length: EDITS }, (_, i) => `poked-${i}`);
  await forEachLimit(
    ids,
    async (workflowId) => void (await floor.client.workflow.start('poked', { workflowId, taskQueue: 'floor' })),
  );
  const links = await store.links.list();
  const ratios: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    await sleep(2000);
    const start = Date.now();
    await forEachLimit(ids, (id) => floor.client.workflow.getHandle(id).signal('poke'));
    const bare = (await floor.ran(EDITS)) - start;
    await sleep(2000);
    const written = crmWrites(installation).length;
    const began = Date.now();
    for (const link of links) world.powerOffice.desk.edit('ContactPerson', link.sourceId, { FirstName: `Burst${round}` });
    await until({ what: 'all edits', test: () => crmWrites(installation).length >= written + EDITS });
    const looked =
      world.powerOffice.disturbance.calls.find((call) => call.at >= began && call.path.endsWith('/ContactPersons'))?.at ?? began;
    const ours = Math.max(...crmWrites(installation)) - looked;
    if (round > 0) ratios.push(ours / bare);
    say(`${round > 0 ? `round ${round} of ${rounds}` : 'to warm up'}: floor ${bare} ms, ${EDITS} edits ${ours} ms`);
  }
  await floor.close();
  await installation.close();
  note({
    name: `${EDITS} edits at once, against as many bare signals (spread ±${spread(ratios).toFixed(0)} %)`,
    value: median(ratios),
    unit: 'times',
    target: 'within 1.3',
    met: median(ratios) <= 1.3,
  });
}

async function measureThroughput(installation: Installation, edits: number): Promise<void> {
  const { world, store } = installation;
  await installation.restart(2, { POWEROFFICE_REQUESTS_PER_SECOND: '10', TANDEM_POLL_SECONDS: '3' });
  await until({
    what: 'two workers',
    test: () => installation.workers.every((worker) => worker.lines.some((line) => line.includes('the worker runs'))),
  });
  await sleep(6000);
  const links = await store.links.list({ flow: 'contactperson-contact' }, { limit: edits });
  for (const link of links) world.crm.desk.edit('Contact', link.targetId ?? '', { familyName: 'Gjennom' });
  const calls = (): { at: number; method: string }[] =>
    world.powerOffice.disturbance.calls.filter((call) => call.path.startsWith('/v2'));
  const already = calls().filter((call) => call.method === 'PATCH').length;
  await until({
    what: 'all writes',
    test: () => calls().filter((call) => call.method === 'PATCH').length >= already + links.length,
  });
  const patches = calls()
    .filter((call) => call.method === 'PATCH')
    .slice(already)
    .map((call) => call.at);
  const [from, to] = [Math.min(...patches), Math.max(...patches)];
  const inside = calls()
    .filter((call) => call.at >= from && call.at <= to)
    .map((call) => call.at);
  const seconds = (to - from) / 1000;
  note({
    name: 'calls used a second towards PowerOffice, limit 10, two workers',
    value: (inside.length - 1) / seconds,
    unit: 'calls/s',
    target: 'at least 9',
    met: (inside.length - 1) / seconds >= 9,
  });
  note({
    name: 'changes among them',
    value: (patches.length - 1) / seconds,
    unit: 'changes/s',
    target: 'at least 8.5',
    met: (patches.length - 1) / seconds >= 8.5,
  });
  note({
    name: 'most calls in any second',
    value: mostInASecond(calls().map((call) => call.at)),
    unit: 'calls',
    target: 'never 11',
    met: mostInASecond(calls().map((call) => call.at)) <= 10,
  });
}

/** A dataflow document of 2,600 lines, as long as they come. */
function measureReading(): void {
  const row = (i: number): PropertyRow => ({ source: `Property${i}`, target: `property.of.${i}`, type: '"string"', when: [] });
  const sections = Array.from({ length: 25 }, (_, n): Section => ({
    line: 0,
    from: `PowerOffice Go Type${n}`,
    to: `CRM Type${n}`,
    relation: 'merge-or-create',
    match: [['Code', 'code']],
    condition: null,
    connected: null,
    properties: Array.from({ length: 24 }, (_row, i) => row(i)),
  }));
  const text = writeDocument({ source: 'PowerOffice Go', target: 'CRM', generated: '2026-01-01 00:00:00', sections });
  const lines = text.split('\n').length;
  const times = Array.from({ length: 9 }, () => {
    const began = performance.now();
    readDocument(text, 'bench.rst');
    return performance.now() - began;
  });
  note({
    name: `reading a dataflow document of ${lines} lines, the first time`,
    value: times[0] ?? 0,
    unit: 'ms',
    target: 'under 100',
    met: (times[0] ?? 0) < 100,
  });
}

/** The local stack as `npm start` brings it up, with data of its own; until its first link. */
async function measureStart(): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'tandem-start-'));
  const began = Date.now();
  const child = started(
    spawn(process.execPath, ['--import', 'tsx/esm', fileURLToPath(new URL('../stack/start.ts', import.meta.url))], {
      env: { ...process.env, TANDEM_DATA: data, CI: '1' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
  let seconds = Number.NaN;
  child.stdout.on('data', (text: Buffer) => {
    // Where there is no terminal a line comes with each quarter, so this is the first thirty links.
    if (Number.isNaN(seconds) && /first sync: [1-9]/.test(text.toString())) seconds = (Date.now() - began) / 1000;
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await until({ what: 'the first links', test: () => !Number.isNaN(seconds) || child.exitCode !== null, withinMs: 120_000 });
  child.kill('SIGTERM');
  await ended;
  rmSync(data, { recursive: true, force: true });
  note({
    name: 'start of the local stack, warm cache, to the first thirty links',
    value: seconds,
    unit: 's',
    target: 'under 10',
    met: seconds < 10,
  });
}

function noteIdle(): void {
  const [feeds, takeover, poll] = [5, 60, 30];
  // The SDK sends a heartbeat at 0.8 of the time-out; a turn of a day is one activity and a new run.
  const actions = feeds * (86_400 / (0.8 * takeover) + 2);
  note({
    name: 'idle installation: Temporal actions a day (heartbeat time-out 60 s: takeover within 60 s)',
    value: actions,
    unit: 'actions',
    target: 'below 10,000',
    met: actions < 10_000,
  });
  note({
    name: 'idle installation: list calls a day (poll 30 s, ids hourly, one sweep)',
    value: feeds * (86_400 / poll + 24 + 1),
    unit: 'calls',
    target: 'stated',
    met: true,
  });
}

/** A first sync of very many pairs, and what the worker holds afterwards. */
async function measureLarge(many: number): Promise<void> {
  const stack = await startStack(say, true);
  try {
    const installation = await install(stack, mixed(many), { TANDEM_POLL_SECONDS: '30' });
    const rss = (): number =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${installation.workers[0]?.child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
    const began = Date.now();
    let said = 0;
    const done = (): boolean => {
      const made = posts(installation).length;
      if (made >= said + many / 10) say(`${(said = made)} of ${many} pairs after ${Math.round((Date.now() - began) / 1000)} s`);
      return made >= installation.pairs;
    };
    await until({ what: `the first sync of ${many}`, test: done, withinMs: Number.POSITIVE_INFINITY, everyMs: 1000 });
    const at = posts(installation);
    await sleep(15_000);
    note({
      name: `first sync of ${many}`,
      value: many / ((Math.max(...at) - Math.min(...at)) / 1000),
      unit: 'pairs/s',
      target: 'stated',
      met: true,
    });
    note({ name: `worker memory with ${many} open pairs`, value: rss(), unit: 'MB', target: 'under 350', met: rss() < 350 });
    await installation.close();
  } finally {
    await stack.stop();
  }
}

/** The command line's options; a text says what is wrong with them. */
function read(): { records: number; full: boolean; json: string | undefined } | string {
  try {
    const { values } = parseArgs({
      options: {
        records: { type: 'string', default: '300' },
        full: { type: 'boolean', default: false },
        json: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    if (values.help) return 'help';
    const records = Number(values.records);
    if (!Number.isInteger(records) || records < 40) return '--records must be a whole number of 40 or more';
    return { records, full: values.full, json: values.json };
  } catch (error) {
    return (error as Error).message;
  }
}

async function main(): Promise<void> {
  const options = read();
  if (options === 'help') return console.log(USAGE);
  if (typeof options === 'string') {
    console.error(`bench: ${options}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  const { records, full, json } = options;
  say('compiling');
  await build();
  const stack = await startStack(say);
  try {
    const installation = await measureFirstSync(stack, records, 3);
    await measureCalls(installation);
    await measureChange(installation, Math.min(60, Math.floor(records / 3)));
    await measureThroughput(installation, Math.min(120, Math.floor(records / 2)));
    await installation.close();
    await measureBurst(stack, 3);
    const { memory, store } = await compareSpeed(stack.mongo, say);
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
    const growth = await storeGrowth(stack.mongo);
    note({
      name: 'what the same links cost the local store, with ten times as many links in it',
      value: growth,
      unit: 'times',
      target: 'at most 1.5',
      met: growth <= 1.5,
    });
    measureReading();
    noteIdle();
    await measureStart();
  } finally {
    await stack.stop();
  }
  if (full) for (const many of [5000, 10_000, 50_000]) await measureLarge(many);
  console.log(
    `\n${table(
      ['figure', 'value', 'unit', 'target', 'met'],
      figures.map((each) => [each.name, String(each.value), each.unit, each.target, each.met ? 'yes' : 'NO']),
    )}`,
  );
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`);
  if (figures.some((each) => !each.met)) process.exitCode = 1;
}

await main();
process.exit();
