import { setTimeout as sleep } from 'node:timers/promises';
import type { Priority } from './systems/system.ts';

/** Where all workers that share a key meet: the instant (ms) from which the next slot is free. */
export interface Slots {
  /** Takes the next slot not before `now` if the last taken was `known`; tells the slot, or what was taken meanwhile. */
  take(key: string, known: number, now: number, spacingMs: number): Promise<{ slot: number; next: number } | { taken: number }>;
  /** Nobody gets a slot before `until`. */
  push(key: string, until: number): Promise<number>;
}

const ORDER: Readonly<Record<Priority, number>> = { write: 0, feed: 1, sweep: 2 };
/** Slots are a little wider than the rate asks, so that calls that arrive late or early never crowd into one second. */
const SLACK = 1.09;
/** Between a call that left late and the next one: some of the slack may be used up, never all. */
const GAP = 1.03;

interface Waiter {
  readonly order: number;
  readonly go: () => void;
}

/**
 * The limiter of one key, shared by all workers through the store. A process holds one slot at a time and gives it to
 * the most urgent caller when its instant has come, so a write never stands behind a list that asked before.
 */
export class Throttle {
  readonly #slots: Slots;
  readonly #key: string;
  readonly #spacing: number;
  readonly #gap: number;
  readonly #waiting: Waiter[] = [];
  #known = 0;
  #pumping = false;

  /** `perSecond`: calls that all workers together make in a second at most. */
  constructor(slots: Slots, key: string, perSecond: number) {
    this.#slots = slots;
    this.#key = key;
    this.#spacing = (1000 / perSecond) * SLACK;
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
        this.#waiting.shift()?.go();
      } catch {
        // The store is down: nobody may call until it counts again.
        await sleep(1000);
      }
    }
    this.#pumping = false;
  }

  async #reserve(): Promise<number> {
    for (;;) {
      const got = await this.#slots.take(this.#key, this.#known, Date.now(), this.#spacing);
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
