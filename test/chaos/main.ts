import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Store } from '../../store/store.ts';
import { freePort } from '../../stack/process.ts';
import { logIn, startMongo, startTemporal, type Server } from '../../stack/servers.ts';
import { table } from '../../client/cli/table.ts';
import { makeWorld, workerEnv } from '../support/world.ts';
import { runTandem, type Run } from '../support/worker.ts';
import { Random } from '../torture/sim.ts';

const USAGE = `npm run chaos [-- --minutes N] [-- --seed N]

The real thing under attack: real servers, worker processes, SIGKILLs of workers, of Temporal and of MongoDB, and faults of
both systems, while people edit both sides. Ends with a table: faults injected, edits made, lost, doubled, stuck.

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

/** Runs the whole system under attack for `minutes`. People edit first names in PowerOffice and family names in the CRM. */
export async function runChaos(minutes: number, seed: number, say: (text: string) => void): Promise<Toll> {
  const random = new Random(seed);
  const folder = mkdtempSync(join(tmpdir(), 'tandem-chaos-'));
  const ports = { temporal: await freePort(), ui: await freePort(), mongo: await freePort() };
  const temporal = (): Promise<Server> =>
    startTemporal({
      port: ports.temporal,
      uiPort: ports.ui,
      file: join(folder, 'temporal.db'),
      log: logIn(folder, 'temporal'),
      say,
    });
  const mongo = (): Promise<Server> =>
    startMongo({ port: ports.mongo, folder: join(folder, 'mongo'), log: logIn(folder, 'mongo'), say });
  const servers = { temporal: await temporal(), mongo: await mongo() };
  const world = await makeWorld({
    size: { products: 5, contactPersons: 40, suppliers: 12, supplierPersons: 8 },
    powerOffice: { lagMs: 1000, clockOffsetMs: -150_000 },
    crm: { clockOffsetMs: 90_000 },
  });
  const uri = `mongodb://127.0.0.1:${ports.mongo}/chaos`;
  const env = { ...workerEnv({ ...world }, uri), TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}` };
  const workers: Run[] = [runTandem(['worker'], env), runTandem(['worker'], env)];
  const faults: Record<string, number> = {};
  const count = (what: string): void => void (faults[what] = (faults[what] ?? 0) + 1);
  const people = world.powerOffice.desk.types['ContactPerson'];
  const contacts = world.crm.desk.types['Contact'];
  const contactOf = (id: string) => contacts?.rows().find((row) => row['externalId'] === `poweroffice:ContactPerson:${id}`);
  const wanted = new Map<string, { first?: string; last?: string }>();
  let [edits, created] = [0, 0];

  async function disturb(): Promise<void> {
    const what = random.pick([
      'worker',
      'worker',
      'temporal',
      'mongo',
      'answers',
      'answers',
      'answers',
      'token',
      'throttle',
    ] as const);
    if (what === 'worker') {
      const at = random.int(workers.length);
      await workers[at]?.stop('SIGKILL');
      workers[at] = runTandem(['worker'], env);
      count('SIGKILL of a worker');
    } else if (what === 'temporal' || what === 'mongo') {
      servers[what].child.kill('SIGKILL');
      await sleep(500);
      servers[what] = await (what === 'temporal' ? temporal() : mongo());
      count(`SIGKILL of ${what === 'temporal' ? 'the Temporal server' : 'MongoDB'}`);
    } else if (what === 'token') {
      world.powerOffice.desk.set({ tokens: 'expire' });
      count('token expired');
    } else {
      const system = random.pick(['powerOffice', 'crm'] as const);
      const kind =
        what === 'throttle'
          ? 'status'
          : random.pick(['drop-before', 'drop-after', 'truncate', 'html', 'status', 'slow'] as const);
      world[system].disturbance.faults.push({
        kind,
        status: what === 'throttle' ? 429 : 503,
        retryAfter: 1,
        detail: 'chaos',
        delay: 2000,
        times: 1 + random.int(4),
        chance: 1,
      });
      count(what === 'throttle' ? '429 by somebody else' : `answers: ${kind}`);
    }
  }

  function edit(): void {
    const rows = people?.rows() ?? [];
    if (random.chance(0.1)) {
      const row = world.powerOffice.desk.create('ContactPerson', { ContactId: 900, FirstName: `Ny${created}`, LastName: 'Kaos' });
      wanted.set(`900/${String(row['Id'])}`, { first: `Ny${created}` });
      created += 1;
      return;
    }
    const row = random.pick(rows);
    const id = `${String(row['ContactId'])}/${String(row['Id'])}`;
    const other = contactOf(id);
    edits += 1;
    if (random.chance(0.5) || !other) {
      world.powerOffice.desk.edit('ContactPerson', id, { FirstName: `Fornavn${edits}` });
      wanted.set(id, { ...wanted.get(id), first: `Fornavn${edits}` });
    } else {
      world.crm.desk.edit('Contact', String(other['id']), { familyName: `Etternavn${edits}` });
      wanted.set(id, { ...wanted.get(id), last: `Etternavn${edits}` });
    }
  }

  const lost = (): string[] =>
    [...wanted].flatMap(([id, { first, last }]) => {
      const [row, other] = [people?.get(id), contactOf(id)];
      const right =
        (first === undefined || (row?.['FirstName'] === first && other?.['givenName'] === first)) &&
        (last === undefined || (row?.['LastName'] === last && other?.['familyName'] === last));
      return right ? [] : [id];
    });

  try {
    const until = Date.now() + minutes * 60_000;
    let next = Date.now() + 8000;
    while (Date.now() < until) {
      edit();
      if (Date.now() > next) {
        await disturb();
        next = Date.now() + random.between(1000, 6000);
        say(
          `${Math.ceil((until - Date.now()) / 1000)} s left: ${edits} edits, ${Object.values(faults).reduce((a, b) => a + b, 0)} faults`,
        );
      }
      await sleep(random.between(50, 500));
    }
    world.powerOffice.disturbance.faults.length = 0;
    world.crm.disturbance.faults.length = 0;
    say('nothing breaks any more; waiting for everything to settle');
    const store = await Store.connect(uri);
    const all = (people?.size ?? 0) + 5 + 8;
    const settled = (): Promise<number> => store.links.count({ status: 'in-step' });
    for (const end = Date.now() + SETTLE_MS; Date.now() < end && (lost().length > 0 || (await settled()) < all);)
      await sleep(500);
    const ids = contacts?.rows().map((row) => row['externalId']) ?? [];
    const toll = {
      faults,
      edits,
      created,
      lost: lost().length,
      doubled: ids.length - new Set(ids).size,
      stuck: all - (await settled()),
    };
    await store.close();
    return toll;
  } finally {
    await Promise.all(workers.map((worker) => worker.stop('SIGKILL')));
    await Promise.all([servers.temporal.stop(), servers.mongo.stop(), world.close()]);
    rmSync(folder, { recursive: true, force: true });
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
