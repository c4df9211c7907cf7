import { pino } from 'pino';
import type { Flow } from '../../flows/flow.ts';
import { DEFAULT_INSTALLATION, installationNamed } from '../../flows/installation.ts';
import { feedKey, linkKey } from '../../flows/names.ts';
import { SIDES } from '../../flows/side.ts';
import { Feed } from '../../activities/feed/feed.ts';
import type { Deps } from '../../activities/deps.ts';
import { rulesOf } from '../../activities/observation.ts';
import type { Attempt, Messenger } from '../../activities/ports.ts';
import { SystemError } from '../../connectors/systemError.ts';
import { stateOf } from '../../workflows/record.ts';
import { advance } from '../../workflows/core/lifecycle.ts';
import { applyOutcome, type Outcome } from '../../workflows/core/outcome.ts';
import { receive, type Message } from '../../workflows/core/receive.ts';
import { isBelievedGone } from '../../workflows/core/absence.ts';
import type { Absence, LinkState, Observation } from '../../workflows/core/state.ts';
import type { Break, Breaks } from './breaks.ts';
import { PROPERTIES, type LinkRun } from './aftermath.ts';
import { brokenPromises } from './promises.ts';
import { MemoryStore } from './memoryStore.ts';
import { ModelSystem } from './modelSystem.ts';
import { throughProcess, type Process } from './process.ts';
import { runStep, type Task } from './runStep.ts';
import { ACTIVE_MS, type Act, type Schedule } from './schedule.ts';
import { Random, Sim } from './sim.ts';

const TRACE = process.env['TRACE'] !== undefined;
const START = Date.UTC(2026, 0, 1);
const SETTLE_MS = 150_000;
const QUIET_MS = 40_000;
const POLL_SECONDS = 4;
const SILENT_MS = 10_000;
const LOG = pino({ level: 'silent' });
const FEEDS = [feedKey('powerOffice', 'Person'), feedKey('crm', 'Contact')];

/** Runs one schedule to its end and tells which promises it broke. */
export async function runSchedule(schedule: Schedule, broken: readonly Break[] = []): Promise<string[]> {
  const breaks: Breaks = new Set(broken);
  const sim = new Sim(START);
  const random = new Random(schedule.seed ^ 0x5bd1e995);
  const source = new ModelSystem({ name: 'powerOffice', nature: schedule.source, sim, random, breaks });
  const target = new ModelSystem({ name: 'crm', nature: schedule.target, sim, random, breaks });
  const store = new MemoryStore(breaks, () => sim.now());
  const flow: Flow = {
    name: 'f',
    source: { system: 'powerOffice', type: 'Person', scope: [{ property: 'IsPerson', equals: true }] },
    target: { system: 'crm', type: 'Contact', scope: [] },
    relation: 'create',
    properties: [0, 1].map((i) => ({
      source: PROPERTIES.source[i] as string,
      target: PROPERTIES.target[i] as string,
      type: 'string' as const,
      direction: 'both' as const,
      when: [],
    })),
    match: [],
    connected: [],
    policy: schedule.policy,
    onSourceDeleted: 'keep',
    onTargetDeleted: breaks.has('recreate-deleted') ? 'recreate' : 'keep',
    create: {},
  };
  const links = new Map<string, LinkRun>();
  let signals = 0;
  let pollSeconds = POLL_SECONDS;
  let crashes = schedule.crashes;
  let processes: Process[] = [];
  const fresh = (): Process[] => Array.from({ length: 2 }, () => ({ dead: false, frozenUntil: 0 }));
  const through = throughProcess({ sim, random, crashes: () => crashes, faults: () => source.faults });

  const messenger: Messenger = {
    start(started, record) {
      if (links.get(record.sourceId)?.open) return Promise.resolve(false);
      const link: LinkRun = {
        sourceId: record.sourceId,
        state: stateOf(record, rulesOf(started)),
        inbox: [],
        wake: () => {},
        open: true,
        steps: 0,
      };
      links.set(record.sourceId, link);
      void drive(link);
      return Promise.resolve(true);
    },
    signalRetry({ sourceId }) {
      const link = links.get(sourceId);
      if (!link?.open) return Promise.resolve(false);
      link.inbox.push({ kind: 'retry' });
      link.wake();
      return Promise.resolve(true);
    },
    signalObserved({ sourceId }, message) {
      signals += 1;
      const link = links.get(sourceId);
      if (!link?.open) return Promise.resolve(false);
      if (breaks.has('dropped-signals') && random.chance(0.5)) return Promise.resolve(true);
      const arrive = (): void => {
        link.inbox.push({ kind: 'observed', ...message });
        link.wake();
      };
      arrive();
      // Two watchers overlap while one takes over: a message may come again, long after newer ones.
      if (random.chance(source.faults)) sim.at(sim.now() + random.between(1000, 15_000), arrive);
      return Promise.resolve(true);
    },
    signalVanished({ sourceId }, side) {
      const link = links.get(sourceId);
      link?.inbox.push({ kind: 'vanished', side });
      link?.wake();
      return Promise.resolve(link !== undefined);
    },
  };

  const depsOf = (process: Process, runAttempt: Deps['runAttempt']): Deps => ({
    installation: installationNamed(DEFAULT_INSTALLATION),
    flows: [flow],
    connectors: { powerOffice: through(source, process), crm: through(target, process) },
    store: {
      links: through(store.links, process, true),
      candidates: through(store.candidates, process, true),
      history: through(store.history, process, true),
      cursors: through(store.cursors, process, true),
      idLists: through(store.idLists, process, true),
      setAside: through(store.setAside, process, true),
      limits: through(store.limits, process, true),
    },
    links: through(messenger, process),
    time: { now: () => sim.now(), sleep: (ms, signal) => sim.sleep(ms, signal) },
    runAttempt,
    log: LOG,
    pollSeconds: () => pollSeconds,
    lookWhenAsked: [],
    sweepHours: 1000,
    unstampedHours: 1000,
    deletionHours: 1000,
    stopping: new AbortController().signal,
  });

  /** The link workflow's loop, as workflows/link.ts has it; Temporal keeps it alive whatever the workers do. */
  async function drive(link: LinkRun): Promise<void> {
    for (;;) {
      for (const message of link.inbox.splice(0)) link.state = take(link.state, message);
      const next = advance(link.state, sim.now());
      link.state = next.state;
      if (next.step.kind === 'close') {
        link.open = false;
        return;
      }
      if (next.step.kind === 'wait') {
        const { until } = next.step;
        await new Promise<void>((resolve) => {
          link.wake = resolve;
          if (until !== null) sim.at(until, resolve);
        });
        continue;
      }
      link.steps += 1;
      link.state = applyOutcome(link.state, { step: next.step, outcome: await perform(link, next.step), now: sim.now() });
      if (breaks.has('regressions-ignored'))
        for (const side of SIDES) {
          const { older: _, ...rest } = link.state[side];
          if (link.state[side].older !== undefined) link.state = { ...link.state, [side]: { ...rest, doubt: false } };
        }
      if (breaks.has('gone-at-once'))
        for (const side of ['source', 'target'] as const)
          if (link.state[side].gone)
            link.state = { ...link.state, [side]: { ...link.state[side], gone: { reads: 2, nextAt: 0 } } };
    }
  }

  function take(state: LinkState, message: Message): LinkState {
    if (breaks.has('stale-observations') && message.kind === 'observed' && state[message.side].id === message.id)
      return { ...state, [message.side]: { ...state[message.side], seen: message.seen } };
    return receive(state, message, sim.now());
  }

  /** Tries an activity until an attempt answers: after a failure, a death, or a silence that looks like one. */
  async function perform(link: LinkRun, step: Task): Promise<Outcome> {
    const scheduledAt = sim.now();
    for (let number = 1; ; number++) {
      const process = random.pick(processes);
      const abort = new AbortController();
      const attempt: Attempt = { number, scheduledAt, signal: abort.signal };
      const deps = depsOf(process, (work) => work(attempt));
      const outcome = await new Promise<Outcome | null>((resolve) => {
        const began = sim.now();
        sim.at(began + 100_000, () => abort.abort(new Error('out of time')));
        const watchSilence = (): void => {
          const silent = process.dead || process.frozenUntil > sim.now() + SILENT_MS;
          if (silent) sim.at(sim.now() + SILENT_MS, () => resolve(null));
          else sim.at(sim.now() + 1000, watchSilence);
        };
        watchSilence();
        runStep({ deps, state: link.state, step, now: sim.now() }).then(resolve, (error: unknown) => {
          const known =
            error instanceof SystemError ||
            abort.signal.aborted ||
            (error instanceof Error && error.message === 'the store refuses');
          if (!known) throw error;
          const wait = error instanceof SystemError ? (error.retryAfterMs ?? 0) : 0;
          sim.at(sim.now() + Math.max(wait, Math.min(60_000, 1000 * 2 ** (number - 1))), () => resolve(null));
        });
      });
      if (TRACE)
        console.log(
          ((sim.now() - START) / 1000).toFixed(3),
          link.sourceId,
          step.kind,
          'attempt',
          number,
          JSON.stringify(outcome),
        );
      if (outcome) return outcome;
    }
  }

  /** A feed watcher; another takes over where it falls silent. */
  async function watch(process: Process, system: 'powerOffice' | 'crm', type: string): Promise<void> {
    const makeFeed = (): Feed =>
      new Feed(
        depsOf(process, (work) => work({ number: 1, scheduledAt: 0, signal: new AbortController().signal })),
        { system, type, takeoverSeconds: 5 },
        new AbortController().signal,
      );
    let feed = makeFeed();
    while (!process.dead) {
      if (breaks.has('every-echo-wakes'))
        for (const link of store.links.rows.values()) {
          const forget = (seen: Observation | null): Observation | null => seen && { ...seen, version: '', values: {} };
          store.links.rows.set(link._id, {
            ...link,
            seen: { source: forget(link.seen.source), target: forget(link.seen.target) },
          });
        }
      // A fresh watcher remembers nothing of what it dealt with.
      if (breaks.has('every-echo-wakes')) feed = makeFeed();
      const pause = await feed.poll();
      await sim.sleep(pause);
    }
  }

  function startWorkers(): void {
    processes = fresh();
    for (const [system, type] of [
      ['powerOffice', 'Person'],
      ['crm', 'Contact'],
    ] as const)
      void watch(processes[0] as Process, system, type);
  }
  function keepWorkers(): void {
    if (processes.some((process) => process.dead)) {
      for (const process of processes) process.dead = true;
      startWorkers();
    }
    sim.at(sim.now() + 5000, keepWorkers);
  }

  const ids: string[] = [];
  const partner = (n: number): string | undefined => {
    const sourceId = ids[n];
    return sourceId === undefined ? undefined : (store.links.rows.get(linkKey('f', sourceId))?.targetId ?? undefined);
  };
  function act(what: Act): void {
    const id = 'n' in what ? ids[what.n] : undefined;
    switch (what.do) {
      case 'create':
        ids[what.n] = source.personCreates('Person', { FirstName: what.value, LastName: 'Lie', IsPerson: true, note: null });
        return;
      case 'edit':
      case 'touch': {
        const property = what.do === 'touch' ? 'note' : PROPERTIES[what.side][what.property];
        const value = what.do === 'touch' ? `note ${what.at}` : what.value;
        if (what.side === 'source' && id !== undefined && (value !== null || property === 'note'))
          source.personEdits('Person', id, property, value);
        const other = partner(what.n);
        if (what.side === 'target' && other !== undefined) target.personEdits('Contact', other, property, value);
        return;
      }
      case 'delete': {
        const other = partner(what.n);
        if (what.side === 'source' && id !== undefined) source.personDeletes('Person', id);
        if (what.side === 'target' && other !== undefined) target.personDeletes('Contact', other);
        return;
      }
      case 'scope':
        if (id !== undefined) source.personEdits('Person', id, 'IsPerson', what.on);
        return;
      case 'crash':
        for (const process of processes) process.dead = true;
        return;
      case 'freeze':
        for (const process of processes) process.frozenUntil = sim.now() + random.between(5000, 40_000);
        return;
      case 'clock':
        (what.side === 'source' ? source : target).clockJumps(what.ms);
        return;
      case 'blip':
        (what.side === 'source' ? source : target).blipUntil = sim.now() + what.ms;
        return;
      case 'sweep':
      case 'ids':
        for (const feed of FEEDS) void store.cursors.ask(feed, { sweepAsked: sim.now() });
    }
  }

  startWorkers();
  keepWorkers();
  source.faults = target.faults = schedule.faults;
  for (const what of schedule.acts) sim.at(START + what.at, () => act(what));
  await sim.run(START + ACTIVE_MS + 5000);
  source.faults = target.faults = 0;
  crashes = 0;
  // Deletions are found by the list of ids, which in life is looked at every hour.
  for (let look = 0; look < 2; look++) {
    for (const feed of FEEDS) void store.cursors.ask(feed, { sweepAsked: sim.now() });
    await sim.run(sim.now() + SETTLE_MS / 2);
  }
  // A deletion that no list announced takes ten minutes and a list.
  const unsure = (): boolean =>
    [...links.values()].some(
      (link) => link.open && SIDES.some((side) => link.state[side].gone && !isBelievedGone(link.state[side].gone as Absence)),
    );
  pollSeconds = 30;
  for (let i = 0; i < 12 && unsure(); i++) await sim.run(sim.now() + 2 * QUIET_MS);
  pollSeconds = POLL_SECONDS;
  const before = { writes: source.writes + target.writes, signals };
  await sim.run(sim.now() + QUIET_MS);
  const restless = { writes: source.writes + target.writes - before.writes, signals: signals - before.signals };
  return brokenPromises({ schedule, flow, source, target, store, links, test: source.test, restless });
}
