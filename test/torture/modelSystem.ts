import { instantKey } from '../../flows/instant.ts';
import type { SystemName } from '../../flows/flow.ts';
import { isNoValue, sameValue, type Value } from '../../flows/values.ts';
import { OUTAGE_404S } from '../../activities/link/outage.ts';
import { looksLike } from '../../connectors/looksLike.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { CallOptions, FindRequest } from '../../connectors/connector.ts';
import type { Breaks } from './breaks.ts';
import { iso, tidied, type Deed, type ModelRecord, type Nature } from './modelRecord.ts';
import { Replica } from './replica.ts';
import type { Random, Sim } from './sim.ts';

interface ModelOptions {
  readonly name: SystemName;
  readonly nature: Nature;
  readonly sim: Sim;
  readonly random: Random;
  readonly breaks: Breaks;
}

/** What a write is held to. */
export interface Held {
  /** Raw values that must stand there; null where none are tested. */
  readonly test: Readonly<Record<string, Value>> | null;
  readonly etag: string | undefined;
  /** What the plan had seen, whether it is tested or not. */
  readonly expected: Readonly<Record<string, Value>>;
}

const TRACE = process.env['TRACE'] !== undefined;
const PAGE = 3;
/** What a system says of a key that it knows with another body. */
export const ANOTHER_BODY = '422 another body';

/** A system in memory, with a primary, a replica that lags, faults on the way, and people at its screens. */
export class ModelSystem {
  readonly deeds: Deed[] = [];
  readonly rows = new Map<string, ModelRecord>();
  /** Records that answered a write with success and kept nothing, by id or external id. */
  readonly forgot = new Set<string>();
  /** Which record was merged into which. */
  readonly merged = new Map<string, string>();
  calls = 0;
  writes = 0;
  /** Until then every record that is read or written directly is "gone" (ms), and lists lack all of them from `emptyFrom` on. */
  blipUntil = 0;
  emptyFrom = Number.POSITIVE_INFINITY;
  /** Whether, when its lists were first empty, more records had been "gone" within a minute than it takes to tell an outage. */
  showedOutage: boolean | null = null;
  /** Share of calls that fail while faults are on. */
  faults = 0;
  /** Whether there are moments in which it answers 404 to everything. */
  willBlip = false;
  /** Whether it lies just now, where it does at all. */
  lying = true;
  readonly name: SystemName;
  readonly nature: Nature;
  readonly sim: Sim;
  readonly random: Random;
  readonly #breaks: Breaks;
  readonly #replica: Replica;
  readonly #trash = new Map<string, ModelRecord>();
  readonly #keys = new Map<string, { body: string; row: ModelRecord }>();
  readonly #lied = new Set<string>();
  readonly #missed = new Map<string, number>();
  #lastId = 0;
  #lastStamp = 0;
  #skewMs: number;

  constructor({ name, nature, sim, random, breaks }: ModelOptions) {
    this.name = name;
    this.nature = nature;
    this.#skewMs = nature.skewMs;
    this.sim = sim;
    this.random = random;
    this.#breaks = breaks;
    this.#replica = new Replica({ lagMs: nature.lagMs, sim, random });
  }

  // People.

  personCreates(type: string, fields: Record<string, Value>): string {
    const id = this.#newId(type);
    this.#save({ id, type, fields, version: 1, stamp: this.#stamp(), externalId: null });
    this.#deed({ by: 'person', type, id, kind: 'create' });
    for (const [property, after] of Object.entries(fields)) this.#deed({ by: 'person', type, id, kind: 'edit', property, after });
    return id;
  }

  personEdits(id: string, property: string, value: Value): boolean {
    const row = this.rows.get(id);
    if (!row || row.fields[property] === value) return false;
    const before = row.fields[property] ?? null;
    this.#deed({ by: 'person', type: row.type, id, kind: 'edit', property, before, after: value });
    this.#save({ ...row, fields: { ...row.fields, [property]: value }, version: row.version + 1, stamp: this.#stamp() });
    return true;
  }

  personDeletes(id: string): void {
    const row = this.rows.get(id);
    if (!row) return;
    this.#deed({ by: 'person', type: row.type, id, kind: 'delete' });
    this.#trash.set(id, row);
    this.#drop(id);
  }

  /** Somebody finds it in the bin and takes it out again. */
  personUndeletes(id: string): void {
    const row = this.#trash.get(id);
    if (!row || this.rows.has(id)) return;
    this.#deed({ by: 'person', type: row.type, id, kind: 'undelete' });
    // Some bins give a record back as it was.
    this.#save(this.nature.still ? row : { ...row, version: row.version + 1, stamp: this.#stamp() });
  }

  /** One record is merged into another, with whose contents the system answers from then on. */
  personMerges(id: string, into: string): void {
    const row = this.rows.get(id);
    if (!row || !this.rows.has(into) || id === into) return;
    this.#deed({ by: 'person', type: row.type, id, kind: 'merge', after: into });
    this.merged.set(id, into);
    this.#drop(id);
  }

  /** Its clock is set, or its data come from another machine: the next stamps may be older than those that it gave. */
  clockJumps(ms: number): void {
    this.#skewMs += ms;
    this.#lastStamp = 0;
  }

  /** Its own time (ms). */
  now(): number {
    return this.sim.now() + this.#skewMs;
  }

  // What Tandem asks for. Each begins with `way`, and a write ends with `back`.

  /** A page of what changed since an instant key, oldest first. */
  list(type: string, from: string): ModelRecord[][] {
    const rows = this.#visible(type)
      .filter((row) => instantKey(iso(row.stamp)) >= from)
      .sort((a, b) => a.stamp - b.stamp || (a.id < b.id ? -1 : 1));
    return Array.from({ length: Math.ceil(rows.length / PAGE) }, (_, i) => rows.slice(i * PAGE, (i + 1) * PAGE));
  }

  /** The list of ids, in which now and then one is missing; a list and reads for seconds together are all that tells a deletion. */
  ids(type: string): string[] {
    return this.#visible(type)
      .filter(() => !this.random.chance(this.faults / 4) || this.willBlip)
      .map((row) => row.id);
  }

  /** A record as the replica has it. */
  row(id: string): ModelRecord {
    const row = this.#replica.rows().find((each) => each.id === (this.merged.get(id) ?? id));
    // It lies about a record once, never twice in a row.
    const lie = !this.#lied.delete(id) && this.random.chance(this.faults / 8);
    if (lie) this.#lied.add(id);
    if (this.#blips()) this.#missed.set(id, this.sim.now());
    if (!row || lie || this.#blips()) throw this.#gone();
    return row;
  }

  found(type: string, by: FindRequest['by']): ModelRecord[] {
    if (this.#breaks.has('create-without-lookup')) return [];
    // A look-up lags as every list does.
    const rows = this.#visible(type);
    return this.nature.externalId
      ? rows.filter((row) => row.externalId === by.externalId)
      : rows.filter((row) => looksLike(row.fields, by.values) && row.stamp >= by.since);
  }

  create(
    type: string,
    values: Readonly<Record<string, Value>>,
    identity: { externalId: string; idempotencyKey: string },
  ): ModelRecord {
    this.writes += 1;
    const body = JSON.stringify(values);
    const key = this.#breaks.has('create-without-lookup') ? `${identity.idempotencyKey}${this.writes}` : identity.idempotencyKey;
    const known = this.nature.idempotencyKey ? this.#keys.get(key) : undefined;
    if (known && known.body !== body) throw new SystemError(this.name, 'refused', { text: ANOTHER_BODY, status: 422 });
    if (known) return known.row;
    const { externalId } = identity;
    const taken = [...this.rows.values()].some((each) => each.type === type && each.externalId === externalId);
    if (this.nature.externalId && this.nature.uniqueExternalId && taken)
      throw new SystemError(this.name, 'taken', { text: '409 taken', status: 409 });
    this.#refusePoison(values, 'refused');
    const kept = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, tidied(this.nature, value)]));
    const row = { id: this.#newId(type), type, fields: { note: null, ...kept }, version: 1, stamp: this.#stamp(), externalId };
    this.#save(row);
    this.#keys.set(key, { body, row });
    this.#deed({ by: 'tandem', type, id: row.id, kind: 'create', externalId });
    for (const [property, after] of Object.entries(kept))
      this.#deed({ by: 'tandem', type, id: row.id, kind: 'edit', property, after });
    return row;
  }

  update(id: string, set: Readonly<Record<string, Value>>, held: Held): ModelRecord {
    this.writes += 1;
    const row = this.rows.get(this.merged.get(id) ?? id);
    if (!row || this.#blips()) throw this.#gone();
    const { nature } = this;
    if (!this.#breaks.has('blind-writes')) {
      const failed = Object.entries(held.test ?? {}).some(([name, value]) => (row.fields[name] ?? null) !== value);
      if (held.test && (!nature.testWorks || failed))
        throw new SystemError(this.name, 'contended', { text: '400 test', status: 400 });
      if (held.etag !== undefined && held.etag !== `"${row.version}"`)
        throw new SystemError(this.name, 'contended', { text: '412 changed meanwhile', status: 412 });
    }
    // Where conditions are refused with 400, no connector can tell one 400 from another.
    this.#refusePoison(set, nature.conditional === 'test' ? 'contended' : 'refused');
    const kept: Record<string, Value> = Object.fromEntries(
      Object.entries(set).map(([name, value]) => [name, tidied(nature, value)]),
    );
    if (this.#breaks.has('unmapped-writes')) kept['note'] = 'by tandem';
    if (nature.still && Object.entries(kept).every(([name, value]) => (row.fields[name] ?? null) === value)) return row;
    for (const [property, after] of Object.entries(kept))
      this.#deed({
        by: 'tandem',
        type: row.type,
        id: row.id,
        kind: 'edit',
        property,
        before: row.fields[property] ?? null,
        after,
        blind: property in held.expected && !sameValue(row.fields[property], held.expected[property]),
        outOfScope: row.type === 'Person' && row.fields['IsPerson'] === false,
      });
    const changed = { ...row, fields: { ...row.fields, ...kept }, version: row.version + 1, stamp: this.#stamp() };
    this.#save(changed);
    return changed;
  }

  remove(id: string): void {
    this.writes += 1;
    const row = this.rows.get(id);
    if (!row) throw this.#gone();
    if (this.nature.keepsAll) throw new SystemError(this.name, 'refused', { text: '403 it may not be deleted', status: 403 });
    this.#deed({ by: 'tandem', type: row.type, id, kind: 'delete' });
    this.#trash.set(id, row);
    this.#drop(id);
  }

  /** On the way there: it takes a while, and may fail. Tells whether the answer will be lost. */
  async way(options: Partial<CallOptions>, write: boolean): Promise<boolean> {
    this.calls += 1;
    await this.sim.sleep(this.random.between(2, 40), options.signal);
    if (options.signal?.aborted) throw new SystemError(this.name, 'unreachable', 'aborted');
    if (this.random.chance(this.faults)) {
      const [failure, status] = this.random.pick([
        ['unreachable', 503],
        ['throttled', 429],
        ['malformed', 200],
      ] as const);
      const more = failure === 'throttled' ? { status, retryAfterMs: 1000 } : { status };
      throw new SystemError(this.name, failure, { text: `${status}`, ...more });
    }
    return write && this.random.chance(this.faults);
  }

  /** On the way back: the effect stands, its answer may not arrive. */
  async back(lost: boolean, options: Partial<CallOptions>): Promise<void> {
    await this.sim.sleep(this.random.between(2, 40), options.signal);
    if (lost) throw new SystemError(this.name, 'unreachable', 'the answer was lost');
  }

  // Inside.

  #visible(type: string): ModelRecord[] {
    if (this.#blips() && this.sim.now() > this.emptyFrom) {
      const recent = [...this.#missed.values()].filter((at) => at > this.sim.now() - 60_000);
      this.showedOutage ??= recent.length > OUTAGE_404S;
      return [];
    }
    return this.#replica.rows().filter((row) => row.type === type);
  }

  #gone(): SystemError {
    return new SystemError(this.name, 'gone', { text: '404 no such record', status: 404 });
  }

  #blips(): boolean {
    return this.sim.now() < this.blipUntil;
  }

  #newId(type: string): string {
    return `${type}${++this.#lastId}`;
  }

  /** Values that no system takes: one with a status of its own, one with the status that a failed condition has, too. */
  #refusePoison(values: Readonly<Record<string, Value>>, plain: 'contended' | 'refused'): void {
    const texts = Object.values(values).filter((value) => typeof value === 'string');
    if (texts.some((text) => text.includes('!')))
      throw new SystemError(this.name, 'refused', { text: '422 no exclamation', status: 422 });
    const passing = plain === 'refused' && this.#breaks.has('unknown-is-passing');
    if (texts.some((text) => text.includes('?')))
      throw new SystemError(this.name, passing ? 'unreachable' : plain, { text: '400 no question', status: 400 });
    // A record needs its names.
    if (this.name === 'powerOffice' && Object.entries(values).some(([name, value]) => name !== 'Role' && isNoValue(value)))
      throw new SystemError(this.name, plain, { text: '400 required', status: 400, fields: Object.keys(values) });
  }

  #stamp(): number {
    // Whole milliseconds; two changes may share one where versions are counted besides.
    const least = this.#lastStamp + (this.nature.conditional === 'etag' ? 0 : 1);
    this.#lastStamp = Math.max(least, Math.floor(this.now()));
    return this.#lastStamp;
  }

  #deed(deed: Pick<Deed, 'by' | 'type' | 'id' | 'kind'> & Partial<Deed>): void {
    const all = { at: this.sim.now(), property: '', before: null, after: null, blind: false, ...deed };
    if (TRACE)
      console.log(
        ((all.at - Date.UTC(2026, 0, 1)) / 1000).toFixed(3),
        `${this.name}:`,
        all.by,
        all.kind,
        all.id,
        all.property,
        all.before,
        '->',
        all.after,
      );
    this.deeds.push(all);
  }

  #save(row: ModelRecord): void {
    this.rows.set(row.id, row);
    this.#replica.show(row.id, row);
  }

  #drop(id: string): void {
    this.rows.delete(id);
    this.#replica.show(id, null);
  }
}
