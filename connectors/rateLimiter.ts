import { setTimeout as sleep } from 'node:timers/promises';
import type { Priority } from './connector.ts';

/** Where all workers that share a key meet: the instant (ms) from which the next slot is free. */
export interface RateSlots {
  /** Takes the next slot not before `now` if the last taken was `known`; tells the slot, or what was taken meanwhile. */
  take(
    key: string,
    call: { readonly known: number; readonly now: number; readonly spacingMs: number },
  ): Promise<{ slot: number; next: number } | { taken: number }>;
  /** Nobody gets a slot before `until`. */
  push(key: string, until: number): Promise<number>;
  /** Every slot from the next one on comes so much later (ms). */
  delay(key: string, ms: number): Promise<number>;
}

const ORDER: Readonly<Record<Priority, number>> = { write: 0, feed: 1, sweep: 2 };
/** Slots are a little wider than the rate asks: in a second's worth of them (ms), calls may arrive late by so much. */
const SLACK_MS = 50;
/** Between a call that left late and the next one: some of the slack may be used up, never all. */
const GAP = 1.03;
/** An answer that took longer than others by more than this says nothing of when the call arrived (ms). */
const LATE_MS = 150;
/** A feed's list that has waited so long (ms) goes before the writes: a long burst must not stop the other direction. */
const FEED_PATIENCE_MS = 5000;

interface Waiter {
  readonly order: number;
  readonly since: number;
  readonly go: () => void;
}

/**
 * The limiter of one key, shared by all workers through the store. A process holds one slot at a time and gives it to
 * the most urgent caller when its instant has come, so a write never stands behind a list that asked before.
 */
export class RateLimiter {
  readonly #slots: RateSlots;
  readonly #key: string;
  readonly #spacing: number;
  readonly #gap: number;
  readonly #waiting: Waiter[] = [];
  /** The shortest time to an answer lately, by kind of call (ms). */
  readonly #best = new Map<string, number>();
  /** When slots were moved because of late calls, and by how much (ms). */
  #moves: { readonly at: number; readonly ms: number }[] = [];
  #known = 0;
  #pumping = false;

  /** `perSecond`: calls that all workers together make in a second at most. */
  constructor(slots: RateSlots, key: string, perSecond: number) {
    this.#slots = slots;
    this.#key = key;
    this.#spacing = (1000 + SLACK_MS) / perSecond;
    this.#gap = (1000 / perSecond) * GAP;
  }

  /** Milliseconds between two calls. */
  get spacingMs(): number {
    return this.#spacing;
  }

  /** Resolves when the caller may send one call. Rejects when `signal` aborts first. */
  take(priority: Priority, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortReason(signal));
      const waiter: Waiter = {
        order: ORDER[priority],
        since: Date.now(),
        go: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        const at = this.#waiting.indexOf(waiter);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal ? abortReason(signal) : new Error('aborted'));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const behind = this.#waiting.findIndex((other) => other.order > waiter.order);
      this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, waiter);
      void this.#pump();
    });
  }

  /** The system said 429: all workers wait. */
  async hold(ms: number): Promise<void> {
    this.#known = await this.#slots.push(this.#key, Date.now() + ms);
  }

  /**
   * A call was answered, so long after it left. One that took longer than others of its kind may have arrived late by as
   * much and crowd those that follow within the second: where that is more than the slack, the slots move.
   */
  async answered(kind: string, sentAt: number, tookMs: number): Promise<void> {
    const best = Math.min(tookMs, (this.#best.get(kind) ?? tookMs) + 1);
    this.#best.set(kind, best);
    const now = Date.now();
    this.#moves = this.#moves.filter(({ at }) => at > now - 2000);
    const moved = this.#moves.reduce((sum, { at, ms }) => (at >= sentAt ? sum + ms : sum), 0);
    const late = Math.min(LATE_MS, tookMs - best) - SLACK_MS - moved;
    if (late <= 0) return;
    this.#moves.push({ at: now, ms: late });
    // Where the store is down nobody may call anyway.
    await this.#slots.delay(this.#key, late).then(
      (next) => (this.#known = next),
      () => {},
    );
  }

  /** Takes whose turn it is: the most urgent, unless a feed has waited too long. */
  #first(): Waiter | undefined {
    const patience = Date.now() - FEED_PATIENCE_MS;
    const impatient = this.#waiting.findIndex(({ order, since }) => order === ORDER.feed && since < patience);
    return this.#waiting.splice(Math.max(0, impatient), 1)[0];
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#waiting.length > 0) {
      try {
        const slot = await this.#reserve();
        const wait = slot - Date.now();
        if (wait > 0) await sleep(wait);
        // A call that leaves late would crowd the next one; move that too.
        const next = Date.now() + this.#gap;
        if (next > slot + this.#spacing) this.#known = await this.#slots.push(this.#key, next);
        this.#first()?.go();
      } catch {
        // The store is down: nobody may call until it counts again.
        await sleep(1000);
      }
    }
    this.#pumping = false;
  }

  async #reserve(): Promise<number> {
    for (;;) {
      const got = await this.#slots.take(this.#key, { known: this.#known, now: Date.now(), spacingMs: this.#spacing });
      if ('taken' in got) {
        this.#known = got.taken;
        continue;
      }
      this.#known = got.next;
      return got.slot;
    }
  }
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted');
}
