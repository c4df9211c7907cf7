import type { SandboxRow } from '../table.ts';
import { Table, type RowChange } from '../table.ts';
import { KINDS, resolve, type Kind } from './description.ts';
import { DEFAULTS, FACETS, FIRST_NUMBER, REFERENCES, SHARED, UNIQUE } from './rules.ts';

/** Digits of a stamp make instants finer than a JavaScript Date, as the real ones are: ordered text, 100 ns. */
export function ticks(text: string): string {
  const match = /\.(\d+)/.exec(text);
  const whole = Date.parse(text.replace(/\.\d+/, ''));
  return `${String(whole).padStart(15, '0')}${(match?.[1] ?? '').padEnd(7, '0')}`;
}

const some = (value: unknown): boolean => value !== null && value !== undefined && value !== '';
const FOLD = (value: unknown): string => String(value).toLowerCase();

/** All records of the stand-in: ids, numbers and stamps are given here, and facets of one contact kept alike. */
export class Records {
  readonly tables: Readonly<Record<string, Table>>;
  readonly #now: () => number;
  readonly #newest: Record<string, number> = {};
  #lastTick = 0n;

  constructor(settings: { lagMs: number; now: () => number; persist: (change: RowChange) => void }) {
    this.#now = settings.now;
    this.tables = Object.fromEntries(KINDS.map((kind) => [kind.name, new Table(kind.name, settings.lagMs, settings.persist)]));
  }

  table(kind: Kind | string): Table {
    const table = this.tables[typeof kind === 'string' ? kind : kind.name];
    if (!table) throw new Error(`no table for ${typeof kind === 'string' ? kind : kind.name}`);
    return table;
  }

  idOf(kind: Kind, row: SandboxRow): string {
    return kind.owned ? `${String(row['ContactId'])}/${String(row['Id'])}` : String(row['Id']);
  }

  /** A record that another's property names; contact persons are found by their id alone. */
  find(kind: string, id: unknown): SandboxRow | undefined {
    if (kind !== 'ContactPerson') return this.table(kind).get(String(id));
    return this.table(kind)
      .rows()
      .find((row) => row['Id'] === id);
  }

  stamp(): string {
    const tick = BigInt(this.#now()) * 10_000n + BigInt(Math.floor(Math.random() * 10_000));
    this.#lastTick = tick > this.#lastTick ? tick : this.#lastTick + 1n;
    return `${new Date(Number(this.#lastTick / 10_000n)).toISOString().slice(0, 19)}.${String(this.#lastTick % 10_000_000n).padStart(7, '0')}+00:00`;
  }

  /** Ids and numbers are never given twice, not even after a deletion. */
  #next(kinds: readonly string[], property: string, first: number): number {
    const key = `${kinds.join()}.${property}`;
    let newest = (this.#newest[key] ??= kinds
      .flatMap((kind) => this.table(kind).rows())
      .reduce((most, row) => Math.max(most, Number(row[property] ?? 0)), first - 1));
    do newest += 1;
    while (kinds.some((kind) => property !== 'Id' && this.taken(kind, { [property]: newest }, property) !== undefined));
    return (this.#newest[key] = newest);
  }

  /** A new record's row, not saved yet. `Id` is given where a contact becomes, say, a supplier too. */
  make(kind: Kind, values: SandboxRow): SandboxRow {
    const created = this.stamp();
    const facet = FACETS.includes(kind.name);
    const twin = facet && some(values['Id']) ? this.#twins(kind, { Id: values['Id'] })[0] : undefined;
    const shared = twin ? Object.fromEntries(SHARED.flatMap((name) => (name in twin.row ? [[name, twin.row[name]]] : []))) : {};
    const row: SandboxRow = { ...structuredClone(DEFAULTS[kind.name] ?? {}), ...shared };
    for (const [name, value] of Object.entries(values)) if (value !== null || !(name in row)) row[name] = value;
    if (!some(row['Id'])) row['Id'] = this.#next(facet ? FACETS : [kind.name], 'Id', 1001);
    const first = FIRST_NUMBER[kind.name];
    if (first !== undefined && !some(row['Number'])) row['Number'] = this.#next([kind.name], 'Number', first);
    if (kind.created !== undefined) row[kind.created] = created;
    if (facet) row['ContactCreatedDateTimeOffset'] = twin?.row['ContactCreatedDateTimeOffset'] ?? created;
    return row;
  }

  /** The other facets of the same contact. */
  #twins(kind: Kind, row: SandboxRow): { kind: Kind; row: SandboxRow }[] {
    if (!FACETS.includes(kind.name)) return [];
    return KINDS.flatMap((other) => {
      const twin = other.name !== kind.name && FACETS.includes(other.name) ? this.find(other.name, row['Id']) : undefined;
      return twin ? [{ kind: other, row: twin }] : [];
    });
  }

  /**
   * Saves a row. Its stamp moves, except that a contact's does not for its address, nor a product's for its stock: these
   * have stamps of their own.
   */
  save(kind: Kind, row: SandboxRow): SandboxRow {
    const before = this.table(kind).get(this.idOf(kind, row));
    const changed = new Set(
      [...Object.keys(row), ...Object.keys(before ?? {})].filter(
        (name) => JSON.stringify(row[name] ?? null) !== JSON.stringify(before?.[name] ?? null),
      ),
    );
    const now = this.stamp();
    const saved: SandboxRow = { ...row };
    const restocked = before !== undefined && changed.has('StockOnHand');
    if (changed.has('MailAddress')) this.#address(kind, saved, now);
    if (restocked) saved['StockOnHandLastChangedDatetimeOffset'] = now;
    if (kind.name === 'Product') saved['StockAvailable'] = saved['StockOnHand'] ?? null;
    const still = [...(restocked ? ['StockOnHand'] : []), ...(FACETS.includes(kind.name) ? ['MailAddress'] : [])];
    const moves = before === undefined || changed.size === 0 || [...changed].some((name) => !still.includes(name));
    if (kind.stamped && moves) saved['LastChangedDateTimeOffset'] = now;
    this.table(kind).put(this.idOf(kind, saved), saved);
    this.#keepTwins(kind, saved);
    return saved;
  }

  #address(kind: Kind, row: SandboxRow, now: string): void {
    const given = (row['MailAddress'] ?? {}) as SandboxRow;
    const any = Object.entries(given).some(
      ([name, value]) => name !== 'Id' && name !== 'LastChangedDateTimeOffset' && some(value),
    );
    const address: SandboxRow = { ...given };
    if (any && !some(address['CountryCode'])) address['CountryCode'] = 'NO';
    const { properties } = resolve(kind.dto['MailAddress'] ?? {});
    if (properties?.['Id']) {
      address['Id'] ??= Number(row['Id']) + 200_000;
      address['LastChangedDateTimeOffset'] = now;
    }
    row['MailAddress'] = address;
  }

  #keepTwins(kind: Kind, row: SandboxRow): void {
    for (const twin of this.#twins(kind, row)) {
      const alike = { ...twin.row };
      for (const name of SHARED) if (name in row && twin.kind.dto[name] !== undefined) alike[name] = row[name];
      if (JSON.stringify(alike) === JSON.stringify(twin.row)) continue;
      if (SHARED.some((name) => name !== 'MailAddress' && JSON.stringify(alike[name]) !== JSON.stringify(twin.row[name])))
        alike['LastChangedDateTimeOffset'] = this.stamp();
      this.table(twin.kind).put(this.idOf(twin.kind, alike), alike);
    }
  }

  /** The id of the record that already has this row's value of a property. */
  taken(kind: string, row: SandboxRow, property: string): unknown {
    const value = row[property];
    if (!some(value)) return undefined;
    return this.table(kind)
      .rows()
      .find((other) => other['Id'] !== row['Id'] && some(other[property]) && FOLD(other[property]) === FOLD(value))?.['Id'];
  }

  /** What is wrong with a changed row beside other records: a value that is taken, a record that is not there. */
  clash(kind: Kind, row: SandboxRow, changed: (name: string) => boolean): { unknown: boolean; says: string } | undefined {
    for (const property of UNIQUE[kind.name] ?? []) {
      const id = changed(property) ? this.taken(kind.name, row, property) : undefined;
      const whose = FACETS.includes(kind.name) ? '(contact) ' : '';
      if (id !== undefined)
        return {
          unknown: false,
          says: `${property} is already in use. '${String(row[property])}' is used on ${whose}Id = ${String(id)}.`,
        };
    }
    for (const [property, { kind: other }] of Object.entries(REFERENCES)) {
      if (!changed(property) || !some(row[property]) || kind.dto[property] === undefined) continue;
      const ids = [row[property]].flat();
      const lost = ids.filter((id) => this.find(other, id) === undefined);
      const noun = KINDS.find((each) => each.name === other)?.noun ?? other;
      if (lost.length > 0)
        return {
          unknown: true,
          says: Array.isArray(row[property])
            ? `Could not find ${noun.toLowerCase()}(s) with id = ${lost.join(', ')}.`
            : `${noun} with id = ${lost.join()} not found.`,
        };
    }
    return undefined;
  }

  /** Whether other records name this one, so that it cannot be deleted. */
  inUse(kind: Kind, row: SandboxRow): boolean {
    if (this.#twins(kind, row).length > 0) return true;
    const id = row['Id'];
    const below =
      FACETS.includes(kind.name) &&
      this.table('ContactPerson')
        .rows()
        .some((each) => each['ContactId'] === id);
    const properties = Object.entries(REFERENCES).filter(([, reference]) => reference.kind === kind.name);
    return (
      below ||
      properties.some(([property]) =>
        KINDS.some(
          (other) =>
            other.dto[property] !== undefined &&
            this.table(other)
              .rows()
              .some((each) => [each[property]].flat().includes(id)),
        ),
      )
    );
  }
}
