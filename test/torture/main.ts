import { parseArgs } from 'node:util';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BREAKS, canShow, type Break } from './breaks.ts';
import { runSchedule } from './run.ts';
import { scheduleOf, type Schedule } from './schedule.ts';
import { story } from './story.ts';

const USAGE = `npm run torture [-- --schedules N] [--seed N] [--break NAME]

Runs the core and the activities under seeded schedules: two model systems with lag, lost answers, repeated pages,
crashes between any two steps, concurrent people and skewed clocks. A failure is shrunk and told as a story.

  --schedules N   how many (2000)
  --seed N        the first seed (1); with --schedules 1 a story is replayed
  --break NAME    a deliberate break that must be caught: ${Object.keys(BREAKS).join(', ')}
  --mutations     tries every break and prints the table
  --json          print JSON`;

/** The smallest schedule that still breaks the same promise: acts are left out one by one. */
export async function shrink(schedule: Schedule, broken: readonly Break[]): Promise<Schedule> {
  const promise = (await runSchedule(schedule, broken))[0]?.split(':')[0];
  let smallest = schedule;
  for (let again = true; again;) {
    again = false;
    const calmer: Schedule[] = [
      { ...smallest, crashes: 0 },
      { ...smallest, faults: 0 },
      ...smallest.acts.map((_, i) => ({ ...smallest, acts: smallest.acts.filter((__, j) => j !== i) })),
    ];
    for (const candidate of calmer) {
      if (JSON.stringify(candidate) === JSON.stringify(smallest)) continue;
      const now = await runSchedule(candidate, broken);
      if (now[0]?.split(':')[0] !== promise) continue;
      smallest = candidate;
      again = true;
      break;
    }
  }
  return smallest;
}

/** A seed whose schedule broke promises, and which. */
interface Failure {
  readonly seed: number;
  readonly promises: string[];
}

interface Seeds {
  readonly first?: number;
  readonly count: number;
  readonly broken?: readonly Break[];
  /** So many failures are enough. */
  readonly most?: number;
}

/** So many seeds are looked at for one schedule that can show a break. */
const MOST_PASSED_OVER = 100;

/** Runs seeds in order, those apart that cannot show a break; gives those that broke a promise. */
export async function runSeeds({ first = 1, count, broken = [], most = Number.POSITIVE_INFINITY }: Seeds): Promise<Failure[]> {
  const failures: Failure[] = [];
  let tried = 0;
  for (let seed = first; tried < count && seed < first + count * MOST_PASSED_OVER && failures.length < most; seed++) {
    const schedule = scheduleOf(seed);
    if (!broken.every((name) => canShow(name, schedule))) continue;
    tried += 1;
    const promises = await runSchedule(schedule, broken);
    if (promises.length > 0) failures.push({ seed, promises });
  }
  return failures;
}

const SHARE = 'TANDEM_TORTURE_SHARE';

interface Share {
  readonly first: number;
  readonly count: number;
  readonly broken: readonly Break[];
}

const PROGRESS_MS = 60_000;

/** Tells how far a run is: at a terminal at once, else each minute; each seed that broke a promise as soon as it is known. */
function progressOf(count: number, aloud: boolean): (more: number, broke: readonly Failure[]) => void {
  let done = 0;
  let said = Date.now();
  return (more, broke) => {
    done += more;
    if (!aloud) return;
    const start = process.stdout.isTTY ? '\r' : '';
    for (const { seed, promises } of broke) console.log(`${start}  seed ${seed}: ${promises[0]}`);
    if (process.stdout.isTTY) process.stdout.write(`\r  ${done} of ${count} schedules`);
    else if (Date.now() - said > PROGRESS_MS) {
      said = Date.now();
      console.log(`  ${done} of ${count} schedules`);
    }
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      schedules: { type: 'string', default: '2000' },
      seed: { type: 'string', default: '1' },
      break: { type: 'string' },
      mutations: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(USAGE);
  const [count, first] = [Number(values.schedules), Number(values.seed)];
  if (
    !Number.isInteger(count) ||
    count < 1 ||
    !Number.isInteger(first) ||
    (values.break !== undefined && !(values.break in BREAKS))
  ) {
    console.error(`torture: bad input\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  const began = Date.now();
  if (values.mutations) {
    const rows = [];
    for (const name of Object.keys(BREAKS) as Break[]) {
      const [caught] = await runSeeds({ first, count, broken: [name], most: 1 });
      rows.push({
        break: name,
        ...BREAKS[name],
        needs: undefined,
        caughtBySeed: caught?.seed ?? null,
        as: caught?.promises[0] ?? null,
      });
      if (!values.json)
        console.log(
          `${caught ? '✓' : '✗'} ${name}: ${BREAKS[name].promise}: ${BREAKS[name].what}; ${caught ? `caught by seed ${caught.seed}: ${caught.promises[0]}` : `not caught in ${count} schedules`}`,
        );
      if (!caught) process.exitCode = 1;
    }
    if (values.json) console.log(JSON.stringify(rows, null, 2));
    return;
  }
  const broken = values.break === undefined ? [] : [values.break as Break];
  // Which seeds a break passes over is not known before.
  const lanes = broken.length > 0 ? 1 : Math.min(2, count);
  const tell = progressOf(count, values.json !== true);
  const failures = (
    await Promise.all(
      Array.from({ length: lanes }, (_, lane) => {
        const share: Share = {
          first: first + Math.floor((lane * count) / lanes),
          count: Math.floor(((lane + 1) * count) / lanes) - Math.floor((lane * count) / lanes),
          broken,
        };
        return new Promise<Failure[]>((resolve, reject) => {
          const worker = fork(fileURLToPath(import.meta.url), [], {
            execArgv: ['--import', 'tsx/esm'],
            env: { ...process.env, [SHARE]: JSON.stringify(share) },
          });
          worker.on('message', (message: { done?: number; broke?: readonly Failure[]; failures?: Failure[] }) => {
            if (message.failures) return resolve(message.failures);
            tell(message.done ?? 0, message.broke ?? []);
          });
          worker.on('error', reject);
        });
      }),
    )
  ).flat();
  const seconds = (Date.now() - began) / 1000;
  if (values.json) console.log(JSON.stringify({ schedules: count, firstSeed: first, seconds, failures }, null, 2));
  else
    console.log(
      `${process.stdout.isTTY ? '\r' : ''}  ${count} schedules in ${seconds.toFixed(1)} s, ${failures.length} broke a promise`,
    );
  const [worst] = failures;
  if (!worst) return;
  process.exitCode = 1;
  if (values.json) return;
  const smallest = await shrink(scheduleOf(worst.seed), broken);
  console.log(
    `\nThe smallest schedule that still breaks it:\n\n${story(smallest)}\n\n${(await runSchedule(smallest, broken)).join('\n')}\n\nReplay: npm run torture -- --schedules 1 --seed ${worst.seed}`,
  );
}

async function runLane({ first, count, broken }: Share): Promise<void> {
  const failures: Failure[] = [];
  // Of a break some seeds are passed over: the next step would try again what the one before has tried.
  const step = broken.length > 0 ? count : 20;
  for (let at = 0; at < count; at += step) {
    const broke = await runSeeds({ first: first + at, count: Math.min(step, count - at), broken });
    failures.push(...broke);
    process.send?.({ done: Math.min(step, count - at), broke });
  }
  process.send?.({ failures });
}

const share = process.env[SHARE];
if (share !== undefined) await runLane(JSON.parse(share) as Share);
else if (process.argv[1]?.endsWith('torture/main.ts')) await main();
