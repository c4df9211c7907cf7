import type { Miss } from '../../store/documents.ts';
import type { BulkCount, Missed } from '../../store/limits.ts';
import type { Breaks } from './breaks.ts';

interface Flow {
  minutes: Record<string, number>;
  approvedUntil: number;
  heldSince: number | null;
  readonly same: Map<string, Record<string, number>>;
  readonly heldValues: Set<string>;
}

/** What holds flows back, in memory: counts by minute, approvals, pauses, 404s. */
export class MemoryLimits {
  readonly #breaks: Breaks;
  readonly #flows = new Map<string, Flow>();
  readonly #paused = new Set<string>();
  readonly #missed = new Map<string, { misses: Miss[]; outage: { since: number; probedAt: number } | null }>();

  constructor(breaks: Breaks) {
    this.#breaks = breaks;
  }

  #of(flow: string): Flow {
    const fresh = { minutes: {}, approvedUntil: 0, heldSince: null, same: new Map(), heldValues: new Set<string>() };
    const found: Flow = this.#flows.get(flow) ?? fresh;
    this.#flows.set(flow, found);
    return found;
  }

  countBulkChange(flow: string, minute: number, add: number): Promise<BulkCount> {
    const of = this.#of(flow);
    of.minutes[minute] = (of.minutes[minute] ?? 0) + (this.#breaks.has('no-brake') ? 0 : add);
    return Promise.resolve({ minutes: { ...of.minutes }, approvedUntil: of.approvedUntil, held: of.heldSince !== null });
  }

  countSameValue(flow: string, key: string, { minute, add }: { minute: number; add: number }): Promise<BulkCount> {
    const { same, heldValues } = this.#of(flow);
    const minutes = same.get(key) ?? {};
    minutes[minute] = (minutes[minute] ?? 0) + (this.#breaks.has('no-brake') ? 0 : add);
    same.set(key, minutes);
    return Promise.resolve({ minutes: { ...minutes }, approvedUntil: 0, held: heldValues.has(key) });
  }

  heldValues(flow: string): Promise<readonly string[]> {
    return Promise.resolve([...this.#of(flow).heldValues]);
  }

  hold(flow: string, what: { now: number } | { key: string }): Promise<void> {
    if ('key' in what) this.#of(flow).heldValues.add(what.key);
    else this.#of(flow).heldSince = what.now;
    return Promise.resolve();
  }

  approve(flow: string, until: number): Promise<void> {
    const same = new Map<string, Record<string, number>>();
    this.#flows.set(flow, { minutes: {}, approvedUntil: until, heldSince: null, same, heldValues: new Set() });
    return Promise.resolve();
  }

  withdraw(flow: string, { minute, n }: { minute: number; n: number }): Promise<void> {
    Object.assign(this.#of(flow), { approvedUntil: 0, heldSince: null, minutes: { [minute]: n } });
    return Promise.resolve();
  }

  paused(): Promise<readonly string[]> {
    return Promise.resolve(this.#breaks.has('pause-ignored') ? [] : [...this.#paused]);
  }

  setPaused(name: string, paused: boolean): Promise<void> {
    if (paused) this.#paused.add(name);
    else this.#paused.delete(name);
    return Promise.resolve();
  }

  missed(system: string, miss: Miss | null): Promise<Missed> {
    const known = this.#missed.get(system) ?? { misses: [], outage: null };
    if (miss !== null) known.misses = [...known.misses, miss].slice(-100);
    this.#missed.set(system, known);
    const misses = this.#breaks.has('outage-believed') ? [] : known.misses;
    return Promise.resolve({ misses, since: known.outage?.since ?? null, probedAt: known.outage?.probedAt ?? 0 });
  }

  setOutage(system: string, outage: { since: number; probedAt: number } | null): Promise<void> {
    this.#missed.set(system, { misses: outage ? (this.#missed.get(system)?.misses ?? []) : [], outage });
    return Promise.resolve();
  }
}
