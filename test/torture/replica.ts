import type { ModelRecord } from './modelRecord.ts';
import type { Random, Sim } from './sim.ts';

/** What a system's lists and reads are answered from: behind its primary by up to `lagMs`. */
export class Replica {
  readonly #rows = new Map<string, ModelRecord | null>();
  readonly #lagMs: number;
  readonly #sim: Sim;
  readonly #random: Random;
  #visible = 0;

  constructor({ lagMs, sim, random }: { readonly lagMs: number; readonly sim: Sim; readonly random: Random }) {
    this.#lagMs = lagMs;
    this.#sim = sim;
    this.#random = random;
  }

  /** Becomes visible later, in the order in which it happened. */
  show(id: string, row: ModelRecord | null): void {
    this.#visible = Math.max(this.#visible, this.#sim.now() + this.#random.next() * this.#lagMs);
    this.#sim.at(this.#visible, () => this.#rows.set(id, row));
  }

  rows(): ModelRecord[] {
    return [...this.#rows.values()].filter((row): row is ModelRecord => row !== null);
  }
}
