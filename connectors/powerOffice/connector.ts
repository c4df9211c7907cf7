import { convert, decimalText } from '../../flows/convert.ts';
import { instantKey, instantMs, isInstant, justBefore } from '../../flows/instant.ts';

import type { Value } from '../../flows/values.ts';
import type { RateLimiter } from '../rateLimiter.ts';
import { SystemClock } from '../clock.ts';
import { SystemError } from '../systemError.ts';
import { call, type Answer, type Call } from '../http.ts';
import { inOrder, type Lister } from '../paging.ts';
import {
  requireUnchanged,
  putAt,
  valueAt,
  type CallOptions,
  type WriteCondition,
  type Snapshot,
  type Connector,
} from '../connector.ts';
import { POWEROFFICE_CATALOGUE, RESOURCES, type Resource } from './catalogue.ts';
import { Token, type PowerOfficeKeys } from './token.ts';

const CHANGED = 'LastChangedDateTimeOffset';
const PAGE_SIZE = 2000;
const IDS_PAGE_SIZE = 20_000;
const LAG_MS = 1500;

/** Another cache may answer a read so long after a write (ms). */
const READS_APART_MS = 5500;

/** Whether the live service lets JSON Patch `test` through is not documented: unknown until seen. */
export interface PatchTest {
  get(): 'unknown' | 'works' | 'missing';
  /** One accepted patch with a `test` settles for good that it works. */
  settle(capability: 'works' | 'missing'): Promise<void>;
}

function resource(type: string): Resource {
  const found = RESOURCES.find((each) => each.name === type);
  if (!found) throw new SystemError('PowerOffice', 'refused', `the connector does not speak the type ${type}`);
  return found;
}

const problem = (what: string): SystemError => new SystemError('PowerOffice', 'malformed', what);

/** PowerOffice Go API v2. Source of all its facts: the provider's public documentation, and docs/systems.md. */
export function powerOffice(keys: PowerOfficeKeys, throttle: RateLimiter, patchTest: PatchTest): Connector {
  const base = keys.url.replace(/\/+$/, '');
  const token = new Token(keys);
  const clock = new SystemClock();

  /** Every call but the token's takes a slot, retries included. */
  async function send(
    request: Omit<Call, 'url' | 'headers'> & { path: string; query?: Record<string, string> },
    options: CallOptions,
  ): Promise<Answer> {
    const query =
      request.query && Object.keys(request.query).length > 0 ? `?${new URLSearchParams(request.query).toString()}` : '';
    for (let renewed = false; ; renewed = true) {
      const bearer = await token.get();
      await throttle.take(options.priority, options.signal);
      try {
        const answer = await call('PowerOffice', {
          ...request,
          url: `${base}/${request.path}${query}`,
          headers: { authorization: `Bearer ${bearer}`, 'ocp-apim-subscription-key': keys.subscriptionKey },
          signal: options.signal,
        });
        clock.date(answer.headers.get('date'), answer.sentAt, answer.receivedAt);
        const kind = `${request.method} ${request.path.split('/').length}`;
        void throttle.answered(kind, answer.sentAt, answer.receivedAt - answer.sentAt);
        return answer;
      } catch (error) {
        if (error instanceof SystemError && error.failure === 'throttled') await throttle.hold(error.retryAfterMs ?? 1000);
        if (!(error instanceof SystemError) || error.failure !== 'unauthorized' || renewed) throw error;
        token.reject(bearer);
      }
    }
  }

  function snapshot(kind: Resource, record: unknown, fields: readonly string[]): Snapshot {
    if (record === null || typeof record !== 'object') throw problem(`a ${kind.name} is not an object`);
    const ids = kind.idFields.map((name) => (record as Record<string, unknown>)[name]);
    if (!ids.every((id) => typeof id === 'number' || typeof id === 'string'))
      throw problem(`a ${kind.name} has no ${kind.idFields.join(' and ')}`);
    const instant = (record as Record<string, unknown>)[CHANGED];
    if (!isInstant(instant)) throw problem(`${kind.name} ${ids.join('/')} has no ${CHANGED}`);
    return {
      id: ids.join('/'),
      version: instantKey(instant),
      instant,
      fields: Object.fromEntries(fields.map((field) => [field, read(kind, field, valueAt(record, field))])),
      at: clock.correct(instantMs(instant)),
    };
  }

  function list(kind: Resource, answer: Answer): unknown[] {
    if (answer.status === 204) return [];
    if (!Array.isArray(answer.body)) throw problem(`the list of ${kind.path} is not an array`);
    return answer.body;
  }

  function lister(kind: Resource, fields: readonly string[], options: CallOptions): Lister {
    // A nested field comes with the whole of its object.
    const select = [...new Set([...kind.idFields, CHANGED, ...fields.map((field) => field.split('.')[0] ?? field)])].join(',');
    let ordered = true;
    return {
      ordered: true,
      async page(since, page) {
        const query = {
          Fields: select,
          PageSize: String(PAGE_SIZE),
          PageNumber: page ?? '1',
          ...(ordered ? { OrderBy: CHANGED } : {}),
          ...(since === null ? {} : { lastChangedDateTimeOffsetGreaterThan: since.replace(/Z$/, '+00:00') }),
        };
        const rows = list(kind, await send({ method: 'GET', path: kind.path, query }, options)).map((record) =>
          snapshot(kind, record, fields),
        );
        return { rows, next: rows.length < PAGE_SIZE ? null : String(Number(page ?? '1') + 1) };
      },
      including: justBefore,
      refusesOrder(error) {
        const refused = ordered && error instanceof SystemError && error.status === 400;
        if (refused) ordered = false;
        return refused;
      },
    };
  }

  /** Without `test` the window is as narrow as a read before the write makes it. */
  async function readFirst(type: string, id: string, condition: WriteCondition, options: CallOptions): Promise<void> {
    const kind = resource(type);
    const answer = await send({ method: 'GET', path: address(kind, id) }, options);
    requireUnchanged('PowerOffice', condition.test, (name) => read(kind, name, valueAt(answer.body, name)));
  }

  const address = (kind: Resource, id: string): string => `${kind.path}/${id.split('/').map(encodeURIComponent).join('/')}`;

  return {
    name: 'powerOffice',
    title: 'PowerOffice',
    catalogue: POWEROFFICE_CATALOGUE,
    clock,
    lagMs: LAG_MS,
    features: () => ({ conditional: patchTest.get() === 'missing' ? 'none' : 'test', externalId: false, idempotencyKey: false }),
    conditionProbe: {
      isDoubtful: (refusal) => refusal.status === 400,
      readsApartMs: READS_APART_MS,
      isOpen: () => patchTest.get() !== 'works',
      settleMissing: () => patchTest.settle('missing'),
      warning:
        'PowerOffice does not take JSON Patch test: from now on a read comes before each write, and an edit within that moment can be overwritten',
    },

    async check(signal) {
      try {
        const answer = await send({ method: 'GET', path: 'ClientIntegrationInformation' }, { priority: 'write', signal });
        const body = (answer.body ?? {}) as Record<string, unknown>;
        const id = body['ClientId'] ?? body['clientId'] ?? body['Id'] ?? '';
        return { identity: typeof id === 'string' || typeof id === 'number' ? `${base} ${id}`.trim() : base };
      } catch (error) {
        // Optional: a service without it, or a key without that privilege, still showed that the key is taken.
        if (error instanceof SystemError && (error.failure === 'gone' || error.status === 403)) return { identity: base };
        throw error;
      }
    },

    changed: ({ type, fields, since }, options) => inOrder(lister(resource(type), fields, options), since),

    async *ids(type, options) {
      const kind = resource(type);
      for (let page = 1; ; page++) {
        const query = {
          Fields: kind.idFields.join(','),
          OrderBy: 'Id',
          PageSize: String(IDS_PAGE_SIZE),
          PageNumber: String(page),
        };
        const rows = list(kind, await send({ method: 'GET', path: kind.path, query }, options));
        yield rows.map((row) => {
          const ids = kind.idFields.map((name) => (row as Record<string, unknown> | null)?.[name]);
          if (!ids.every((id) => typeof id === 'number' || typeof id === 'string'))
            throw problem(`a ${kind.name} has no ${kind.idFields.join(' and ')}`);
          return ids.join('/');
        });
        if (rows.length < IDS_PAGE_SIZE) return;
      }
    },

    async read({ type, id, fields }, options) {
      const kind = resource(type);
      return snapshot(kind, (await send({ method: 'GET', path: address(kind, id) }, options)).body, fields);
    },

    async create({ type, values, fields }, options) {
      const kind = resource(type);
      const body: Record<string, unknown> = {};
      for (const [name, value] of Object.entries(values)) putAt(body, name, sent(kind, name, value));
      // A record that belongs to another is created below it.
      const owners = kind.idFields.slice(0, -1).map((name) => {
        const owner = body[name];
        delete body[name];
        if (typeof owner === 'number' || typeof owner === 'string') return encodeURIComponent(owner);
        throw new SystemError('PowerOffice', 'refused', `a ${kind.name} is created below its ${name}, and none was given`, {
          fields: [name],
        });
      });
      const answer = await send({ method: 'POST', path: [kind.path, ...owners].join('/'), json: body }, options);
      return written(kind, answer, fields, options);
    },

    async update({ type, id, set, condition, fields }, options) {
      const kind = resource(type);
      if (patchTest.get() === 'missing' || options.unconditional) await readFirst(type, id, condition, options);
      const conditional = !options.unconditional && patchTest.get() !== 'missing';
      const tests = conditional
        ? Object.entries(condition.test).map(([name, value]) => ({
            op: 'test',
            path: pointer(name),
            value: sent(kind, name, value),
          }))
        : [];
      const patch = [
        ...tests,
        ...Object.entries(set).map(([name, value]) => ({ op: 'replace', path: pointer(name), value: sent(kind, name, value) })),
      ];
      try {
        const answer = await send(
          { method: 'PATCH', path: address(kind, id), json: patch, contentType: 'application/json-patch+json' },
          options,
        );
        if (tests.length > 0) await patchTest.settle('works');
        return written(kind, answer, fields, options);
      } catch (error) {
        if (
          error instanceof SystemError &&
          error.status === 400 &&
          tests.length > 0 &&
          mayBeTest(error, [...Object.keys(set), ...Object.keys(condition.test)])
        )
          throw new SystemError('PowerOffice', 'contended', error.text, { status: 400, fields: error.fields });
        throw error;
      }
    },

    async remove(type, id, options) {
      const kind = resource(type);
      await send({ method: 'DELETE', path: address(kind, id) }, options);
    },

    async find({ type, by, fields }, options) {
      const found: Snapshot[] = [];
      for await (const page of inOrder(
        lister(resource(type), [...fields, ...Object.keys(by.values)], options),
        new Date(by.since).toISOString(),
      ))
        found.push(
          ...page.records.filter((record) => Object.entries(by.values).every(([name, value]) => record.fields[name] === value)),
        );
      return found;
    },
  };

  function written(kind: Resource, answer: Answer, fields: readonly string[], options: CallOptions): Snapshot {
    const instant = (answer.body as Record<string, unknown> | undefined)?.[CHANGED];
    if (isInstant(instant) && !options.again) clock.write(instantMs(instant), answer.sentAt, answer.receivedAt);
    return snapshot(kind, answer.body, fields);
  }
}

const isDecimal = (kind: Resource, name: string): boolean =>
  kind.fields.some((field) => field.name === name && field.type === 'decimal');

/** Amounts are JSON numbers there and plain digits with us, so that no rounding happens on the way between two systems. */
const read = (kind: Resource, name: string, value: Value): Value =>
  typeof value === 'number' && isDecimal(kind, name) ? decimalText(value) : value;

function sent(kind: Resource, name: string, value: Value): Value {
  if (typeof value !== 'string' || value === '' || !isDecimal(kind, name)) return value;
  const number = Number(value);
  if (Number.isFinite(number) && convert(decimalText(number), 'decimal') === convert(value, 'decimal')) return number;
  throw new SystemError('PowerOffice', 'refused', `${name} takes a number, and the amount has more digits than one can hold`, {
    fields: [name],
  });
}

const pointer = (path: string): string =>
  '/' +
  path
    .split('.')
    .map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
    .join('/');

/**
 * Whether a 400 may mean that a `test` did not hold. It speaks of a test, or at least blames no written field in
 * `errors`; where it is neither, it is a plain refusal.
 */
function mayBeTest(error: SystemError, fields: readonly string[]): boolean {
  if (/\btest\b/i.test(error.text)) return true;
  const blamed = error.fields.map((field) => field.replace(/^[/$.]+/, '').toLowerCase());
  return !fields.some((field) => blamed.includes(field.toLowerCase()));
}
