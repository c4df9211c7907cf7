import { ApplicationFailure } from '@temporalio/common';
import { rulesOf } from '../../activities/observation.ts';
import type { Attempt, Messenger } from '../../activities/ports.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Flow } from '../../flows/flow.ts';
import { linkKey } from '../../flows/names.ts';
import { SIDES } from '../../flows/side.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import { advance } from '../../workflows/core/lifecycle.ts';
import { applyOutcome, type Outcome } from '../../workflows/core/outcome.ts';
import { receive, type Message } from '../../workflows/core/receive.ts';
import type { LinkState } from '../../workflows/core/state.ts';
import type { Step } from '../../workflows/core/step.ts';
import { recordOf, stateOf } from '../../workflows/linkRecord.ts';
import type { Breaks } from './breaks.ts';
import { sleptSince } from './process.ts';
import type { Worker } from './worker.ts';
import type { Random, Sim } from './sim.ts';

const TRACE = process.env['TRACE'] !== undefined;
const START = Date.UTC(2026, 0, 1);
const SILENT_MS = 10_000;
const DEADLINE_MS = 100_000;

/** A link's workflow. */
export interface LinkRun {
  readonly key: string;
  readonly world: string;
  readonly sourceId: string;
  state: LinkState;
  readonly inbox: Message[];
  wake: () => void;
  open: boolean;
  /** Activities that were asked for. */
  steps: number;
  /** From when until when each of them was tried; what one carries was planned as it began. */
  readonly tried: { readonly from: number; readonly until: number }[];
  /** The most that was carried over to the next run (characters). */
  carried: number;
  /** Values that were told to it, for one of the breaks. */
  readonly heard: Set<string>;
}

type Task = Exclude<Step, { kind: 'wait' | 'close' }>;

interface TemporalOptions {
  readonly sim: Sim;
  readonly random: Random;
  readonly breaks: Breaks;
  /** Share of steps after which a link goes on as a new run. */
  readonly rollOvers: number;
  /** Share of messages that are refused, or come twice. */
  readonly faults: () => number;
  /** A worker that takes a task of this world; now and then it is another's. */
  readonly workerFor: (world: string) => Worker;
}

/** Link workflows, kept alive whatever the workers do, as workflows/link.ts drives them. */
export class ModelTemporal {
  readonly links = new Map<string, LinkRun>();
  signals = 0;
  readonly #given: TemporalOptions;

  constructor(given: TemporalOptions) {
    this.#given = given;
  }

  /** How a world's feeds reach its links. */
  messenger(world: string, idOf: (flow: string, sourceId: string) => string): Messenger {
    const { breaks, random, sim } = this.#given;
    const openLink = (flow: string, sourceId: string): LinkRun | undefined => {
      const link = this.links.get(idOf(flow, sourceId));
      return link?.open ? link : undefined;
    };
    const refuse = (): void => {
      if (random.chance(this.#given.faults() / 4)) throw new Error('the store refuses');
    };
    return {
      start: async (flow, record) => {
        refuse();
        return Promise.resolve(this.#start({ id: idOf(flow.name, record.sourceId), world, flow, record }));
      },
      startTold: async (flow, record, message) => {
        refuse();
        this.signals += 1;
        const first: Message = { kind: 'observed', ...message, rules: rulesOf(flow) };
        if (!this.#start({ id: idOf(flow.name, record.sourceId), world, flow, record, first }))
          this.tell(openLink(flow.name, record.sourceId), first);
        return Promise.resolve();
      },
      signalRetry: ({ flow, sourceId }) => Promise.resolve(this.tell(openLink(flow, sourceId), { kind: 'retry' })),
      signalObserved: async ({ flow, sourceId, knownRules }, message) => {
        refuse();
        this.signals += 1;
        const link = openLink(flow.name, sourceId);
        if (!link) return false;
        if (breaks.has('dropped-signals') && random.chance(0.5)) return true;
        const values = JSON.stringify([message.side, message.seen.values, message.seen.inScope]);
        if (breaks.has('aba-is-echo') && link.heard.has(values)) return true;
        link.heard.add(values);
        const rules = rulesOf(flow);
        const known = knownRules === rules.hash || breaks.has('conditions-ignored');
        const arrive = (): unknown => this.tell(link, { kind: 'observed', ...message, ...(known ? {} : { rules }) });
        arrive();
        // Two watchers overlap while one takes over: a message may come again, long after newer ones.
        if (random.chance(this.#given.faults())) sim.at(sim.now() + random.between(1000, 15_000), arrive);
        return Promise.resolve(true);
      },
      signalVanished: ({ flow, sourceId }, side, approved) =>
        Promise.resolve(
          this.tell(openLink(flow, sourceId), { kind: 'vanished', side, ...(approved === true ? { approved } : {}) }),
        ),
    };
  }

  /** Hands a message to a link; false where none runs. */
  tell(link: LinkRun | undefined, message: Message): boolean {
    if (!link?.open) return false;
    link.inbox.push(message);
    link.wake();
    return true;
  }

  /** A link starts, or goes on from what its record says; false where it runs. */
  #start(given: {
    readonly id: string;
    readonly world: string;
    readonly flow: Flow;
    readonly record: LinkRecord;
    readonly first?: Message;
  }): boolean {
    const { id, world, flow, record, first } = given;
    if (this.links.get(id)?.open) return false;
    const link: LinkRun = {
      key: id,
      world,
      sourceId: record.sourceId,
      state: { ...stateOf(record, rulesOf(flow)), world },
      inbox: first ? [first] : [],
      wake: () => {},
      open: true,
      steps: this.links.get(id)?.steps ?? 0,
      tried: this.links.get(id)?.tried ?? [],
      carried: 0,
      heard: new Set(),
    };
    this.links.set(id, link);
    void this.#drive(link);
    return true;
  }

  async #drive(link: LinkRun): Promise<void> {
    const { sim, random, breaks, rollOvers } = this.#given;
    while (link.open) {
      if (breaks.has('roll-over-drops') && random.chance(rollOvers)) link.inbox.splice(0);
      for (const message of link.inbox.splice(0)) link.state = this.#take(link, message);
      const next = advance(link.state, sim.now());
      link.state = next.state;
      if (random.chance(rollOvers)) {
        this.#rollOver(link);
        continue;
      }
      if (next.step.kind === 'close') {
        link.open = false;
        return;
      }
      if (next.step.kind === 'wait') {
        await this.#rest(link, next.step.until);
        continue;
      }
      link.steps += 1;
      const { rules, ...told } = await this.#perform(link, next.step);
      const outcome: Outcome = rules && !this.#given.breaks.has('conditions-ignored') ? { ...told, rules } : told;
      link.state = this.#broken(applyOutcome(link.state, { step: next.step, outcome, now: sim.now() }));
    }
  }

  /** What goes along is JSON, and no more than a link needs. */
  #rollOver(link: LinkRun): void {
    const text = JSON.stringify(link.state);
    link.carried = Math.max(link.carried, text.length);
    link.state = JSON.parse(text) as LinkState;
  }

  async #rest(link: LinkRun, until: number | null): Promise<void> {
    const { sim, breaks } = this.#given;
    const tireless = breaks.has('tireless') && link.state.block !== null && link.state.block.code !== 'held';
    await new Promise<void>((resolve) => {
      link.wake = resolve;
      if (tireless) sim.at(sim.now() + 500, resolve);
      else if (breaks.has('brake-tires') && link.state.block?.code === 'held') sim.at(sim.now() + 2000, resolve);
      else if (until !== null) sim.at(until, resolve);
    });
    link.wake = () => {};
    if (tireless) link.state = receive(link.state, { kind: 'retry' }, sim.now());
    if (breaks.has('brake-tires') && link.state.block?.code === 'held')
      link.state = receive(link.state, { kind: 'retry', approved: true }, sim.now());
  }

  #take(link: LinkRun, message: Message): LinkState {
    const { state } = link;
    const { breaks, sim } = this.#given;
    if (breaks.has('stale-observations') && message.kind === 'observed' && state[message.side].id === message.id)
      return { ...state, [message.side]: { ...state[message.side], seen: message.seen } };
    if (breaks.has('pause-ignored') && message.kind === 'pause') return state;
    if (breaks.has('unlink-ignored') && message.kind === 'unlink')
      return { ...state, last: { what: 'unlinked by hand', at: sim.now() } };
    if (
      breaks.has('no-revival') &&
      message.kind === 'observed' &&
      (state.ended === 'source gone' || state.ended === 'target gone')
    )
      return state;
    if (breaks.has('scope-is-final') && message.kind === 'observed' && state.ended === 'out of scope') return state;
    const unlinked = breaks.has('unlinked-revives') && message.kind === 'observed' && state.ended === 'unlinked by hand';
    const next = receive(unlinked ? receive(state, { kind: 'relink' }, sim.now()) : state, message, sim.now());
    if (breaks.has('edit-frees-nothing') && message.kind === 'observed' && state.block) return { ...next, block: state.block };
    if (breaks.has('hoarding')) {
      const requests = Array.from({ length: 20 }, (_, i) => ({ id: `${sim.now()}/${i}/${'x'.repeat(20)}`, at: sim.now() }));
      return { ...next, requests: [...(next.requests ?? []), ...requests] };
    }
    return next;
  }

  #broken(state: LinkState): LinkState {
    const { breaks } = this.#given;
    let next = state;
    for (const side of SIDES) {
      const { older: _, ...rest } = next[side];
      if (breaks.has('regressions-ignored') && next[side].older !== undefined)
        next = { ...next, [side]: { ...rest, doubt: false } };
      if (breaks.has('gone-at-once') && next[side].gone)
        next = { ...next, [side]: { ...next[side], gone: { reads: 2, nextAt: 0 } } };
    }
    if (breaks.has('final-revives') && next.final === true) next = { ...next, final: false };
    return next;
  }

  /** Tries an activity until an attempt answers: after a failure, a death, or a silence that looks like one. */
  async #perform(link: LinkRun, step: Task): Promise<Outcome> {
    const { sim } = this.#given;
    const scheduledAt = sim.now();
    for (let number = 1; ; number++) {
      const outcome = await this.#attempt(link, step, { number, scheduledAt });
      if (TRACE)
        console.log(((sim.now() - START) / 1000).toFixed(3), link.key, step.kind, 'attempt', number, JSON.stringify(outcome));
      if (!outcome) continue;
      link.tried.push({ from: scheduledAt, until: sim.now() });
      return outcome;
    }
  }

  /** An outcome carries no words of a system, unless it is to be seen that somebody notices. */
  async #told(worker: Worker, { state }: LinkRun, outcome: Outcome): Promise<Outcome> {
    const { unanswered, ...answer } = outcome;
    if (unanswered && this.#given.breaks.has('own-write-is-edit')) return answer;
    if (outcome.kind !== 'refused' || !this.#given.breaks.has('words-leak')) return outcome;
    const stored = await worker.deps.store.links.byKey(linkKey(state.flow, state.source.id ?? ''));
    return { ...outcome, properties: [stored?.block?.text ?? ''] };
  }

  #attempt(link: LinkRun, step: Task, { number, scheduledAt }: Pick<Attempt, 'number' | 'scheduledAt'>): Promise<Outcome | null> {
    const { sim } = this.#given;
    const worker = this.#given.workerFor(link.world);
    const { process } = worker;
    const abort = new AbortController();
    return new Promise((resolve, reject) => {
      sim.at(sim.now() + DEADLINE_MS, () => abort.abort(new Error('out of time')));
      let answered = false;
      const watchSilence = (): void => {
        if (answered) return;
        const silent = process.dead || process.frozenUntil > sim.now() + SILENT_MS;
        if (silent) sim.at(sim.now() + SILENT_MS, () => resolve(null));
        else sim.at(sim.now() + 1000, watchSilence);
      };
      watchSilence();
      const began = sim.now();
      const attempt = { number, scheduledAt, signal: abort.signal, wasAsleep: () => sleptSince(process, began) };
      run(worker, attempt, { state: link.state, step, now: sim.now() })
        .then((outcome) => this.#told(worker, link, outcome))
        .then(resolve, (error: unknown) => {
          const wait = patience(error, abort.signal);
          if (wait === null) return reject(error instanceof Error ? error : new Error(String(error)));
          sim.at(sim.now() + Math.max(wait, Math.min(60_000, 1000 * 2 ** (number - 1))), () => resolve(null));
        })
        .finally(() => (answered = true));
    });
  }
}

/** How long after a failure the next attempt waits at least (ms); null for one that should never be. */
function patience(error: unknown, signal: AbortSignal): number | null {
  if (error instanceof SystemError) return error.retryAfterMs ?? 0;
  if (error instanceof ApplicationFailure) return 5000;
  const { message } = error as Error;
  const known = signal.aborted || message === 'the store refuses' || message.startsWith('this worker does not run the flow');
  return known ? 0 : null;
}

/** Performs a step with the activity that the link workflow would ask. */
function run(
  worker: Worker,
  attempt: Attempt,
  { state, step, now }: { readonly state: LinkState; readonly step: Task; readonly now: number },
): Promise<Outcome> {
  const then = 'what' in step ? { status: step.status, last: { what: step.what, at: now } } : undefined;
  const input = { link: recordOf(state, then), ...(state.world === undefined ? {} : { world: state.world }) };
  const { activities } = worker;
  return worker.during(attempt, () => {
    switch (step.kind) {
      case 'create':
        return activities.createRecord({
          ...input,
          values: step.values,
          ...(state.chosen === undefined ? {} : { chosen: state.chosen }),
          ...(state.recreates === true ? { recreates: true } : {}),
        });
      case 'write':
        return activities.writeRecord({ ...input, side: step.side, assignments: step.assignments });
      case 'remove':
        return activities.removeRecord({ ...input, side: step.side });
      case 'read':
        return activities.readRecords({ ...input, sides: step.sides });
      case 'confirm':
        return activities.readRecords({
          ...input,
          sides: [step.side],
          ...(step.announced === true ? { announced: true } : {}),
          ...(step.list === true ? { list: true } : {}),
        });
      case 'store':
        return activities.storeLink(input);
    }
  });
}
