/** A row of a stand-in's table: plain JSON with the system's own field names. */
export type SandboxRow = Record<string, unknown>;

/** One change, as the journal keeps it: a row as it is now, or null where it was deleted. */
export interface RowChange {
  readonly table: string;
  readonly id: string;
  readonly row: SandboxRow | null;
}

/**
 * Rows of one type, on a primary and on a replica that shows each change `lagMs` later. Every change goes to `persist`
 * before it counts, so that an answer never tells of something that a killed sandbox forgot.
 */
export class Table {
  readonly name: string;
  readonly #rows = new Map<string, SandboxRow>();
  readonly #replica = new Map<string, SandboxRow>();
  readonly #late: { at: number; id: string; row: SandboxRow | null }[] = [];
  readonly #persist: (change: RowChange) => void;
  lagMs: number;

  constructor(name: string, lagMs: number, persist: (change: RowChange) => void) {
    this.name = name;
    this.lagMs = lagMs;
    this.#persist = persist;
  }

  /** A change from the journal or the seed: it happened before, so both primary and replica show it. */
  restore(id: string, row: SandboxRow | null): void {
    for (const rows of [this.#rows, this.#replica])
      if (row) rows.set(id, row);
      else rows.delete(id);
  }

  get(id: string): SandboxRow | undefined {
    return this.#rows.get(id);
  }

  put(id: string, row: SandboxRow): void {
    this.#persist({ table: this.name, id, row });
    this.#rows.set(id, row);
    this.#late.push({ at: Date.now() + this.lagMs, id, row });
  }

  delete(id: string): void {
    this.#persist({ table: this.name, id, row: null });
    this.#rows.delete(id);
    this.#late.push({ at: Date.now() + this.lagMs, id, row: null });
  }

  /** All rows of the primary. */
  rows(): SandboxRow[] {
    return [...this.#rows.values()];
  }

  get size(): number {
    return this.#rows.size;
  }

  /** The replica as it shows now. */
  replica(): ReadonlyMap<string, SandboxRow> {
    const now = Date.now();
    while (this.#late[0] && this.#late[0].at <= now) {
      const change = this.#late.shift();
      if (change?.row) this.#replica.set(change.id, change.row);
      else if (change) this.#replica.delete(change.id);
    }
    return this.#replica;
  }
}
