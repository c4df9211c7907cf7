import { instantMs } from '../../flows/instant.ts';
import { pathSteps } from '../../flows/path.ts';
import { sameValue, type Value } from '../../flows/values.ts';
import type { Answer } from '../http.ts';
import {
  hasChanged,
  putAt,
  requireUnchanged,
  type CallOptions,
  type CreateRequest,
  type Snapshot,
  type UpdateRequest,
} from '../connector.ts';
import type { SystemClock } from '../clock.ts';
import { isTidied, looksLike } from '../looksLike.ts';
import { SystemError } from '../systemError.ts';
import { placeOf, removeAt } from './profile/place.ts';
import type { ReadyType, Writing } from './profile/resolve.ts';
import {
  bodyOf,
  idAt,
  isFine,
  isObject,
  lastStep,
  namesFor,
  placeIn,
  snapshotOf,
  written,
  type Json,
  type Reading,
} from './record.ts';
import type { Send } from './transport.ts';

/** How often what was written is looked for, a lag apart. */
const LOOKS = 6;

/** What writing needs of the connector. */
export interface WritingHost {
  readonly type: ReadyType;
  readonly send: Send;
  readonly clock: SystemClock;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly absentSeen: boolean;
  readonly read: (id: string, fields: readonly string[], options: CallOptions) => Promise<{ seen: Snapshot; body: Json }>;
  readonly find: (externalId: string, fields: readonly string[], options: CallOptions) => Promise<readonly Snapshot[]>;
}

const pointer = (path: string): string =>
  `/${path
    .split('.')
    .map((step) => step.replaceAll('~', '~0').replaceAll('/', '~1'))
    .join('/')}`;

/** Creates, updates and deletes of one type. */
// oxlint-disable-next-line max-lines-per-function -- a closure over a type and its host; each kind of write is a function of its own
export function writing(host: WritingHost) {
  const { type, send } = host;
  const { operations, condition } = type;
  const lag = (): Promise<unknown> => host.sleep(Math.max(200, type.stamps.lagMs));
  const conditional = typeof condition === 'object';

  /** The record of an answer, where it shows the whole of it. */
  function shown(
    operation: Writing,
    answer: Answer,
    { fields, asked }: { readonly fields: readonly string[]; readonly asked?: string },
  ): Snapshot {
    const record = placeOf(answer.body, operation.out);
    const reading: Reading = {
      type,
      fields,
      etag: answer.headers.get('etag'),
      absentSeen: host.absentSeen,
      clock: host.clock,
      ...(asked === undefined ? {} : { asked }),
    };
    return snapshotOf(record, reading);
  }

  function noteClock(
    operation: Writing,
    { answer, seen, replayable = false }: { readonly answer: Answer; readonly seen: Snapshot; readonly replayable?: boolean },
    options: CallOptions,
  ): void {
    // A stamp of whole seconds says less of the clock than the Date header does.
    if (options.again || !isFine(placeOf(answer.body, operation.out), type)) return;
    host.clock.write(instantMs(seen.instant), answer, replayable);
  }

  /** A record that was just made may be invisible for a while. */
  async function readNew(id: string, fields: readonly string[], options: CallOptions): Promise<Snapshot> {
    for (let looks = 1; ; looks++) {
      try {
        return (await host.read(id, fields, options)).seen;
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        // Too many requests, say, were those of this read, and not of the create.
        if (error.retryable) throw error.afterSuccess(id);
        // It is there, so it must not be made again because it can't be read.
        if (error.failure !== 'gone')
          throw new SystemError('CRM', 'unstored', {
            text: `${type.name} ${id} was made, but cannot be linked: ${error.text}`,
            made: id,
          });
        if (looks >= LOOKS)
          throw new SystemError('CRM', 'unstored', {
            text: `${type.name} ${id}: answered, not stored: the create was answered with this id, and no such record is there`,
            // It may be there all the same: a gateway says 404 of what it cannot reach.
            made: id,
          });
        await lag();
      }
    }
  }

  /** The answer to a create did not show the record: it is read by its id, else looked up. Never made again. */
  async function afterCreate(answer: Answer, request: CreateRequest, options: CallOptions): Promise<Snapshot> {
    const id =
      idAt(answer.body, operations.create.id) ??
      idAt(placeOf(answer.body, operations.create.out), type.record.id) ??
      idAt(answer.body, type.record.id) ??
      (typeof answer.body === 'string' || typeof answer.body === 'number' ? String(answer.body) : null) ??
      lastStep(answer.headers.get('location') ?? '');
    if (id !== null) return { ...(await readNew(id, request.fields, options)), readBack: true };
    for (let looks = 1; operations.find && looks <= LOOKS; looks++) {
      const found = await host.find(request.identity.externalId, request.fields, options);
      if (found.length > 1)
        throw new SystemError(
          'CRM',
          'unstored',
          `a create was answered without an id, and ${found.length} records carry ${request.identity.externalId}`,
        );
      if (found[0]) return { ...found[0], readBack: true };
      await lag();
    }
    throw new SystemError(
      'CRM',
      'unstored',
      `a ${type.name} was made, but the answer does not tell its id, and no record carries ${request.identity.externalId}: it is not made a second time. Look for it in the CRM`,
    );
  }

  async function create(request: CreateRequest, options: CallOptions): Promise<Snapshot> {
    const { create: operation } = operations;
    const { externalId, idempotencyKey } = request.identity;
    if (operation.upserts) {
      const [there] = await host.find(externalId, request.fields, options);
      if (there) throw new SystemError('CRM', 'taken', `${externalId} is carried by ${type.name} ${there.id} already`);
    }
    const values = bodyOf(type, request.values);
    if (type.record.externalId !== undefined) putAt(values, type.record.externalId, externalId);
    const variables = {
      ...type.variables,
      ...namesFor(type, request.fields),
      values,
      properties: inner(values),
      externalId,
      idempotencyKey,
    };
    const answer = await send({ operation: 'create', request: operation, variables }, options);
    if (operation.answer !== 'whole' || !isObject(placeOf(answer.body, operation.out)))
      return afterCreate(answer, request, options);
    let seen: Snapshot;
    try {
      seen = shown(operation, answer, { fields: request.fields });
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return afterCreate(answer, request, options);
    }
    noteClock(operation, { answer, seen, replayable: namesKey(operation) }, options);
    return seen;
  }

  const inner = (values: Json): unknown => (type.record.values === undefined ? values : placeOf(values, type.record.values));

  /** What is sent: the changes, the whole record, or a patch. */
  function changesFor(request: UpdateRequest, now: Json | null, unconditional: boolean): Json | object[] {
    const { set, condition: expected } = request;
    if (operations.update.style === 'jsonPatch') {
      const path = (name: string): string => pointer(placeIn(type, name));
      const tests = condition === 'jsonPatchTest' && !unconditional ? Object.entries(expected.test) : [];
      return [
        ...tests.map(([name, value]) => ({ op: 'test', path: path(name), value: written(type, name, value) })),
        ...Object.entries(set).map(([name, value]) => ({ op: 'replace', path: path(name), value: written(type, name, value) })),
      ];
    }
    if (!now) return bodyOf(type, set);
    const whole = structuredClone(now);
    const body: Json = operations.update.style === 'replace' ? whole : {};
    for (const path of operations.update.omit ?? []) removeAt(whole, path);
    for (const [name, value] of Object.entries(set)) {
      putAt(whole, placeIn(type, name), written(type, name, value));
      const [top] = pathSteps(placeIn(type, name));
      if (operations.update.style === 'merge' && top) body[top.name] = whole[top.name];
    }
    return body;
  }

  async function update(request: UpdateRequest, options: CallOptions & { unconditional?: boolean }): Promise<Snapshot> {
    const { id, set, fields } = request;
    const { update: operation } = operations;
    let { etag } = request.condition;
    // A list is sent as a whole: the other elements must be known.
    const element = Object.keys(set).some((name) => pathSteps(name).some((step) => step.where));
    const needsWhole = operation.style === 'replace' || element;
    let now: Json | null = null;
    if (needsWhole || condition === 'none' || (conditional && etag === undefined)) {
      // Where the condition cannot be sent along, the window is as narrow as a read before the write makes it.
      const { seen, body } = await host.read(id, Object.keys(request.condition.test), options);
      requireUnchanged('CRM', request.condition.test, (name) => seen.fields[name]);
      etag = seen.etag;
      if (needsWhole) now = body;
    }
    const values = changesFor(request, now, options.unconditional ?? false);
    const answer = await send(
      {
        operation: 'update',
        request:
          operation.style === 'jsonPatch'
            ? { ...operation, contentType: operation.contentType ?? 'application/json-patch+json' }
            : operation,
        variables: {
          ...type.variables,
          ...namesFor(type, fields),
          id,
          values,
          properties: Array.isArray(values) ? values : inner(values as Json),
          etag,
          condition: conditionText(etag),
        },
        headers: conditionHeader(etag),
      },
      options,
    );
    if (answer.body === undefined || operation.answer !== 'whole') return afterWrite(() => stored(request, options));
    const seen = await afterWrite(() => shown(operation, answer, { fields, asked: id }));
    if (hasChanged(request, seen)) noteClock(operation, { answer, seen }, options);
    return seen.version > request.condition.version ? seen : afterWrite(() => stored(request, options));
  }

  /** What cannot be shown after a write that was answered with success: the write stands all the same. */
  async function afterWrite<T>(show: () => T | Promise<T>): Promise<T> {
    try {
      return await show();
    } catch (error) {
      throw error instanceof SystemError && error.failure !== 'unstored' ? error.afterSuccess() : error;
    }
  }

  const conditionText = (etag: string | undefined): string | undefined =>
    conditional ? (etag ?? condition.otherwise) : undefined;

  function conditionHeader(etag: string | undefined): Record<string, string> {
    const value = conditionText(etag);
    if (!conditional || condition.header === undefined || value === undefined) return {};
    // Braces of a tag are its own, not a template's.
    return { [condition.header]: value.replace(/\{(\w+)\}/g, '{{$1}}') };
  }

  /**
   * A write was answered with success, but not with a newer record: it is read until it shows what was written, or what
   * the system makes of that. The old value after the lag means that nothing was stored, or that somebody set it back.
   */
  async function stored({ id, set, condition: expected, fields }: UpdateRequest, options: CallOptions): Promise<Snapshot> {
    for (let looks = 1; ; looks++) {
      const seen = await readAgain(id, [...new Set([...fields, ...Object.keys(set)])], { looks, options });
      const moved = seen !== null && seen.version > expected.version;
      // A system that cuts may have made the old value of the new one; but then it has stored something.
      const madeOf = (name: string, value: Value): boolean =>
        moved ? looksLike(seen.fields, { [name]: value }) : isTidied(seen?.fields[name], value);
      const isOld = (name: string): boolean => sameValue(seen?.fields[name], expected.test[name]);
      const stuck = ([name, value]: [string, Value]): boolean => !madeOf(name, value) && isOld(name);
      // What is both may be no more than a replica that lags: asked once more, it is what the system has made of the value.
      const doubtful = ([name, value]: [string, Value]): boolean =>
        !moved && looks === 1 && isOld(name) && !sameValue(seen?.fields[name], value);
      if (seen && !Object.entries(set).some((each) => stuck(each) || doubtful(each)))
        return { ...seen, fields: Object.fromEntries(fields.map((name) => [name, seen.fields[name] ?? null])) };
      if (looks >= LOOKS)
        throw new SystemError('CRM', 'unstored', {
          text: `${type.name} ${id}: answered, not stored: the write was answered with success, and after ${LOOKS} looks the record shows the old value${moved ? ' again' : ' at an unmoved version'}`,
          // Somebody may have set it back.
          stands: moved,
        });
      await lag();
    }
  }

  /** What was just written is there; a replica may not know it yet. */
  async function readAgain(
    id: string,
    fields: readonly string[],
    { looks, options }: { readonly looks: number; readonly options: CallOptions },
  ): Promise<Snapshot | null> {
    try {
      return (await host.read(id, fields, options)).seen;
    } catch (error) {
      if (!(error instanceof SystemError) || error.failure !== 'gone' || looks >= LOOKS) throw error;
      return null;
    }
  }

  async function remove(id: string, options: CallOptions): Promise<void> {
    const { delete: operation } = operations;
    if (!operation) throw new SystemError('CRM', 'refused', `the profile has no operation delete for ${type.name}`);
    let etag: string | undefined;
    if (conditional && condition.delete) ({ etag } = (await host.read(id, [], options)).seen);
    const headers = conditional && condition.delete ? conditionHeader(etag) : {};
    const variables = { ...type.variables, id, etag, condition: conditionText(etag) };
    await send({ operation: 'delete', request: operation, variables, headers }, options);
  }

  return { create, update, remove };
}

/** Whether a create carries the key by which the system knows a second try. */
export const namesKey = (operation: Writing): boolean =>
  JSON.stringify([operation.path, operation.query, operation.headers, operation.body]).includes('{idempotencyKey');
