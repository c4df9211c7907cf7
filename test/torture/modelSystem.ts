import { instantKey, instantMs } from '../../flows/instant.ts';
import type { Catalogue } from '../../flows/catalogue.ts';
import type { SystemName } from '../../flows/flow.ts';
import { isNoValue, sameValue, type Value } from '../../flows/values.ts';
import { SystemClock } from '../../connectors/clock.ts';
import { looksLike } from '../../connectors/looksLike.ts';
import { SystemError } from '../../connectors/systemError.ts';
import {
  requireUnchanged,
  type CallOptions,
  type ChangedRequest,
  type ConditionProbe,
  type CreateRequest,
  type FindRequest,
  type IdPage,
  type IdsRequest,
  type ReadRequest,
  type UpdateRequest,
  type Features,
  type Page,
  type Snapshot,
  type Connector,
} from '../../connectors/connector.ts';
import type { Breaks } from './breaks.ts';
import { iso, shownOf, tidied, type Deed, type ModelRecord, type Nature } from './modelRecord.ts';
import { Replica } from './replica.ts';
import type { Random, Sim } from './sim.ts';

interface ModelOptions {
  readonly name: SystemName;
  readonly nature: Nature;
  readonly sim: Sim;
  readonly random: Random;
  readonly breaks: Breaks;
}

/** A system in memory, with a primary, a replica that lags, faults on the way, and people at its screens. */
export class ModelSystem implements Connector {
  readonly clock = new SystemClock();
  readonly catalogue: Catalogue;
  readonly deeds: Deed[] = [];
  readonly rows = new Map<string, ModelRecord>();
  /** Creates by the key that asked for them: what must never be two. */
  readonly created = new Map<string, string[]>();
  calls = 0;
  writes = 0;
  /** Until then every record that is read or written directly is "gone" (ms). */
  blipUntil = 0;
  /** Share of calls that fail while faults are on. */
  faults = 0;
  readonly #replica: Replica;
  readonly #keys = new Map<string, { body: string; row: ModelRecord }>();
  readonly #lied = new Set<string>();
  #lastId = 0;
  #lastStamp = 0;
  #skewMs: number;

  readonly name: SystemName;
  readonly title: string;
  readonly nature: Nature;
  readonly #sim: Sim;
  readonly #random: Random;
  readonly #breaks: Breaks;
  /** What is known of the system's `test`. */
  test: 'unknown' | 'works' | 'missing' = 'unknown';
  readonly conditionProbe: ConditionProbe = {
    isDoubtful: (refusal) => refusal.status === 400,
    readsApartMs: 5500,
    isOpen: () => this.test !== 'works',
    settleMissing: () => Promise.resolve(void (this.test = 'missing')),
    warning: '',
  };

  constructor({ name, nature, sim, random, breaks }: ModelOptions) {
    this.name = name;
    this.title = name;
    this.nature = nature;
    this.#skewMs = nature.skewMs;
    this.catalogue = { system: name, types: [] };
    this.#sim = sim;
    this.#random = random;
    this.#breaks = breaks;
    this.#replica = new Replica({ lagMs: nature.lagMs, sim, random });
  }

  get lagMs(): number {
    return this.nature.lagMs + 200;
  }

  features(): Features {
    const missing = this.nature.conditional === 'test' && this.test === 'missing';
    return {
      conditional: missing ? 'none' : this.nature.conditional,
      externalId: this.nature.externalId,
      idempotencyKey: this.nature.idempotencyKey,
    };
  }

  // People.

  personCreates(type: string, fields: Record<string, Value>): string {
    const id = `${type[0]}${++this.#lastId}`;
    this.#save({ id, fields, version: 1, stamp: this.#stamp(), externalId: null });
    this.#deed('person', type, id, 'create', '', null, null, false);
    return id;
  }

  personEdits(type: string, id: string, property: string, value: Value): boolean {
    const row = this.rows.get(id);
    if (!row || row.fields[property] === value) return false;
    this.#deed('person', type, id, 'edit', property, row.fields[property] ?? null, value, false);
    this.#save({ ...row, fields: { ...row.fields, [property]: value }, version: row.version + 1, stamp: this.#stamp() });
    return true;
  }

  personDeletes(type: string, id: string): void {
    if (!this.rows.has(id)) return;
    this.#deed('person', type, id, 'delete', '', null, null, false);
    this.#drop(id);
  }

  /** Its clock is set, or its data come from another machine: the next stamps may be older than those that it gave. */
  clockJumps(ms: number): void {
    this.#skewMs += ms;
    this.#lastStamp = 0;
  }

  // Tandem.

  check(): Promise<{ identity: string }> {
    return Promise.resolve({ identity: this.name });
  }

  async *changed({ type, fields, since }: ChangedRequest, options: CallOptions): AsyncIterable<Page> {
    await this.#way(options, false);
    const from = since === null ? '' : instantKey(since);
    const rows = this.#replica
      .rows()
      .filter((row) => row.id.startsWith(type[0] ?? '') && instantKey(iso(row.stamp)) >= from)
      .sort((a, b) => a.stamp - b.stamp || (a.id < b.id ? -1 : 1));
    const size = 3;
    for (let i = 0; i < rows.length; i += size) {
      if (i > 0) await this.#way(options, false);
      const records = rows.slice(i, i + size).map((row) => this.#show(row, fields));
      // Now and then a page comes twice.
      if (this.#random.chance(this.faults)) yield { records, after: records.at(-1)?.instant ?? null };
      yield { records, after: records.at(-1)?.instant ?? null };
    }
  }

  async *ids({ type }: IdsRequest, options: CallOptions): AsyncIterable<IdPage> {
    await this.#way(options, false);
    const rows = this.#replica.rows();
    const listed = rows.filter(({ id }) => id.startsWith(type[0] ?? '') && !this.#random.chance(this.faults / 4));
    yield { ids: listed.map(({ id }) => id) };
  }

  async read({ id, fields }: ReadRequest, options: CallOptions): Promise<Snapshot> {
    await this.#way(options, false);
    const row = this.#replica.rows().find((each) => each.id === id);
    // It lies about a record once, never twice in a row.
    const lie = !this.#lied.delete(id) && this.#random.chance(this.faults / 8);
    if (lie) this.#lied.add(id);
    if (!row || lie || this.#blips()) throw new SystemError(this.name, 'gone', { text: '404', status: 404 });
    return this.#show(row, fields);
  }

  async create({ type, values, fields, identity }: CreateRequest, options: CallOptions): Promise<Snapshot> {
    this.writes += 1;
    const sent = this.#sim.now();
    const lost = await this.#way(options, true);
    const body = JSON.stringify(values);
    const key = this.#breaks.has('create-without-lookup') ? `${identity.idempotencyKey}${this.writes}` : identity.idempotencyKey;
    const known = this.nature.idempotencyKey ? this.#keys.get(key) : undefined;
    if (known && known.body !== body) throw new SystemError(this.name, 'refused', { text: '422 another body', status: 422 });
    let row = known?.row;
    if (!row) {
      if (this.nature.externalId && [...this.rows.values()].some((each) => each.externalId === identity.externalId))
        throw new SystemError(this.name, 'refused', { text: '409 taken', status: 409 });
      this.#refusePoison(values);
      const kept = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, tidied(this.nature, value)]));
      row = {
        id: `${type[0]}${++this.#lastId}`,
        fields: { note: null, ...kept },
        version: 1,
        stamp: this.#stamp(),
        externalId: identity.externalId,
      };
      this.#save(row);
      this.#keys.set(key, { body, row });
      this.created.set(identity.externalId, [...(this.created.get(identity.externalId) ?? []), row.id]);
      this.#deed('tandem', type, row.id, 'create', '', null, null, false);
    }
    await this.#back(lost, options);
    const seen = this.#show(row, fields);
    if (!options.again) this.clock.write(row.stamp, { sentAt: sent, receivedAt: this.#sim.now() });
    return seen;
  }

  async update(
    { type, id, set, condition, fields }: UpdateRequest,
    options: CallOptions & { unconditional?: boolean },
  ): Promise<Snapshot> {
    const { nature } = this;
    const tests = nature.conditional === 'test' && !options.unconditional && this.test !== 'missing';
    const etag = nature.conditional === 'etag' ? condition.etag : undefined;
    if (!tests && etag === undefined && !options.unconditional && !this.#breaks.has('blind-writes')) {
      const now = await this.read({ type, id, fields: Object.keys(condition.test) }, options);
      requireUnchanged(this.name, condition.test, (name) => now.fields[name]);
    }
    this.writes += 1;
    const sent = this.#sim.now();
    const lost = await this.#way(options, true);
    const row = this.rows.get(id);
    if (!row || this.#blips()) throw new SystemError(this.name, 'gone', { text: '404', status: 404 });
    if (!this.#breaks.has('blind-writes')) {
      if (
        tests &&
        (!nature.testWorks || Object.entries(condition.test).some(([name, value]) => (row.fields[name] ?? null) !== value))
      )
        throw new SystemError(this.name, 'contended', { text: '400 test', status: 400 });
      if (etag !== undefined && etag !== `"${row.version}"`)
        throw new SystemError(this.name, 'contended', { text: '412', status: 412 });
    }
    this.#refusePoison(set);
    if (tests) this.test = 'works';
    const kept: Record<string, Value> = Object.fromEntries(
      Object.entries(set).map(([name, value]) => [name, tidied(this.nature, value)]),
    );
    if (this.#breaks.has('unmapped-writes')) kept['note'] = 'by tandem';
    for (const [name, value] of Object.entries(kept))
      this.#deed(
        'tandem',
        type,
        id,
        'edit',
        name,
        row.fields[name] ?? null,
        value,
        name in condition.test && !sameValue(row.fields[name], condition.test[name]),
      );
    const changed = { ...row, fields: { ...row.fields, ...kept }, version: row.version + 1, stamp: this.#stamp() };
    this.#save(changed);
    await this.#back(lost, options);
    this.clock.write(changed.stamp, { sentAt: sent, receivedAt: this.#sim.now() });
    const answer = this.#show(changed, fields);
    return this.#breaks.has('base-from-sent') ? { ...answer, fields: { ...answer.fields, ...set } } : answer;
  }

  async remove(type: string, id: string, options: CallOptions): Promise<void> {
    const lost = await this.#way(options, true);
    if (!this.rows.has(id)) throw new SystemError(this.name, 'gone', { text: '404', status: 404 });
    this.#deed('tandem', type, id, 'delete', '', null, null, false);
    this.#drop(id);
    await this.#back(lost, options);
  }

  async find({ type, by, fields }: FindRequest, options: CallOptions): Promise<readonly Snapshot[]> {
    await this.#way(options, false);
    if (this.#breaks.has('create-without-lookup')) return [];
    // A look-up lags as every list does.
    const rows = this.#replica.rows().filter((row) => row.id.startsWith(type[0] ?? ''));
    const found = this.nature.externalId
      ? rows.filter((row) => row.externalId === by.externalId)
      : rows.filter((row) => looksLike(row.fields, by.values) && row.stamp >= by.since);
    return found.map((row) => this.#show(row, fields));
  }

  // Inside.

  #blips(): boolean {
    return this.#sim.now() < this.blipUntil;
  }

  #refusePoison(values: Readonly<Record<string, Value>>): void {
    if (Object.values(values).includes('!'))
      throw new SystemError(this.name, 'refused', { text: '422 no exclamation', status: 422 });
    if (this.name === 'powerOffice' && Object.values(values).some(isNoValue))
      throw new SystemError(this.name, 'refused', { text: '400 required', status: 400, fields: Object.keys(values) });
  }

  #stamp(): number {
    // Whole milliseconds; two changes may share one where versions are counted besides.
    const least = this.#lastStamp + (this.nature.conditional === 'etag' ? 0 : 1);
    this.#lastStamp = Math.max(least, Math.floor(this.#sim.now()) + this.#skewMs);
    return this.#lastStamp;
  }

  #deed(
    by: Deed['by'],
    type: string,
    id: string,
    kind: Deed['kind'],
    property: string,
    before: Value,
    after: Value,
    blind: boolean,
  ): void {
    if (process.env['TRACE'])
      console.log(((this.#sim.now() - Date.UTC(2026, 0, 1)) / 1000).toFixed(3), by, kind, id, property, before, '->', after);
    this.deeds.push({ at: this.#sim.now(), by, type, id, kind, property, before, after, blind });
  }

  #save(row: ModelRecord): void {
    this.rows.set(row.id, row);
    this.#replica.show(row.id, row);
  }

  #drop(id: string): void {
    this.rows.delete(id);
    this.#replica.show(id, null);
  }

  #show(row: ModelRecord, fields: readonly string[]): Snapshot {
    const shown = shownOf(row, fields, this.nature);
    const ms = instantMs(shown.instant);
    return { ...shown, at: this.#breaks.has('uncorrected-clocks') ? [ms, ms] : this.clock.correct(ms) };
  }

  /** On the way there: it takes a while, and may fail. Tells whether the answer will be lost. */
  async #way(options: CallOptions, write: boolean): Promise<boolean> {
    this.calls += 1;
    const sent = this.#sim.now();
    await this.#sim.sleep(this.#random.between(2, 40), options.signal);
    if (options.signal?.aborted) throw new SystemError(this.name, 'unreachable', 'aborted');
    if (this.#random.chance(this.faults)) {
      const [failure, status] = this.#random.pick([
        ['unreachable', 503],
        ['throttled', 429],
        ['malformed', 200],
      ] as const);
      throw new SystemError(this.name, failure, {
        text: `${status}`,
        status,
        ...(failure === 'throttled' ? { retryAfterMs: 1000 } : {}),
      });
    }
    this.clock.date(new Date(this.#sim.now() + this.#skewMs).toUTCString(), sent, this.#sim.now() + 1);
    return write && this.#random.chance(this.faults);
  }

  /** On the way back: the effect stands, its answer may not arrive. */
  async #back(lost: boolean, options: CallOptions): Promise<void> {
    await this.#sim.sleep(this.#random.between(2, 40), options.signal);
    if (lost) throw new SystemError(this.name, 'unreachable', 'the answer was lost');
  }
}
