import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { installationNamed } from '../../flows/installation.ts';
import { SPECIFICATION } from '../../flows/specification.ts';
import { hasEnded } from '../../stack/process.ts';
import { Store } from '../../store/store.ts';
import { STATUSES } from '../../workflows/core/state.ts';
import { compiledProgram } from '../support/program.ts';
import type { World } from '../support/world.ts';
import { runTandem, type Run } from '../support/worker.ts';
import type { Random } from '../torture/sim.ts';

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
/** What Node is given to run a worker; compiled, as it is started often. */
const PROGRAMS = {
  now: () => [compiledProgram(), 'worker'],
  last: () => [fileOf('./lastVersion.mjs')],
};

/** The flow that people edit. */
const PEOPLE = 'contactperson-contact';

/** What a worker says, whose clock can jump. */
const LISTENS = 'its clock can jump';
/** Of what a worker said, so much tells where it stands. */
const LAST_LINES = 12;

/** Of lost edits, so many are told in full. */
const TOLD_IN_FULL = 5;

/** What people last put into a record, and when they last put something in. */
interface Wanted {
  readonly first?: string;
  readonly last?: string;
  readonly at: string;
}
const now = (): string => new Date().toISOString();

/** How a worker ended; null while it is at work. */
const endOf = ({ child }: Run): number | NodeJS.Signals | null => child.exitCode ?? child.signalCode;

/** An installation under attack: its systems, its workers, and the people who edit both sides. */
export class Place {
  readonly world: World;
  readonly workers: { run: Run; version: keyof typeof PROGRAMS; isAhead: boolean }[] = [];
  readonly #name: string;
  readonly #uri: string;
  readonly #env: Record<string, string>;
  readonly #wanted = new Map<string, Wanted>();
  readonly #others: number;
  edits = 0;
  created = 0;

  /** `others`: pairs of the other flows. */
  constructor(place: { name: string; world: World; uri: string; env: Record<string, string>; others: number }) {
    this.#name = place.name;
    this.world = place.world;
    this.#uri = place.uri;
    this.#env = place.env;
    this.#others = place.others;
  }

  start(at: number, version: keyof typeof PROGRAMS): void {
    this.workers[at] = {
      run: runTandem([], this.#env, ['--import', fileOf('./jumpingClock.mjs'), ...PROGRAMS[version]()]),
      version,
      isAhead: false,
    };
  }

  /** Exchanges a worker as an upgrade does: the old one is asked to stop. */
  async upgrade(at: number): Promise<void> {
    await this.workers[at]?.run.stop('SIGTERM');
    this.start(at, 'now');
  }

  async kill(at: number): Promise<void> {
    const worker = this.workers[at];
    await worker?.run.stop('SIGKILL');
    this.start(at, worker?.version ?? 'now');
  }

  /** Lets a worker's clock jump, once it listens: before, the signal would end it. */
  async jump(at: number): Promise<void> {
    const worker = this.workers[at];
    if (!worker) return;
    const { run } = worker;
    while (!run.lines.includes(LISTENS) && !hasEnded(run.child)) await sleep(50);
    run.child.kill('SIGUSR2');
    worker.isAhead = !worker.isAhead;
  }

  /** Sets clocks that have jumped. */
  async setClocks(): Promise<void> {
    for (const [at, { isAhead }] of this.workers.entries()) if (isAhead) await this.jump(at);
  }

  /** Starts workers again that have ended by themselves, as whatever runs them in earnest would; gives their last words. */
  revive(): string[] {
    return this.workers.flatMap(({ run, version }, at) => {
      if (!hasEnded(run.child)) return [];
      this.start(at, version);
      return [`${this.#name}, ${endOf(run)}: ${run.lines.at(-1) ?? ''}`];
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.workers.map(({ run }) => run.stop('SIGKILL')));
    await this.world.close();
  }

  get #people() {
    return this.world.powerOffice.desk.types['ContactPerson'];
  }
  get #contacts() {
    return this.world.crm.desk.types['Contact'];
  }

  #contactOf(id: string) {
    const flow = SPECIFICATION.flows.find(({ name }) => name === PEOPLE);
    if (!flow) throw new Error(`the specification has no ${PEOPLE}`);
    const externalId = installationNamed(this.#name).externalId(flow, id);
    return this.#contacts?.rows().find((row) => row['externalId'] === externalId);
  }

  /** People edit first names in PowerOffice and family names in the CRM; now and then somebody new comes. */
  edit(random: Random): void {
    if (random.chance(0.1)) {
      const row = this.world.powerOffice.desk.create('ContactPerson', {
        ContactId: 900,
        FirstName: `Ny${this.created}`,
        LastName: 'Kaos',
      });
      this.#wanted.set(`900/${String(row['Id'])}`, { first: `Ny${this.created}`, at: now() });
      this.created += 1;
      return;
    }
    const row = random.pick(this.#people?.rows() ?? []);
    const id = `${String(row['ContactId'])}/${String(row['Id'])}`;
    const other = this.#contactOf(id);
    this.edits += 1;
    if (random.chance(0.5) || !other) {
      this.world.powerOffice.desk.edit('ContactPerson', id, { FirstName: `Fornavn${this.edits}` });
      this.#wanted.set(id, { ...this.#wanted.get(id), first: `Fornavn${this.edits}`, at: now() });
    } else {
      this.world.crm.desk.edit('Contact', String(other['id']), { familyName: `Etternavn${this.edits}` });
      this.#wanted.set(id, { ...this.#wanted.get(id), last: `Etternavn${this.edits}`, at: now() });
    }
  }

  /** Ids of people whose last edits do not stand on both sides. */
  lost(): string[] {
    return [...this.#wanted].flatMap(([id, { first, last }]) => {
      const [row, other] = [this.#people?.get(id), this.#contactOf(id)];
      const right =
        (first === undefined || (row?.['FirstName'] === first && other?.['givenName'] === first)) &&
        (last === undefined || (row?.['LastName'] === last && other?.['familyName'] === last));
      return right ? [] : [id];
    });
  }

  doubled(): number {
    const ids = this.#contacts?.rows().map((row) => row['externalId']) ?? [];
    return ids.length - new Set(ids).size;
  }

  /** Pairs that are not in step. */
  stuck(): Promise<number> {
    return this.#look(async ({ links }) => this.#pairs - (await links.count({ status: 'in-step' })));
  }

  /** What a person would look at first where pairs are stuck: the links by their status, and the last words of each worker. */
  async describe(): Promise<string> {
    const counts = await this.#look(({ links }) =>
      Promise.all(STATUSES.map(async (status) => `${status} ${await links.count({ status })}`)),
    );
    const workers = this.workers.map(({ run, version }, at) => {
      return `worker ${at} (${version}, ${endOf(run) ?? 'at work'}):\n    ${run.lines.slice(-LAST_LINES).join('\n    ')}`;
    });
    return [`${this.#name}: ${this.#pairs} pairs: ${counts.join(', ')}; lost ${this.lost().join(' ')}`, ...workers].join('\n  ');
  }

  /** What each side and the link have of edits that are lost; their workflows' histories go to files in `folder`. */
  async describeLost(folder: string): Promise<string[]> {
    const connection = await Connection.connect({ address: this.#env['TEMPORAL_ADDRESS'] ?? '' });
    const { workflow } = new Client({ connection });
    const told: string[] = [];
    for (const id of this.lost().slice(0, TOLD_IN_FULL)) {
      const file = join(folder, `${this.#name}-${id.replace('/', '-')}.json`);
      const { events } = await workflow.getHandle(installationNamed(this.#name).linkWorkflowId(PEOPLE, id)).fetchHistory();
      writeFileSync(file, JSON.stringify(events, null, 1));
      const shown = runTandem(['show', PEOPLE, id], this.#env);
      await shown.ended;
      const [wanted, source, target] = [this.#wanted.get(id), this.#people?.get(id), this.#contactOf(id)];
      const { powerOffice, crm } = this.world;
      const keys = [id.split('/').at(-1), String(target?.['id']), String(target?.['externalId'])];
      const calls = [powerOffice, crm].flatMap(({ disturbance }) =>
        disturbance.calls.filter((call) => keys.some((key) => call.path.endsWith(`/${key}`))).slice(-LAST_LINES),
      );
      told.push(
        `${this.#name} ${id}: wanted ${JSON.stringify(wanted)}`,
        `source ${JSON.stringify(source)}`,
        `target ${JSON.stringify(target)}`,
        ...shown.lines,
        ...calls.map((call) => JSON.stringify(call)),
        `its workflow's history: ${file}`,
      );
    }
    await connection.close();
    return told;
  }

  get #pairs(): number {
    return (this.#people?.size ?? 0) + this.#others;
  }

  async #look<T>(at: (store: Store) => Promise<T>): Promise<T> {
    const store = await Store.connect(this.#uri);
    try {
      return await at(store);
    } finally {
      await store.close();
    }
  }
}
