/** A record as a vendor's stand-in keeps it. */
export interface VendorRow {
  readonly id: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly created: number;
  readonly changed: number;
  readonly version: number;
  /** When it was deleted; null while it lives. */
  readonly deleted: number | null;
}

/** The records of a vendor's stand-in, all of one type. Stamps grow by `grainMs` at least. */
export class VendorRows {
  readonly rows = new Map<string, VendorRow>();
  #last = 0;
  #nextId = 1001;
  readonly #grainMs: number;

  constructor(grainMs = 1) {
    this.#grainMs = grainMs;
  }

  #now(): number {
    this.#last = Math.max(this.#last + 1, Math.floor(Date.now() / this.#grainMs) * this.#grainMs);
    return Math.floor(this.#last / this.#grainMs) * this.#grainMs;
  }

  get alive(): VendorRow[] {
    return [...this.rows.values()].filter(({ deleted }) => deleted === null);
  }

  get(id: string): VendorRow | undefined {
    const row = this.rows.get(id);
    return row?.deleted === null ? row : undefined;
  }

  make(fields: object, id = String(this.#nextId++)): VendorRow {
    const at = this.#now();
    const row = { id, fields: { ...fields }, created: at, changed: at, version: 1, deleted: null };
    this.rows.set(id, row);
    return row;
  }

  edit(row: VendorRow, fields: object): VendorRow {
    const next = { ...row, fields: { ...row.fields, ...fields }, changed: this.#now(), version: row.version + 1 };
    this.rows.set(row.id, next);
    return next;
  }

  remove(row: VendorRow): void {
    this.rows.set(row.id, { ...row, deleted: this.#now() });
  }
}

/** By their stamp, then by their id. */
export const byStamp = (a: VendorRow, b: VendorRow): number => a.changed - b.changed || Number(a.id) - Number(b.id);
export const iso = (at: number): string => new Date(at).toISOString();
/** Whole seconds, as some vendors write their stamps. */
export const isoSeconds = (at: number): string => iso(at).replace(/\.\d+Z$/, 'Z');
