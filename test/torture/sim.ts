/** A small seeded generator (mulberry32): the same seed, the same schedule. */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
  chance(p: number): boolean {
    return this.next() < p;
  }
  int(below: number): number {
    return Math.floor(this.next() * below);
  }
  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }
  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length)] as T;
  }
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly go: () => void;
}

/** Virtual time. Whatever waits, waits here; everything between two waits happens at one instant. */
export class Sim {
  #now: number;
  #order = 0;
  readonly #timers: Timer[] = [];

  constructor(start: number) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  at(when: number, go: () => void): void {
    const timer = { at: Math.max(when, this.#now), order: this.#order++, go };
    // A binary heap by (at, order).
    const heap = this.#timers;
    heap.push(timer);
    for (let i = heap.length - 1; i > 0;) {
      const up = (i - 1) >> 1;
      if (before(heap[up] as Timer, heap[i] as Timer)) break;
      [heap[up], heap[i]] = [heap[i] as Timer, heap[up] as Timer];
      i = up;
    }
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.at(this.#now + ms, () => (signal?.aborted ? reject(new Error('aborted')) : resolve()));
    });
  }

  /** Lets time pass until `until` (ms). */
  async run(until: number): Promise<void> {
    await settle();
    for (;;) {
      const next = this.#timers[0];
      if (!next || next.at > until) break;
      this.#pop();
      this.#now = next.at;
      next.go();
      await settle();
    }
    this.#now = until;
  }

  #pop(): void {
    const heap = this.#timers;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let i = 0; ;) {
      const left = 2 * i + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const down = right < heap.length && before(heap[right] as Timer, heap[left] as Timer) ? right : left;
      if (before(heap[i] as Timer, heap[down] as Timer)) break;
      [heap[i], heap[down]] = [heap[down] as Timer, heap[i] as Timer];
      i = down;
    }
  }
}

const before = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
/** All promises that can go on have gone on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
