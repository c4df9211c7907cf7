import type { Messenger } from '../../activities/ports.ts';
import type { Connector } from '../../connectors/connector.ts';
import { convert, convertBack } from '../../flows/convert.ts';
import type { Flow } from '../../flows/flow.ts';
import { DEFAULT_INSTALLATION, installationNamed, type Installation } from '../../flows/installation.ts';
import { linkKey } from '../../flows/names.ts';
import type { Side } from '../../flows/side.ts';
import type { Value } from '../../flows/values.ts';
import { approveHeld, withdrawHeld, type Brake } from '../../client/brake.ts';
import { setPaused } from '../../client/pause.ts';
import type { Message } from '../../workflows/core/receive.ts';
import type { Breaks } from './breaks.ts';
import type { FlowPlan } from './flowPlan.ts';
import { MemoryStore } from './memoryStore.ts';
import { lyingConnector } from './modelCrm.ts';
import { flowOf } from './modelFlow.ts';
import { modelConnector, type SystemMemory } from './modelConnector.ts';
import type { ModelSystem } from './modelSystem.ts';
import { freeze, type throughProcess } from './process.ts';
import type { Random, Sim } from './sim.ts';
import type { LinkRun, ModelTemporal } from './temporal.ts';
import { feedsOf, keepWatching, startWorker, type Worker } from './worker.ts';

/** What all installations of a schedule share. */
export interface World {
  readonly sim: Sim;
  readonly random: Random;
  readonly breaks: Breaks;
  readonly through: ReturnType<typeof throughProcess>;
  readonly temporal: ModelTemporal;
  pollSeconds: number;
}

interface SiteOptions {
  readonly world: World;
  readonly number: number;
  readonly source: ModelSystem;
  readonly target: ModelSystem;
  readonly plans: readonly FlowPlan[];
  readonly skews: readonly number[];
}

/** When something was true of a link or flow (ms): from when, until when. */
export interface Span {
  readonly from: number;
  until: number;
}

const KEEP_MS = 5000;

/** An installation: its flows, store and workers, and the people who steer it. */
export class Site {
  readonly world: World;
  readonly name: string;
  readonly installation: Installation;
  readonly source: ModelSystem;
  readonly target: ModelSystem;
  readonly store: MemoryStore;
  readonly messenger: Messenger;
  flows: readonly Flow[];
  plans: readonly FlowPlan[];
  readonly #memory: Record<'powerOffice' | 'crm', SystemMemory> = {
    powerOffice: { test: 'unknown', clock: null },
    crm: { test: 'unknown', clock: null },
  };
  readonly #skews: readonly number[];
  readonly #watched = new Set<string>();
  #workers: Worker[] = [];
  /** What people asked for, for the promises: pauses by flow, system or link, unlinkings by link, approvals by flow. */
  readonly pauses = new Map<string, Span[]>();
  readonly unlinked = new Map<string, Span[]>();
  readonly approved = new Set<string>();

  constructor({ world, number, source, target, plans, skews }: SiteOptions) {
    this.world = world;
    this.name = number === 0 ? DEFAULT_INSTALLATION : `site-${number}`;
    const named = installationNamed(this.name);
    const nameless = installationNamed(DEFAULT_INSTALLATION);
    this.installation = {
      ...named,
      ...(world.breaks.has('unnamed-ids') ? { externalId: (...of) => nameless.externalId(...of) } : {}),
      ...(world.breaks.has('key-without-incarnation') ? { idempotencyKey: (link) => named.idempotencyKey(link, 1, 1) } : {}),
    };
    this.source = source;
    this.target = target;
    this.plans = plans;
    this.flows = plans.filter(({ from }) => from === 0).map((plan) => flowOf(plan, world.breaks));
    this.store = new MemoryStore(world.breaks, () => world.sim.now());
    this.messenger = world.temporal.messenger(this.name, (flow, sourceId) => this.installation.linkWorkflowId(flow, sourceId));
    this.#skews = skews;
  }

  connect(system: 'powerOffice' | 'crm', now: () => number): Connector {
    const model = system === 'powerOffice' ? this.source : this.target;
    const line = { system: model, memory: this.#memory[system], breaks: this.world.breaks, now };
    return model.nature.lies ? lyingConnector(line) : modelConnector(line);
  }

  /** A worker that is alive, or was so lately. */
  worker(): Worker {
    return this.world.random.pick(this.#workers);
  }

  start(): void {
    this.#workers = this.#skews.map((skew) => startWorker(this, skew));
    this.#watch();
    this.#keep();
  }

  /** Dead workers are replaced, each by itself. */
  #keep(): void {
    this.#workers = this.#workers.map((worker, i) => (worker.process.dead ? startWorker(this, this.#skews[i] ?? 0) : worker));
    this.#watch();
    this.world.sim.at(this.world.sim.now() + KEEP_MS, () => this.#keep());
  }

  #watch(): void {
    for (const { system, type, key } of feedsOf(this.flows)) {
      if (this.#watched.has(key)) continue;
      this.#watched.add(key);
      void keepWatching(this, system, type);
    }
  }

  /** Kills one worker, or all of them. */
  crash(all: boolean): void {
    const doomed = all ? this.#workers : [this.worker()];
    for (const { process } of doomed) process.dead = true;
  }

  freeze(ms: number): void {
    freeze(this.worker().process, { now: this.world.sim.now(), ms });
  }

  /** A new version of the flows; its workers come one after the other, or all at once. */
  change(plans: readonly FlowPlan[], rolling: boolean): void {
    this.plans = plans;
    this.flows = plans.map((plan) => flowOf(plan, this.world.breaks));
    const { sim } = this.world;
    for (const [i, { process }] of this.#workers.entries())
      if (i === 0 || !rolling) process.dead = true;
      else sim.at(sim.now() + 2 * KEEP_MS, () => void (process.dead = true));
  }

  /** A full comparison and a look for deletions are asked for. */
  askForSweep(): void {
    for (const { key } of feedsOf(this.flows)) void this.store.cursors.ask(key, { sweepAsked: this.world.sim.now() + 1 });
  }

  /** `tandem rebuild`: what the store knows and no workflow runs goes on from there. */
  rebuild(): void {
    for (const link of this.store.links.rows.values()) {
      const flow = this.flows.find(({ name }) => name === link.flow);
      if (flow && link.ended !== 'source gone') void this.messenger.start(flow, link).catch(() => this.rebuild());
    }
  }

  // People who steer.

  linkOf(flow: string, sourceId: string): LinkRun | undefined {
    return this.world.temporal.links.get(this.installation.linkWorkflowId(flow, sourceId));
  }

  targetOf(flow: string, sourceId: string): string | undefined {
    return this.store.links.rows.get(linkKey(flow, sourceId))?.targetId ?? undefined;
  }

  steer(flow: string, sourceId: string, message: Exclude<Message, { kind: 'observed' | 'vanished' }>): void {
    const link = this.linkOf(flow, sourceId);
    if (!link?.open) return;
    const key = linkKey(flow, sourceId);
    if (message.kind === 'pause') this.#begin(this.pauses, key);
    if (message.kind === 'resume') this.#end(this.pauses, key);
    if (message.kind === 'unlink') this.#begin(this.unlinked, key);
    if (message.kind === 'relink') this.#end(this.unlinked, key);
    this.world.temporal.tell(link, message);
  }

  /** A flow or a system is paused, or resumed: those that met the pause wait in their workflows. */
  pauseAll(name: string, paused: boolean): void {
    if (paused) this.#begin(this.pauses, name);
    else this.#end(this.pauses, name);
    const { store, flows } = this;
    void setPaused({ store, flows, steer: this.#ask, now: () => this.world.sim.now() }, name, paused);
  }

  /** When a link stood still: it was paused, or its flow, or its system. */
  pausesOf(flow: string, sourceId: string): Span[] {
    return ['crm', flow, linkKey(flow, sourceId)].flatMap((name) => this.pauses.get(name) ?? []);
  }

  /** People let go whatever they pause still; false where there is nothing. */
  letGo(): boolean {
    const held = [...this.pauses].filter(([, spans]) => isOpen(spans)).map(([name]) => name);
    for (const name of held) {
      const link = this.store.links.rows.get(name);
      if (link) this.steer(link.flow, link.sourceId, { kind: 'resume' });
      else this.pauseAll(name, false);
    }
    return held.length > 0;
  }

  /** A person decides: one value for both sides. */
  settle(given: { flow: string; sourceId: string; pair: number; value: Value; of: Side; why: string }): void {
    const flow = this.flows.find(({ name }) => name === given.flow);
    const pair = flow?.properties[given.pair];
    if (!pair) return;
    const now = this.store.links.rows.get(linkKey(given.flow, given.sourceId))?.seen.source?.values[pair.source] ?? null;
    const both =
      given.of === 'source'
        ? { source: given.value, target: convert(given.value, pair.type) }
        : { source: convertBack(pair, { source: now, target: given.value }), target: given.value };
    this.steer(given.flow, given.sourceId, { kind: 'settle', property: pair.source, ...both, why: given.why });
  }

  readonly #ask: Brake['steer'] = (flow, sourceId, message) => Promise.resolve(this.steer(flow, sourceId, message));

  async decideHeld(flowName: string, lets: boolean): Promise<void> {
    const flow = this.flows.find(({ name }) => name === flowName);
    if (!flow) return;
    const brake: Brake = {
      store: this.store,
      steer: this.#ask,
      now: () => this.world.sim.now(),
    };
    if (lets) this.approved.add(flowName);
    await (lets ? approveHeld(brake, flow) : withdrawHeld(brake, flow));
  }

  #begin(spans: Map<string, Span[]>, key: string): void {
    if (isOpen(spans.get(key))) return;
    spans.set(key, [...(spans.get(key) ?? []), { from: this.world.sim.now(), until: Number.POSITIVE_INFINITY }]);
  }

  #end(spans: Map<string, Span[]>, key: string): void {
    const last = spans.get(key)?.at(-1);
    if (last && isOpen(spans.get(key))) last.until = this.world.sim.now();
  }
}

/** Whether it is so now. */
export const isOpen = (spans: readonly Span[] | undefined): boolean => spans?.at(-1)?.until === Number.POSITIVE_INFINITY;
