import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { Journal } from './journal.ts';
import { TandemError } from '../flows/tandemError.ts';
import { adminRoutes, type AdminTable } from './adminApi.ts';
import { problem } from './problem.ts';
import { byCatalogueNames, disturbedApp, type StandIn } from './standIn.ts';
import { Table, type SandboxRow } from './table.ts';

export interface CrmOptions {
  readonly token: string;
  readonly file: string | null;
  /** How long a write stays invisible to lists (ms). */
  readonly lagMs?: number;
  readonly seed?: Readonly<Record<string, readonly SandboxRow[]>>;
  readonly clockOffsetMs?: number;
}

interface Kind {
  readonly name: string;
  readonly path: string;
  /** With what its ids begin. */
  readonly letter: string;
  readonly fields: readonly string[];
}

const KINDS: readonly Kind[] = [
  { name: 'Contact', path: 'contacts', letter: 'c', fields: ['givenName', 'familyName', 'email', 'phone', 'title', 'notes'] },
  { name: 'Company', path: 'companies', letter: 'o', fields: ['name', 'notes'] },
  { name: 'Activity', path: 'activities', letter: 'a', fields: ['subject', 'ownerId', 'startsAt'] },
];
const MOST = 120;
const DAY_MS = 24 * 3600 * 1000;

/** A stand-in for the CRM of the default profile. True to docs/systems.md, faults on request. */
// oxlint-disable-next-line max-lines-per-function -- a table of routes over one state
export function crmSandbox(options: CrmOptions): StandIn {
  const journal = new Journal(options.file);
  const settings = {
    lagMs: options.lagMs ?? 0,
    clockOffsetMs: options.clockOffsetMs ?? 0,
    /** What this CRM honours; a test turns features off to be another CRM. */
    ifMatch: true,
    externalId: true,
    idempotency: true,
    /** Answers an update with an empty 204. */
    emptyUpdate: false,
    /** Trims what it is given. */
    trim: false,
    /** Cuts text at so many characters; 0 does not. */
    cut: 0,
  };
  const persist = (change: Parameters<Journal['add']>[0]): void => journal.add(change);
  const tables = Object.fromEntries(KINDS.map((kind) => [kind.name, new Table(kind.name, settings.lagMs, persist)])) as Record<
    string,
    Table
  >;
  // Remembered keys live a day and survive a restart, as the records they made do.
  const keys = new Table('keys', 0, persist);
  const external = new Map<string, string>();
  let lastId = 0;
  let lastMs = 0;

  const restore = (name: string, id: string, row: SandboxRow | null): void => {
    if (name === 'keys') return keys.restore(id, row);
    tables[name]?.restore(id, row);
    lastId = Math.max(lastId, Number(id.replace(/\D/g, '')) || 0);
    const outer = row?.['externalId'];
    if (typeof outer === 'string') external.set(`${name} ${outer}`, id);
    if (row === null) for (const [key, value] of external) if (value === id && key.startsWith(`${name} `)) external.delete(key);
  };
  for (const change of journal.changes) restore(change.table, change.id, change.row);
  if (journal.changes.length === 0)
    for (const [name, rows] of Object.entries(options.seed ?? {}))
      for (const row of rows) {
        journal.add({ table: name, id: String(row['id']), row });
        restore(name, String(row['id']), row);
      }

  const now = (): string => {
    lastMs = Math.max(lastMs, Date.now() + settings.clockOffsetMs);
    return new Date(lastMs).toISOString();
  };

  const tidy = (value: unknown): unknown => {
    if (typeof value !== 'string') return value;
    const text = settings.trim ? value.trim() : value;
    return settings.cut > 0 ? text.slice(0, settings.cut) : text;
  };

  function kindOf(name: string): Kind {
    const kind = KINDS.find((each) => each.name === name);
    if (!kind) throw new TandemError(`there is no type ${name}; types are ${KINDS.map((each) => each.name).join(', ')}`);
    return kind;
  }
  const table = (kind: Kind): Table => tables[kind.name] as Table;

  function faultsOf(kind: Kind, body: SandboxRow): Record<string, string[]> {
    const errors: Record<string, string[]> = {};
    for (const [name, value] of Object.entries(body)) {
      if (!kind.fields.includes(name)) errors[name] = [`${kind.name} has no property ${name}.`];
      else if (value !== null && typeof value !== 'string') errors[name] = [`${name} must be a string or null.`];
      else if (typeof value === 'string' && value.length > MOST)
        errors[name] = [`${name} must not be longer than ${MOST} characters.`];
    }
    return errors;
  }

  function make(kind: Kind, values: SandboxRow, externalId: string | null): SandboxRow {
    const at = now();
    const id = `${kind.letter}${++lastId}`;
    const empty = Object.fromEntries(kind.fields.map((name) => [name, null]));
    const tidied = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, tidy(value)]));
    const row = { id, version: 1, createdAt: at, updatedAt: at, externalId, ...empty, ...tidied };
    table(kind).put(id, row);
    if (externalId !== null) external.set(`${kind.name} ${externalId}`, id);
    return row;
  }

  function edit(kind: Kind, row: SandboxRow, values: SandboxRow): SandboxRow {
    const tidied = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, tidy(value)]));
    const changed = { ...row, ...tidied, version: Number(row['version']) + 1, updatedAt: now() };
    table(kind).put(String(row['id']), changed);
    return changed;
  }

  function drop(kind: Kind, id: string): void {
    const row = table(kind).get(id);
    if (typeof row?.['externalId'] === 'string') external.delete(`${kind.name} ${row['externalId']}`);
    table(kind).delete(id);
  }

  const show = (row: SandboxRow): SandboxRow =>
    settings.externalId ? row : Object.fromEntries(Object.entries(row).filter(([name]) => name !== 'externalId'));
  const etag = (row: SandboxRow): Record<string, string> => (settings.ifMatch ? { etag: `"${String(row['version'])}"` } : {});

  const { app, disturbance } = disturbedApp(() => settings.clockOffsetMs);
  app.use(async (context, next) => {
    if (!context.req.path.startsWith('/_sandbox') && context.req.header('authorization') !== `Bearer ${options.token}`)
      return problem(401, { title: 'Unauthorized', detail: 'The token is missing or unknown.' });
    return next();
  });

  async function objectOf(context: Context, type: string): Promise<SandboxRow | null> {
    if (!(context.req.header('content-type') ?? '').startsWith(type)) return null;
    const body: unknown = await context.req.json().catch(() => null);
    return body !== null && typeof body === 'object' && !Array.isArray(body) ? (body as SandboxRow) : null;
  }

  async function create(context: Context, kind: Kind): Promise<Response> {
    const body = await objectOf(context, 'application/json');
    if (!body) return problem(400, { title: 'Bad Request', detail: 'The body is not a JSON object sent as application/json.' });
    const { externalId = null, ...values } = body;
    const errors = faultsOf(kind, values);
    if (Object.keys(errors).length > 0)
      return problem(422, { title: 'Unprocessable Content', detail: 'The record is not valid.' }, { errors });
    const name = settings.idempotency ? context.req.header('idempotency-key') : undefined;
    const hash = createHash('sha256').update(JSON.stringify(body)).digest('hex');
    if (name !== undefined) {
      const known = keys.get(`${kind.name} ${name}`);
      if (known && Number(known['at']) > Date.now() - DAY_MS) {
        if (known['hash'] !== hash)
          return problem(422, { title: 'Unprocessable Content', detail: 'The idempotency key was used with another body.' });
        return context.json(show(known['row'] as SandboxRow), 201, etag(known['row'] as SandboxRow));
      }
    }
    if (settings.externalId && typeof externalId === 'string' && external.has(`${kind.name} ${externalId}`))
      return problem(409, {
        title: 'Conflict',
        detail: `externalId is taken by ${String(external.get(`${kind.name} ${externalId}`))}.`,
      });
    const row = make(kind, values, settings.externalId && typeof externalId === 'string' ? externalId : null);
    if (name !== undefined) keys.put(`${kind.name} ${name}`, { hash, row, at: Date.now() });
    return context.json(show(row), 201, etag(row));
  }

  function list(context: Context, kind: Kind): Response {
    const query = new URL(context.req.url).searchParams;
    for (const name of query.keys())
      if (!['limit', 'cursor', 'updatedSince', 'externalId'].includes(name))
        return problem(400, { title: 'Bad Request', detail: `Unknown query parameter ${name}.` });
    const limit = Number(query.get('limit') ?? 100);
    if (!Number.isInteger(limit) || limit < 1 || limit > 200)
      return problem(400, { title: 'Bad Request', detail: 'limit must be between 1 and 200.' });
    let rows = [...table(kind).replica().values()];
    const since = query.get('updatedSince');
    if (since !== null) {
      const at = Date.parse(since);
      if (Number.isNaN(at)) return problem(400, { title: 'Bad Request', detail: 'updatedSince is not an ISO 8601 instant.' });
      const from = new Date(at).toISOString();
      rows = rows.filter((row) => String(row['updatedAt']) >= from);
    }
    const externalId = query.get('externalId');
    if (externalId !== null) {
      if (!settings.externalId) return problem(400, { title: 'Bad Request', detail: 'Unknown query parameter externalId.' });
      rows = rows.filter((row) => row['externalId'] === externalId);
    }
    const keyed = rows
      .map((row) => ({ row, key: `${String(row['updatedAt'])} ${String(row['id'])}` }))
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    const cursor = query.get('cursor');
    const after = cursor === null ? null : Buffer.from(cursor, 'base64url').toString();
    const rest = after === null ? keyed : keyed.filter(({ key }) => key > after);
    const page = rest.slice(0, limit);
    const last = page.at(-1);
    return context.json({
      items: page.map(({ row }) => show(row)),
      nextCursor: last && rest.length > limit ? Buffer.from(last.key).toString('base64url') : null,
    });
  }

  async function update(context: Context, kind: Kind, id: string): Promise<Response> {
    const body = await objectOf(context, 'application/merge-patch+json');
    if (!body)
      return problem(415, {
        title: 'Unsupported Media Type',
        detail: 'PATCH takes a JSON object sent as application/merge-patch+json.',
      });
    const row = table(kind).get(id);
    if (!row) return problem(404, { title: 'Not Found', detail: `${kind.name} ${id} does not exist.` });
    const match = settings.ifMatch ? context.req.header('if-match') : undefined;
    if (match !== undefined && match !== '*' && match !== `"${String(row['version'])}"`)
      return problem(412, { title: 'Precondition Failed', detail: `${kind.name} ${id} was changed meanwhile.` });
    const { externalId, ...values } = body;
    const errors = faultsOf(kind, values);
    if (externalId !== undefined && externalId !== row['externalId']) errors['externalId'] = ['externalId cannot be changed.'];
    if (Object.keys(errors).length > 0)
      return problem(422, { title: 'Unprocessable Content', detail: 'The record is not valid.' }, { errors });
    const changed = edit(kind, row, values);
    return settings.emptyUpdate ? context.body(null, 204) : context.json(show(changed), 200, etag(changed));
  }

  for (const kind of KINDS) {
    const one = `/${kind.path}/:id`;
    app.get(`/${kind.path}`, (context) => list(context, kind));
    app.post(`/${kind.path}`, (context) => create(context, kind));
    const id = (context: Context): string => context.req.param('id') ?? '';
    app.get(one, (context) => {
      const row = table(kind).replica().get(id(context));
      return row
        ? context.json(show(row), 200, etag(row))
        : problem(404, { title: 'Not Found', detail: `${kind.name} ${id(context)} does not exist.` });
    });
    app.patch(one, (context) => update(context, kind, id(context)));
    app.delete(one, (context) => {
      if (!table(kind).get(id(context)))
        return problem(404, { title: 'Not Found', detail: `${kind.name} ${id(context)} does not exist.` });
      drop(kind, id(context));
      return context.body(null, 204);
    });
  }
  app.notFound(() => problem(404, { title: 'Not Found', detail: 'There is nothing at this address.' }));

  const exact = (kind: Kind, values: SandboxRow): SandboxRow => byCatalogueNames(kind.name, { fields: kind.fields }, values);
  const desk: AdminTable = {
    tables: Object.values(tables),
    types: tables,
    create(type, values) {
      const { externalId = null, ...rest } = values;
      return make(kindOf(type), exact(kindOf(type), rest), typeof externalId === 'string' ? externalId : null);
    },
    edit(type, id, values) {
      const row = table(kindOf(type)).get(id);
      if (!row) throw new TandemError(`the CRM has no ${type} ${id}`);
      return edit(kindOf(type), row, exact(kindOf(type), values));
    },
    remove(type, id) {
      if (!table(kindOf(type)).get(id)) throw new TandemError(`the CRM has no ${type} ${id}`);
      drop(kindOf(type), id);
    },
    set(more) {
      const unknown = Object.keys(more).find((name) => !(name in settings));
      if (unknown !== undefined)
        throw new TandemError(`there is no setting ${unknown}; settings are ${Object.keys(settings).join(', ')}`);
      Object.assign(settings, more);
      for (const each of Object.values(tables)) each.lagMs = settings.lagMs;
      return settings;
    },
  };
  app.route('/_sandbox', adminRoutes(desk, disturbance));
  return { app, desk, disturbance, close: () => journal.close() };
}
