import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort } from '../../stack/process.ts';
import { logIn, startMongo, startTemporal } from '../../stack/servers.ts';
import { table } from '../../client/cli/table.ts';
import { compiledProgram } from '../support/program.ts';
import { makeWorld, workerEnv } from '../support/world.ts';
import { lastVersionBundle } from '../histories/replay.ts';
import { Random } from '../torture/sim.ts';
import { disturb, type Servers } from './faults.ts';
import { Place } from './place.ts';

const USAGE = `npm run chaos [-- --minutes N] [-- --seed N]

The real thing under attack: two installations on the same real servers, several workers, a rolling upgrade from the last
version, SIGKILLs of workers, of Temporal and of MongoDB, failures of the store, clocks that jump and faults of both systems,
while people edit both sides. Ends with a table: faults injected, edits made, lost, doubled, stuck.

  --minutes N   how long people edit and things break (2)
  --seed N      what breaks when (1)
  --json        print JSON`;

const SETTLE_MS = 180_000;

/** What was done, and what came of it. */
export interface Toll {
  readonly faults: Readonly<Record<string, number>>;
  readonly edits: number;
  readonly created: number;
  readonly lost: number;
  readonly doubled: number;
  readonly stuck: number;
}

/** Both servers, on ports and in a folder that outlive them. */
async function startServers(folder: string, say: (text: string) => void): Promise<Servers> {
  const ports = { temporal: await freePort(), ui: await freePort(), mongo: await freePort() };
  const file = join(folder, 'temporal.db');
  const restart = {
    temporal: () => startTemporal({ port: ports.temporal, uiPort: ports.ui, file, log: logIn(folder, 'temporal'), say }),
    mongo: () =>
      startMongo({ port: ports.mongo, folder: join(folder, 'mongo'), log: logIn(folder, 'mongo'), say, failing: true }),
  };
  return { temporal: await restart.temporal(), mongo: await restart.mongo(), restart };
}

/** Two installations on the same servers and on one subscription key. */
async function startPlaces(servers: Servers): Promise<Place[]> {
  const workflows = await lastVersionBundle();
  const size = { products: 5, contactPersons: 40, suppliers: 12, supplierPersons: 8 };
  return Promise.all(
    ['tandem', 'second'].map(async (name) => {
      const world = await makeWorld({
        size,
        powerOffice: { lagMs: 1000, clockOffsetMs: -150_000 },
        crm: { clockOffsetMs: 90_000 },
      });
      const uri = `${servers.mongo.address}/${name}`;
      const env = {
        ...workerEnv(world, uri),
        TEMPORAL_ADDRESS: servers.temporal.address,
        TANDEM_INSTALLATION: name,
        TANDEM_LIMITS_URI: `${servers.mongo.address}/limits`,
        CHAOS_PROGRAM: pathToFileURL(compiledProgram()).href,
        CHAOS_WORKFLOWS: workflows,
      };
      return new Place({ name, world, uri, env, others: size.products + size.supplierPersons });
    }),
  );
}

/**
 * Two installations under attack for `minutes`. The workers of the first begin with the workflows of the last version and
 * are exchanged one by one, meanwhile.
 */
export async function runChaos(minutes: number, seed: number, say: (text: string) => void): Promise<Toll> {
  const random = new Random(seed);
  const folder = mkdtempSync(join(tmpdir(), 'tandem-chaos-'));
  process.env['TANDEM_TEST_FOLDER'] ??= folder;
  const servers = await startServers(folder, say);
  const places = await startPlaces(servers);
  let kept = false;
  const faults: Record<string, number> = {};
  const count = (what: string): void => void (faults[what] = (faults[what] ?? 0) + 1);
  const sum = (of: (place: Place) => number): number => places.reduce((all, place) => all + of(place), 0);
  const stuck = async (): Promise<number> => (await Promise.all(places.map((place) => place.stuck()))).reduce((a, b) => a + b, 0);
  try {
    const revive = (): void => {
      for (const words of places.flatMap((place) => place.revive())) {
        count('a worker that ended by itself');
        say(`a worker ended: ${words}`);
      }
    };
    const [first, second] = places;
    const many = minutes < 1 ? 2 : 3;
    for (let at = 0; at < many; at++) first?.start(at, 'last');
    second?.start(0, 'now');
    const [began, until] = [Date.now(), Date.now() + minutes * 60_000];
    let next = began + 8000;
    while (Date.now() < until) {
      revive();
      for (const place of places) place.edit(random);
      // The upgrade is over when two thirds of the time are.
      const due = Math.floor((many * 1.5 * (Date.now() - began)) / (until - began));
      const old = first?.workers.findIndex(({ version }, at) => version === 'last' && at < due) ?? -1;
      if (old >= 0) {
        await first?.upgrade(old);
        count('a worker exchanged for one of this version');
      }
      if (Date.now() > next) {
        count(await disturb(random, { servers, places }));
        next = Date.now() + random.between(1000, 6000);
        say(
          `${Math.ceil((until - Date.now()) / 1000)} s left: ${sum(({ edits }) => edits)} edits, ${Object.values(faults).reduce((a, b) => a + b, 0)} faults`,
        );
      }
      await sleep(random.between(50, 500));
    }
    for (const { world } of places)
      for (const system of ['powerOffice', 'crm'] as const) world[system].disturbance.faults.length = 0;
    for (const place of places) await place.setClocks();
    say('nothing breaks any more; waiting for everything to settle');
    for (
      const end = Date.now() + SETTLE_MS;
      Date.now() < end && (sum((place) => place.lost().length) > 0 || (await stuck()) > 0);
    ) {
      revive();
      await sleep(500);
    }
    const toll = {
      faults,
      edits: sum((place) => place.edits),
      created: sum((place) => place.created),
      lost: sum((place) => place.lost().length),
      doubled: sum((place) => place.doubled()),
      stuck: await stuck(),
    };
    kept = toll.lost + toll.stuck > 0;
    if (kept)
      for (const place of places) for (const words of [await place.describe(), ...(await place.describeLost(folder))]) say(words);
    return toll;
  } finally {
    await Promise.all(places.map((place) => place.stop()));
    await Promise.all([servers.temporal.stop(), servers.mongo.stop()]);
    if (kept) say(`logs and databases are kept in ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1]?.endsWith('chaos/main.ts')) {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '2' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
  if (values.help) console.log(USAGE);
  else if (!(minutes > 0) || !Number.isInteger(seed)) {
    console.error(`chaos: bad input\n\n${USAGE}`);
    process.exitCode = 2;
  } else {
    const toll = await runChaos(minutes, seed, (text) => {
      if (!values.json) console.log(`  ${text}`);
    });
    const rows = [
      ...Object.entries(toll.faults).map(([what, n]) => [what, String(n)]),
      ...(['edits', 'created', 'lost', 'doubled', 'stuck'] as const).map((what) => [what, String(toll[what])]),
    ];
    console.log(values.json ? JSON.stringify(toll, null, 2) : `\n${table(['', 'number'], rows)}`);
    process.exitCode = toll.lost + toll.doubled + toll.stuck > 0 ? 1 : 0;
  }
  process.exit();
}
