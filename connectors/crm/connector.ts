import { setTimeout as sleep } from 'node:timers/promises';
import type { Catalogue } from '../../flows/catalogue.ts';
import { instantKey, instantMs, isInstant, justBefore } from '../../flows/instant.ts';
import { pathSteps } from '../../flows/path.ts';
import { sameValue, type Value } from '../../flows/values.ts';
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
import type { Profile } from './profile.ts';

type Json = Record<string, unknown>;

const problem = (what: string): SystemError => new SystemError('CRM', 'malformed', what);
const isObject = (value: unknown): value is Json => value !== null && typeof value === 'object' && !Array.isArray(value);

/** A profile's types as a catalogue that flows are checked against. */
export function catalogueOf(profile: Profile): Catalogue {
  const types = Object.entries(profile.types).map(([typeName, shape]) => ({
    name: typeName,
    path: shape.path,
    idFields: [profile.record.id],
    fields: shape.fields.map(({ name, type, writable, maxLength, refers }) => ({
      name,
      type,
      writable,
      ...(maxLength === undefined ? {} : { maxLength }),
      ...(refers === undefined ? {} : { refers }),
    })),
    lists: shape.lists,
  }));
  return { system: 'crm', types };
}

/** Any REST CRM that a profile describes. What the profile leaves out is done without. */
export function crm(url: string, secret: string, profile: Profile): Connector {
  const base = url.replace(/\/+$/, '') + profile.basePath;
  const clock = new SystemClock();
  const { record: shape, list: listing } = profile;

  async function send(
    request: Omit<Call, 'url'> & { path: string; query?: Record<string, string> },
    options: Pick<CallOptions, 'signal'>,
  ): Promise<Answer> {
    const query =
      request.query && Object.keys(request.query).length > 0 ? `?${new URLSearchParams(request.query).toString()}` : '';
    const answer = await call('CRM', {
      ...request,
      url: `${base}${request.path}${query}`,
      headers: { [profile.auth.header]: `${profile.auth.scheme} ${secret}`.trim(), ...request.headers },
      signal: options.signal,
    });
    clock.date(answer.headers.get('date'), answer.sentAt, answer.receivedAt);
    return answer;
  }

  function path(type: string, id?: string): string {
    const kind = profile.types[type];
    if (!kind) throw new SystemError('CRM', 'refused', `the profile "${profile.name}" does not speak the type ${type}`);
    return id === undefined ? kind.path : `${kind.path}/${encodeURIComponent(id)}`;
  }

  const field = (name: string): string => (shape.values === undefined ? name : `${shape.values}.${name}`);
  const opened = (body: unknown): unknown =>
    shape.envelope === undefined ? body : isObject(body) ? body[shape.envelope] : undefined;
  const closed = (record: Json): Json => (shape.envelope === undefined ? record : { [shape.envelope]: record });

  function snapshot(type: string, record: unknown, fields: readonly string[], etag?: string | null): Snapshot {
    if (!isObject(record)) throw problem(`a ${type} is not an object`);
    const id = record[shape.id];
    if (typeof id !== 'string' && typeof id !== 'number') throw problem(`a ${type} has no ${shape.id}`);
    const instant = valueAt(record, shape.changed);
    if (!isInstant(instant)) throw problem(`${type} ${id} has no ${shape.changed}`);
    const version = shape.version === undefined ? null : valueAt(record, shape.version);
    const externalId = shape.externalId === undefined ? null : valueAt(record, shape.externalId);
    const tag =
      profile.ifMatch === 'version' && version !== null ? `"${String(version)}"` : profile.ifMatch === 'header' ? etag : null;
    return {
      id: String(id),
      // Two changes within one stamp's grain are told apart by the version.
      version: instantKey(instant) + (typeof version === 'number' ? `/${String(version).padStart(12, '0')}` : ''),
      instant,
      ...(tag ? { etag: tag } : {}),
      ...(shape.created !== undefined && valueAt(record, shape.created) === instant ? { untouched: true } : {}),
      ...(typeof externalId === 'string' && externalId !== '' ? { externalId } : {}),
      fields: Object.fromEntries(fields.map((name) => [name, valueAt(record, field(name))])),
      at: clock.correct(instantMs(instant)),
    };
  }

  /** One page; the token is a cursor, an offset or a page's number, as the profile says. */
  async function page(
    type: string,
    filter: Record<string, string>,
    token: string | null,
    options: CallOptions,
  ): Promise<{ rows: unknown[]; next: string | null }> {
    const { paging } = listing;
    const query: Record<string, string> = { [paging.limit]: String(paging.size), ...filter };
    if (paging.style === 'cursor' && token !== null) query[paging.cursor] = token;
    if (paging.style === 'offset') query[paging.offset] = token ?? '0';
    if (paging.style === 'page') query[paging.page] = token ?? String(paging.first);
    const answer = await send({ method: 'GET', path: path(type), query }, options);
    const rows = listing.items === undefined ? answer.body : isObject(answer.body) ? answer.body[listing.items] : undefined;
    if (answer.status === 204) return { rows: [], next: null };
    if (!Array.isArray(rows)) throw problem(`the list of ${type} has no array of records`);
    if (paging.style === 'cursor') {
      const next = (answer.body as Json)[paging.next];
      if (next !== null && next !== undefined && typeof next !== 'string' && typeof next !== 'number')
        throw problem(`the list of ${type} has no usable ${paging.next}`);
      return { rows, next: next === null || next === undefined || next === '' ? null : String(next) };
    }
    const full = rows.length >= paging.size;
    const number = Number(token ?? (paging.style === 'page' ? paging.first : 0));
    return { rows, next: full ? String(number + (paging.style === 'page' ? 1 : rows.length)) : null };
  }

  function lister(type: string, fields: readonly string[], options: CallOptions): Lister {
    const { changes } = listing;
    return {
      ordered: changes?.sorted ?? false,
      async page(since, token) {
        const filter: Record<string, string> =
          changes && since !== null ? { [changes.since]: new Date(Math.floor(instantMs(since))).toISOString() } : {};
        const { rows, next } = await page(type, filter, token, options);
        return { rows: rows.map((row) => snapshot(type, row, fields)), next };
      },
      including: (instant) => (changes?.inclusive === false ? justBefore(instant) : instant),
    };
  }

  async function read(
    type: string,
    id: string,
    fields: readonly string[],
    options: CallOptions,
  ): Promise<{ seen: Snapshot; body: Json }> {
    const answer = await send({ method: 'GET', path: path(type, id) }, options);
    const body = opened(answer.body);
    return { seen: snapshot(type, body, fields, answer.headers.get('etag')), body: isObject(body) ? body : {} };
  }

  /** Where the condition cannot be sent along, the window is as narrow as a read before the write makes it. */
  async function readFirst(
    type: string,
    id: string,
    condition: WriteCondition,
    options: CallOptions,
  ): Promise<{ etag: string | undefined; body: Json }> {
    const { seen, body } = await read(type, id, Object.keys(condition.test), options);
    requireUnchanged('CRM', condition.test, (name) => seen.fields[name]);
    return { etag: seen.etag, body };
  }

  function written(type: string, answer: Answer, fields: readonly string[], options: CallOptions, replayable = false): Snapshot {
    const record = opened(answer.body);
    const { instant } = snapshot(type, record, [], null);
    if (!options.again) clock.write(instantMs(instant), answer.sentAt, answer.receivedAt, replayable);
    return snapshot(type, record, fields, answer.headers.get('etag'));
  }

  async function afterSilence(
    type: string,
    id: string,
    before: string,
    fields: readonly string[],
    options: CallOptions,
  ): Promise<Snapshot> {
    for (let tries = 0; ; tries++) {
      const { seen } = await read(type, id, fields, options);
      if (seen.version > before) return seen;
      if (tries >= 5) throw problem(`${type} ${id} does not show what was just written`);
      await sleep(Math.max(200, profile.lagMs));
    }
  }

  const bodyOf = (values: Readonly<Record<string, Value>>): Json => {
    const body: Json = {};
    for (const [name, value] of Object.entries(values)) putAt(body, field(name), value);
    return body;
  };

  return {
    name: 'crm',
    title: 'CRM',
    catalogue: catalogueOf(profile),
    clock,
    lagMs: profile.lagMs,
    features: () => ({
      conditional: profile.ifMatch === undefined ? 'none' : 'etag',
      externalId: shape.externalId !== undefined && listing.externalId !== undefined,
      idempotencyKey: profile.idempotencyKey !== undefined,
    }),

    async check(signal) {
      const [first] = Object.keys(profile.types);
      const { paging } = listing;
      await send({ method: 'GET', path: path(first ?? ''), query: { [paging.limit]: '1' } }, { signal });
      return { identity: base };
    },

    changed: ({ type, fields, since }, options) => inOrder(lister(type, fields, options), since),

    async *ids(type, options) {
      let token: string | null = null;
      do {
        const got: { rows: unknown[]; next: string | null } = await page(type, {}, token, options);
        yield got.rows.map((row) => {
          const id = isObject(row) ? row[shape.id] : undefined;
          if (typeof id !== 'string' && typeof id !== 'number') throw problem(`a ${type} has no ${shape.id}`);
          return String(id);
        });
        token = got.next;
      } while (token !== null);
    },

    async read({ type, id, fields }, options) {
      return (await read(type, id, fields, options)).seen;
    },

    async create({ type, values, fields, identity }, options) {
      const body = bodyOf(values);
      if (shape.externalId !== undefined) putAt(body, shape.externalId, identity.externalId);
      const answer = await send(
        {
          method: 'POST',
          path: path(type),
          json: closed(body),
          ...(profile.idempotencyKey === undefined ? {} : { headers: { [profile.idempotencyKey]: identity.idempotencyKey } }),
        },
        options,
      );
      return written(type, answer, fields, options, profile.idempotencyKey !== undefined);
    },

    async update({ type, id, set, condition, fields }, options) {
      const { method, contentType, style } = profile.update;
      let { etag } = condition;
      // A list is sent as a whole: the other elements must be known.
      const element = Object.keys(set).some((name) => pathSteps(name).some((step) => step.where));
      let body = element ? {} : bodyOf(set);
      if (style === 'replace' || element || profile.ifMatch === undefined || etag === undefined) {
        const now = await readFirst(type, id, condition, options);
        etag = now.etag;
        const whole = structuredClone(now.body);
        if (style === 'replace') body = whole;
        if (style === 'replace' || element)
          for (const [name, value] of Object.entries(set)) {
            putAt(whole, field(name), value);
            const [top] = pathSteps(field(name));
            if (style === 'merge' && top) body[top.name] = whole[top.name];
          }
      }
      const headers: Record<string, string> = profile.ifMatch !== undefined && etag !== undefined ? { 'if-match': etag } : {};
      const answer = await send({ method, path: path(type, id), json: closed(body), contentType, headers }, options);
      return answer.body === undefined
        ? afterSilence(type, id, condition.version, fields, options)
        : written(type, answer, fields, options);
    },

    async remove(type, id, options) {
      await send({ method: 'DELETE', path: path(type, id) }, options);
    },

    async find({ type, by, fields }, options) {
      const found: Snapshot[] = [];
      if (shape.externalId !== undefined && listing.externalId !== undefined) {
        let token: string | null = null;
        do {
          const got: { rows: unknown[]; next: string | null } = await page(
            type,
            { [listing.externalId]: by.externalId },
            token,
            options,
          );
          found.push(...got.rows.map((row) => snapshot(type, row, fields)).filter((seen) => seen.externalId === by.externalId));
          token = got.next;
        } while (token !== null);
        return found;
      }
      const names = [...new Set([...fields, ...Object.keys(by.values)])];
      for await (const { records } of inOrder(lister(type, names, options), new Date(by.since).toISOString()))
        found.push(
          ...records.filter(
            (seen) =>
              Object.entries(by.values).every(([name, value]) => sameValue(seen.fields[name], value)) &&
              instantMs(seen.instant) >= by.since,
          ),
        );
      return found;
    },
  };
}
