import type { Context } from 'hono';
import { applyPatch, type Operation } from 'rfc6902';
import { Journal } from './journal.ts';
import { AdminError, adminRoutes, type AdminTable } from './adminApi.ts';
import { KINDS, STAMPS, type Kind } from './powerOfficeTypes.ts';
import { problem } from './problem.ts';
import { byCatalogueNames, disturbedApp, type StandIn } from './standIn.ts';
import { Table, type SandboxRow } from './table.ts';

export interface PowerOfficeOptions {
  readonly applicationKey: string;
  readonly clientKey: string;
  readonly subscriptionKey: string;
  /** Where changes are kept; null keeps nothing. */
  readonly file: string | null;
  readonly lagMs?: number;
  readonly requestsPerSecond?: number;
  /** Whether PATCH lets `test` through. */
  readonly test?: boolean;
  /** Rows that are there before the first start. */
  readonly seed?: Readonly<Record<string, readonly SandboxRow[]>>;
  /** Added to every stamp and to the Date header (ms). */
  readonly clockOffsetMs?: number;
}

const MAX_LENGTH: Readonly<Record<string, number>> = { FirstName: 100, LastName: 100, ExternalImportReference: 50 };
const TOKEN_SECONDS = 1200;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)$/;

/** Microsecond digits of a stamp make instants finer than a JavaScript Date, as the real ones are. */
function ticks(text: string): string {
  const match = /\.(\d+)/.exec(text);
  const whole = Date.parse(text.replace(/\.\d+/, ''));
  return `${String(whole).padStart(15, '0')}${(match?.[1] ?? '').padEnd(7, '0')}`;
}

const createdOf = (kind: Kind): string => kind.created ?? 'CreatedDateTimeOffset';

/** A stand-in for PowerOffice Go API v2, base address `<origin>/v2`. True to docs/systems.md, faults on request. */
export function powerOfficeSandbox(options: PowerOfficeOptions): StandIn {
  const journal = new Journal(options.file);
  const settings = {
    lagMs: options.lagMs ?? 1000,
    requestsPerSecond: options.requestsPerSecond ?? 10,
    test: options.test ?? true,
    clockOffsetMs: options.clockOffsetMs ?? 0,
  };
  const tables = Object.fromEntries(
    KINDS.map((kind) => [kind.name, new Table(kind.name, settings.lagMs, (change) => journal.add(change))]),
  ) as Record<string, Table>;
  const tokens = new Map<string, number>();
  let recent: number[] = [];
  let lastTick = 0n;

  const table = (kind: Kind): Table => tables[kind.name] as Table;
  const idOf = (kind: Kind, row: SandboxRow): string =>
    kind.name === 'ContactPerson' ? `${String(row['ContactId'])}/${String(row['Id'])}` : String(row['Id']);

  if (journal.changes.length === 0)
    for (const [name, rows] of Object.entries(options.seed ?? {}))
      for (const row of rows) tables[name]?.put(idOf(kindOf(name), row), row);
  for (const change of journal.changes) tables[change.table]?.restore(change.id, change.row);
  if (journal.changes.length === 0)
    for (const each of Object.values(tables)) for (const row of each.rows()) each.restore(idOf(kindOf(each.name), row), row);

  function kindOf(name: string): Kind {
    const kind = KINDS.find((each) => each.name === name);
    if (!kind) throw new AdminError(`there is no type ${name}; types are ${KINDS.map((each) => each.name).join(', ')}`);
    return kind;
  }

  function stamp(): string {
    const tick = BigInt(Date.now() + settings.clockOffsetMs) * 10_000n + BigInt(Math.floor(Math.random() * 10_000));
    lastTick = tick > lastTick ? tick : lastTick + 1n;
    return `${new Date(Number(lastTick / 10_000n)).toISOString().slice(0, 19)}.${String(lastTick % 10_000_000n).padStart(7, '0')}+00:00`;
  }

  const newest: Record<string, number> = {};
  /** Ids are never given twice, not even after a deletion. */
  function nextId(kind: Kind): number {
    newest[kind.name] ??= table(kind)
      .rows()
      .reduce((max, row) => Math.max(max, Number(row['Id'])), 1000);
    return (newest[kind.name] = (newest[kind.name] ?? 0) + 1);
  }

  /** Problems of a row as the service would name them. */
  function faultsOf(kind: Kind, row: SandboxRow): Record<string, string[]> {
    const errors: Record<string, string[]> = {};
    for (const name of kind.required(row))
      if (typeof row[name] !== 'string' || row[name] === '') errors[name] = [`The ${name} field is required.`];
    for (const [name, most] of Object.entries(MAX_LENGTH))
      if (typeof row[name] === 'string' && row[name].length > most)
        errors[name] = [`The field ${name} must be a string with a maximum length of ${most}.`];
    return errors;
  }

  function taken(kind: Kind, row: SandboxRow): boolean {
    const { unique } = kind;
    if (unique === undefined || row[unique] === null || row[unique] === undefined || row[unique] === '') return false;
    return table(kind)
      .rows()
      .some((other) => other['Id'] !== row['Id'] && other[unique] === row[unique]);
  }

  function save(kind: Kind, row: SandboxRow): SandboxRow {
    const saved = { ...row, LastChangedDateTimeOffset: stamp() };
    table(kind).put(idOf(kind, saved), saved);
    return saved;
  }

  function make(kind: Kind, values: SandboxRow): SandboxRow {
    const created = stamp();
    const nested = Object.fromEntries(
      Object.entries(values).map(([name, value]) => {
        const preset = kind.defaults[name];
        const both = [preset, value].every((each) => each !== null && typeof each === 'object');
        return [name, both ? { ...(preset as SandboxRow), ...(value as SandboxRow) } : value];
      }),
    );
    return { ...structuredClone(kind.defaults), ...nested, Id: nextId(kind), [createdOf(kind)]: created };
  }

  const { app, disturbance } = disturbedApp(() => settings.clockOffsetMs);

  app.post('/OAuth/Token', async (context) => {
    const basic = Buffer.from(`${options.applicationKey}:${options.clientKey}`).toString('base64');
    if (context.req.header('ocp-apim-subscription-key') !== options.subscriptionKey)
      return problem(401, 'Access denied', 'Access denied due to invalid subscription key.');
    if (context.req.header('authorization') !== `Basic ${basic}`) return context.json({ error: 'invalid_client' }, 401);
    const form = await context.req.parseBody();
    if (form['grant_type'] !== 'client_credentials') return context.json({ error: 'unsupported_grant_type' }, 400);
    const token = crypto.randomUUID();
    tokens.set(token, Date.now() + TOKEN_SECONDS * 1000);
    return context.json({ access_token: token, token_type: 'Bearer', expires_in: TOKEN_SECONDS });
  });

  app.use('/v2/*', async (context, next) => {
    if (context.req.header('ocp-apim-subscription-key') !== options.subscriptionKey)
      return problem(401, 'Access denied', 'Access denied due to invalid subscription key.');
    const now = Date.now();
    recent = recent.filter((at) => at > now - 1000);
    if (recent.length >= settings.requestsPerSecond)
      return problem(429, 'Too Many Requests', 'Rate limit is exceeded. Try again in 1 seconds.', {
        headers: { 'retry-after': '1' },
      });
    recent.push(now);
    const token = context.req.header('authorization')?.replace(/^Bearer /, '') ?? '';
    if ((tokens.get(token) ?? 0) < now) return problem(401, 'Unauthorized', 'The access token is missing, unknown or expired.');
    return next();
  });

  app.get('/v2/ClientIntegrationInformation', (context) =>
    context.json({ ClientId: 'sandbox', ClientName: 'Tandem Sandkasse AS', IntegrationName: 'Tandem', ValidPrivileges: ['All'] }),
  );

  function list(context: Context, kind: Kind): Response {
    const query = new URL(context.req.url).searchParams;
    const created = `${createdOf(kind)}GreaterThan`.replace(/^./, (letter) => letter.toLowerCase());
    const known = [
      'PageNumber',
      'PageSize',
      'Fields',
      'OrderBy',
      'lastChangedDateTimeOffsetGreaterThan',
      created,
      ...(kind.name === 'ContactPerson' ? ['contactIds', 'externalCodes'] : []),
    ];
    const given = new Map<string, string>();
    for (const [name, value] of query) {
      const match = known.find((each) => each.toLowerCase() === name.toLowerCase());
      if (match === undefined) return problem(400, 'Bad Request', `Unknown query parameter '${name}'.`);
      given.set(match, value);
    }
    let rows = [...table(kind).replica().values()];
    for (const [parameter, field] of [
      ['lastChangedDateTimeOffsetGreaterThan', 'LastChangedDateTimeOffset'],
      [created, createdOf(kind)],
    ] as const) {
      const than = given.get(parameter);
      if (than === undefined) continue;
      if (!INSTANT.test(than))
        return problem(400, 'Bad Request', `The value '${than}' is not valid.`, {
          errors: { [parameter]: [`The value '${than}' is not valid.`] },
        });
      const key = ticks(than);
      rows = rows.filter((row) => ticks(String(row[field])) > key);
    }
    const ids = given.get('contactIds')?.split(',');
    if (ids) rows = rows.filter((row) => ids.includes(String(row['ContactId'])));
    const codes = given.get('externalCodes')?.split(',');
    if (codes) rows = rows.filter((row) => codes.includes(String(row['ExternalCode'])));
    const [by, direction] = (given.get('OrderBy') ?? 'Id').split(' ');
    const field = kind.fields.find((each) => each.toLowerCase() === by?.toLowerCase());
    if (field === undefined) return problem(400, 'Bad Request', `Cannot order by '${by}'.`);
    const keyed = rows.map((row) => ({
      row,
      key:
        typeof row[field] === 'number'
          ? row[field]
          : field.endsWith('Offset')
            ? ticks(String(row[field]))
            : String(row[field] ?? ''),
    }));
    keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : Number(a.row['Id']) - Number(b.row['Id'])));
    if (direction === 'desc') keyed.reverse();
    const size = Number(given.get('PageSize') ?? 5000);
    const number = Number(given.get('PageNumber') ?? 1);
    if (!Number.isInteger(size) || size < 1 || size > 20_000)
      return problem(400, 'Bad Request', 'PageSize must be between 1 and 20000.');
    if (!Number.isInteger(number) || number < 1) return problem(400, 'Bad Request', 'PageNumber must be 1 or more.');
    const fields = given.get('Fields')?.split(',');
    const unknown = fields?.find((name) => !kind.fields.includes(name));
    if (unknown !== undefined) return problem(400, 'Bad Request', `Unknown field '${unknown}' in Fields.`);
    const page = keyed
      .slice((number - 1) * size, number * size)
      .map(({ row }) => (fields ? Object.fromEntries(fields.map((name) => [name, row[name] ?? null])) : row));
    return page.length === 0 ? context.body(null, 204) : context.json(page);
  }

  async function create(context: Context, kind: Kind, more: SandboxRow): Promise<Response> {
    const body: unknown = await context.req.json().catch(() => null);
    if (body === null || typeof body !== 'object' || Array.isArray(body))
      return problem(400, 'Bad Request', 'The body is not a JSON object.');
    const unknown = Object.keys(body).find((name) => !kind.fields.includes(name) || kind.fixed.includes(name));
    if (unknown !== undefined)
      return problem(400, 'Bad Request', `'${unknown}' cannot be set.`, { errors: { [unknown]: ['cannot be set'] } });
    const row = make(kind, { ...(body as SandboxRow), ...more });
    const errors = faultsOf(kind, row);
    if (Object.keys(errors).length > 0) return problem(400, 'One or more validation errors occurred.', 'See errors.', { errors });
    if (taken(kind, row)) return problem(409, 'Conflict', `${kind.unique} is taken.`);
    return context.json(save(kind, row), 201);
  }

  async function patch(context: Context, kind: Kind, id: string): Promise<Response> {
    if (!(context.req.header('content-type') ?? '').startsWith('application/json-patch+json'))
      return problem(415, 'Unsupported Media Type', 'PATCH takes application/json-patch+json.');
    const row = table(kind).get(id);
    if (!row) return problem(404, 'Not Found', `${kind.name} ${id} does not exist.`);
    const operations = (await context.req.json().catch(() => null)) as Operation[] | null;
    if (!Array.isArray(operations)) return problem(400, 'Bad Request', 'The body is not a JSON Patch document.');
    const changed = structuredClone(row);
    for (const operation of operations) {
      const [name = '', ...inner] = operation.path?.slice(1).split('/') ?? [];
      const field = kind.fields.find((each) => each.toLowerCase() === name.toLowerCase());
      if (field === undefined)
        return problem(400, 'Bad Request', `The target location specified by path segment '${name}' was not found.`);
      if (operation.op === 'test' && !settings.test)
        return problem(400, 'Bad Request', `The operation 'test' is not supported, path '/${field}'.`);
      if (operation.op !== 'test' && kind.fixed.includes(field))
        return problem(400, 'Bad Request', `'${field}' cannot be changed.`, { errors: { [field]: ['cannot be changed'] } });
      const [failure] = applyPatch(changed, [{ ...operation, path: ['', field, ...inner].join('/') } as Operation]);
      if (failure && operation.op === 'test')
        return problem(400, 'Bad Request', `The current value at path '${field}' is not equal to the test value.`);
      if (failure) return problem(400, 'Bad Request', failure.message);
    }
    const errors = faultsOf(kind, changed);
    if (Object.keys(errors).length > 0) return problem(400, 'One or more validation errors occurred.', 'See errors.', { errors });
    if (taken(kind, changed)) return problem(409, 'Conflict', `${kind.unique} is taken.`);
    return context.json(JSON.stringify(changed) === JSON.stringify(row) ? row : save(kind, changed));
  }

  for (const kind of KINDS) {
    const two = kind.name === 'ContactPerson';
    const one = `/v2/${kind.path}/${two ? ':contactId{[0-9]+}/' : ''}:id{[0-9]+}`;
    const id = (context: Context): string =>
      two ? `${context.req.param('contactId')}/${context.req.param('id')}` : (context.req.param('id') ?? '');
    app.get(`/v2/${kind.path}`, (context) => list(context, kind));
    app.get(one, (context) => {
      const row = table(kind).replica().get(id(context));
      return row ? context.json(row) : problem(404, 'Not Found', `${kind.name} ${id(context)} does not exist.`);
    });
    app.post(two ? `/v2/${kind.path}/:contactId{[0-9]+}` : `/v2/${kind.path}`, (context) =>
      create(context, kind, two ? { ContactId: Number(context.req.param('contactId')) } : {}),
    );
    app.patch(one, (context) => patch(context, kind, id(context)));
    app.delete(one, (context) => {
      if (!table(kind).get(id(context))) return problem(404, 'Not Found', `${kind.name} ${id(context)} does not exist.`);
      table(kind).delete(id(context));
      return context.json({ Id: Number(context.req.param('id')) });
    });
  }
  app.notFound(() => problem(404, 'Not Found', 'There is nothing at this address.'));

  const exact = (kind: Kind, values: SandboxRow): SandboxRow =>
    byCatalogueNames(kind.name, kind.fields, ['Id', ...STAMPS], values);
  const desk: AdminTable = {
    tables: Object.values(tables),
    types: tables,
    create(type, values) {
      const kind = kindOf(type);
      return save(kind, make(kind, { ...(kind.name === 'ContactPerson' ? { ContactId: 1 } : {}), ...exact(kind, values) }));
    },
    edit(type, id, values) {
      const kind = kindOf(type);
      const row = table(kind).get(id);
      if (!row) throw new AdminError(`PowerOffice has no ${type} ${id}`);
      return save(kind, { ...row, ...exact(kind, values) });
    },
    remove(type, id) {
      if (!table(kindOf(type)).get(id)) throw new AdminError(`PowerOffice has no ${type} ${id}`);
      table(kindOf(type)).delete(id);
    },
    set(more) {
      Object.assign(settings, more);
      if (more['tokens'] === 'expire') tokens.clear();
      for (const each of Object.values(tables)) each.lagMs = settings.lagMs;
      return settings;
    },
  };
  app.route('/_sandbox', adminRoutes(desk, disturbance));
  return { app, desk, disturbance, close: () => journal.close() };
}
