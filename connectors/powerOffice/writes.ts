import { setTimeout as sleep } from 'node:timers/promises';
import { instantMs, isInstant } from '../../flows/instant.ts';
import type { Values } from '../../flows/values.ts';
import {
  hasChanged,
  putAt,
  requireUnchanged,
  valueAt,
  type CallOptions,
  type CreateRequest,
  type Snapshot,
  type UpdateRequest,
} from '../connector.ts';
import type { Answer } from '../http.ts';
import { SystemError } from '../systemError.ts';
import type { Resource } from './catalogue.ts';
import type { PowerOfficeClient } from './client.ts';
import { addressOf, CHANGED, fromWire, inPascalCase, LAG_MS, resource, goSnapshot, toWire } from './records.ts';
import { referenceFor } from './reference.ts';

/** Whether the live service lets JSON Patch `test` through is not documented: unknown until seen. */
export interface PatchTest {
  get(): 'unknown' | 'works' | 'missing';
  /** One accepted patch with a `test` settles for good that it works; that it is missing is believed for a while. */
  settle(capability: 'works' | 'missing'): Promise<void>;
}

/** The framework's own words for a `test` that did not hold. */
const NOT_EQUAL = /not equal to the test value/i;
const SPEAKS_OF_TEST = /\btest\b/i;

/** Writes to PowerOffice Go: each conditional where the service lets it be. */
export class Writes {
  readonly #client: PowerOfficeClient;
  readonly #patchTest: PatchTest;
  readonly #writeReferences: boolean;
  /** A failed `test` was recognised by its words, so that any other 400 is known to be something else. */
  #wordsSeen = false;

  constructor(client: PowerOfficeClient, patchTest: PatchTest, writeReferences: boolean) {
    this.#client = client;
    this.#patchTest = patchTest;
    this.#writeReferences = writeReferences;
  }

  async create({ type, values, fields, identity }: CreateRequest, options: CallOptions): Promise<Snapshot> {
    const kind = resource(type);
    const body: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(values)) putAt(body, name, toWire(kind, name, value));
    // A record that belongs to another is created below it.
    const owners = kind.idFields.slice(0, -1).map((name) => {
      const owner = body[name];
      delete body[name];
      if (typeof owner === 'number' || typeof owner === 'string') return encodeURIComponent(owner);
      throw new SystemError('PowerOffice', 'refused', {
        text: `a ${kind.name} is created below its ${name}, and none was given`,
        fields: [name],
      });
    });
    const reference = this.#writeReferences ? referenceFor(kind, values, identity.externalId) : null;
    if (reference) body[reference.field] = reference.value;
    const answer = await this.#client.send({ method: 'POST', path: [kind.path, ...owners].join('/'), json: body }, options);
    this.#noteClock(answer, options);
    return this.#shown(kind, answer, fields);
  }

  async update(request: UpdateRequest, options: CallOptions & { unconditional?: boolean }): Promise<Snapshot> {
    const { type, id, set, condition, fields } = request;
    const kind = resource(type);
    const conditional = !options.unconditional && this.#patchTest.get() !== 'missing';
    const { testable, unnameable } = partition(kind, condition.test);
    const first = conditional ? unnameable : condition.test;
    // What no PATCH may name cannot be tested: the window is as narrow as a read right before the write makes it.
    if (Object.keys(first).length > 0) await this.#requireUnchanged({ kind, id, expected: first }, options);
    const tested = conditional ? testable : {};
    const patch = [...operations(kind, 'test', tested), ...operations(kind, 'replace', set)];
    let answer;
    try {
      answer = await this.#client.send(
        { method: 'PATCH', path: addressOf(kind, id), json: patch, contentType: 'application/json-patch+json' },
        options,
      );
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      throw await this.#understood(error, { kind, id, tested, options });
    }
    if (Object.keys(tested).length > 0) await this.#patchTest.settle('works');
    if (answer.body === undefined) return this.#readBack(kind, request, options);
    if (movesStamp(kind, set) && hasChanged(request, this.#shown(kind, answer, fields))) this.#noteClock(answer, options);
    return this.#shown(kind, answer, fields);
  }

  #shown(kind: Resource, answer: Answer, fields: readonly string[]): Snapshot {
    return goSnapshot(kind, inPascalCase(answer.body), { fields, clock: this.#client.clock, answer, read: false });
  }

  /** The moment of our own write, by the system's clock. */
  #noteClock(answer: Answer, { again }: CallOptions): void {
    const instant = (inPascalCase(answer.body) as Record<string, unknown> | undefined)?.[CHANGED];
    if (isInstant(instant) && !again) this.#client.clock.write(instantMs(instant), answer);
  }

  /** An answer without a record: one read, when the replica has it. */
  async #readBack(kind: Resource, { id, set, condition, fields }: UpdateRequest, options: CallOptions): Promise<Snapshot> {
    await sleep(LAG_MS, undefined, { signal: options.signal });
    const names = [...new Set([...fields, ...Object.keys(set)])];
    const answer = await this.#client.send({ method: 'GET', path: addressOf(kind, id) }, options);
    const seen = goSnapshot(kind, inPascalCase(answer.body), { fields: names, clock: this.#client.clock, answer, read: true });
    const shows = Object.entries(set).every(([name, value]) => String(seen.fields[name] ?? '') === String(value ?? ''));
    if (seen.version > condition.version || shows) return seen;
    throw new SystemError(
      'PowerOffice',
      'unreachable',
      'a write was answered without the record, and a read does not show it yet',
    );
  }

  async #requireUnchanged(
    { kind, id, expected }: { readonly kind: Resource; readonly id: string; readonly expected: Values },
    options: CallOptions,
  ): Promise<void> {
    const { body } = await this.#client.send({ method: 'GET', path: addressOf(kind, id) }, options);
    const record = inPascalCase(body);
    requireUnchanged('PowerOffice', expected, (name) => fromWire(kind, name, valueAt(record, name)));
  }

  /**
   * What a failed PATCH means. Where the words of a failed `test` were never met on this service, a 400 in other words
   * may be one: a single read tells, when the replica has what was there before.
   */
  async #understood(
    error: SystemError,
    {
      kind,
      id,
      tested,
      options,
    }: { kind: Resource; id: string; tested: Values; options: CallOptions & { unconditional?: boolean } },
  ): Promise<SystemError> {
    const { status, text, fields } = error;
    const as = (failure: 'contended' | 'refused'): SystemError =>
      new SystemError('PowerOffice', failure, { text, ...(status === null ? {} : { status }), fields });
    const testing = Object.keys(tested).length > 0;
    // The framework fails so on a patch that it cannot map: with a `test`, that may be the cause; without, it is the patch.
    if (status === 500 && testing) return as('contended');
    if (status === 500 && options.unconditional) return as('refused');
    if (status !== 400 || !testing) return error;
    if (NOT_EQUAL.test(text)) {
      this.#wordsSeen = true;
      await this.#patchTest.settle('works');
      return as('contended');
    }
    if (SPEAKS_OF_TEST.test(text)) return as('contended');
    if (this.#wordsSeen || fields.length > 0 || /privilege/i.test(text)) return error;
    await sleep(LAG_MS, undefined, { signal: options.signal });
    try {
      await this.#requireUnchanged({ kind, id, expected: tested }, options);
      return error;
    } catch (moved) {
      return moved instanceof SystemError && moved.failure === 'contended' ? as('contended') : error;
    }
  }
}

/** Whether a write of these moves the record's stamp, which then tells the service's time. */
const movesStamp = (kind: Resource, set: Values): boolean =>
  Object.keys(set).some((name) => !kind.fields.find((field) => field.name === name)?.unstamped);

/** Conditions by whether a PATCH may name their property. */
function partition(kind: Resource, test: Values): { testable: Values; unnameable: Values } {
  const may = new Set(kind.fields.filter(({ writable }) => writable).map(({ name }) => name));
  const entries = Object.entries(test);
  return {
    testable: Object.fromEntries(entries.filter(([name]) => may.has(name))),
    unnameable: Object.fromEntries(entries.filter(([name]) => !may.has(name))),
  };
}

const operations = (kind: Resource, op: 'test' | 'replace', values: Values): { op: string; path: string; value: unknown }[] =>
  Object.entries(values).map(([name, value]) => ({ op, path: pointer(name), value: toWire(kind, name, value) }));

const pointer = (path: string): string =>
  '/' +
  path
    .split('.')
    .map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
    .join('/');
