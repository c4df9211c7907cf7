import type { Context } from 'hono';
import { adminRoutes } from '../adminApi.ts';
import { Journal } from '../journal.ts';
import { disturbedApp, type StandIn } from '../standIn.ts';
import type { SandboxRow } from '../table.ts';
import { gateway, refusal } from './answers.ts';
import { KINDS, type Kind } from './description.ts';
import { powerOfficeDesk } from './desk.ts';
import { present, type Look } from './present.ts';
import { list, QueryError } from './query.ts';
import { Records } from './records.ts';
import { DEFAULTS } from './rules.ts';
import { create, missing, remove, update } from './write.ts';

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
  /** Whether a PATCH answers nothing where the description names no answer (a project, a department). */
  readonly silentPatch?: boolean;
  /** Types that the key lacks the privilege for. */
  readonly withoutPrivilege?: readonly string[];
  /** Rows that are there before the first start. */
  readonly seed?: Readonly<Record<string, readonly SandboxRow[]>>;
  /** Added to every stamp and to the Date header (ms). */
  readonly clockOffsetMs?: number;
}

const TOKEN_SECONDS = 1200;
const WRONG_KEY = 'Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription.';

/** A stand-in for PowerOffice Go API v2, base address `<origin>/v2`, after the provider's description; faults on request. */
// oxlint-disable-next-line max-lines-per-function -- a table of routes over one state
export function powerOfficeSandbox(options: PowerOfficeOptions): StandIn {
  const journal = new Journal(options.file);
  const settings = {
    lagMs: options.lagMs ?? 1000,
    requestsPerSecond: options.requestsPerSecond ?? 10,
    test: options.test ?? true,
    silentPatch: options.silentPatch ?? false,
    withoutPrivilege: options.withoutPrivilege ?? [],
    clockOffsetMs: options.clockOffsetMs ?? 0,
  };
  const records = new Records({
    lagMs: settings.lagMs,
    now: () => Date.now() + settings.clockOffsetMs,
    persist: (change) => journal.add(change),
  });
  const look: Look = (kind, id) => records.find(kind, id);
  fill(records, journal, options.seed ?? {});
  const tokens = new Map<string, number>();
  let recent: number[] = [];

  const { app, disturbance } = disturbedApp(() => settings.clockOffsetMs);
  const desk = powerOfficeDesk(records, (more) => {
    Object.assign(settings, more);
    if (more['tokens'] === 'expire') tokens.clear();
    for (const each of Object.values(records.tables)) each.lagMs = settings.lagMs;
    return settings;
  });
  app.route('/_sandbox', adminRoutes(desk, disturbance));

  async function token(context: Context): Promise<Response> {
    const basic = Buffer.from(`${options.applicationKey}:${options.clientKey}`).toString('base64');
    if (context.req.header('ocp-apim-subscription-key') !== options.subscriptionKey) return gateway(401, WRONG_KEY);
    if (context.req.header('authorization') !== `Basic ${basic}`) return context.json({ error: 'invalid_client' }, 401);
    const form = await context.req.parseBody();
    if (form['grant_type'] !== 'client_credentials') return context.json({ error: 'unsupported_grant_type' }, 400);
    const bearer = crypto.randomUUID();
    tokens.set(bearer, Date.now() + TOKEN_SECONDS * 1000);
    return context.json({ access_token: bearer, token_type: 'Bearer', expires_in: TOKEN_SECONDS });
  }

  /** What stands before every call: the subscription key, the throttle, the token. */
  function barrier(context: Context): Response | undefined {
    if (context.req.header('ocp-apim-subscription-key') !== options.subscriptionKey) return gateway(401, WRONG_KEY);
    const now = Date.now();
    recent = recent.filter((at) => at > now - 1000);
    if (recent.length >= settings.requestsPerSecond)
      return gateway(429, 'Rate limit is exceeded. Try again in 1 seconds.', { 'retry-after': '1' });
    recent.push(now);
    const bearer = context.req.header('authorization')?.replace(/^Bearer /i, '') ?? '';
    if ((tokens.get(bearer) ?? 0) < now)
      return refusal(401, { title: 'Unauthorized', detail: 'The access token is missing, unknown or expired.' });
    return undefined;
  }

  const privileges = (has: boolean): string[] =>
    KINDS.filter(({ name }) => has !== settings.withoutPrivilege.includes(name)).map(({ name }) => `${name}_Full`);

  async function answer(context: Context, path: string): Promise<Response> {
    const { method } = context.req;
    if (path === 'clientintegrationinformation' && method === 'GET')
      return context.json({
        ClientId: 'sandbox',
        ClientName: 'Tandem Sandkasse AS',
        ActiveClientSubscriptions: ['Sandbox'],
        ValidPrivileges: privileges(true),
        InvalidPrivileges: privileges(false),
      });
    const at = addressed(path);
    if (!at) return refusal(404, { title: 'Not Found', detail: 'There is nothing at this address.' });
    const { kind, id, owner } = at;
    if (settings.withoutPrivilege.includes(kind.name))
      return refusal(400, { title: 'Missing privilege', detail: `The integration lacks the privilege ${kind.name}.` });
    const shared = { kind, records, look };
    if (method === 'GET' && id === undefined && owner === undefined) return listed(context, kind);
    if (method === 'GET' && id !== undefined) {
      const row = records.table(kind).replica().get(id);
      return row ? context.json(present({ kind, look }, row)) : missing(kind, id);
    }
    if (method === 'POST' && id === undefined && kind.owned === (owner !== undefined))
      return create(context, { ...shared, owner });
    if (method === 'PATCH' && id !== undefined) return update(context, { ...shared, id, settings });
    if (method === 'DELETE' && id !== undefined) return remove({ kind, id, records });
    return refusal(405, { title: 'Method Not Allowed', detail: `${method} is not for this address.` });
  }

  function listed(context: Context, kind: Kind): Response {
    try {
      const page = list({ kind, look }, records.table(kind).replica().values(), new URL(context.req.url));
      context.header('X-Pagination', JSON.stringify(page.pagination));
      return page.records.length === 0 ? context.body(null, 204) : context.json(page.records);
    } catch (error) {
      if (error instanceof QueryError) return refusal(error.status, { title: error.title, detail: error.message }, error.errors);
      throw error;
    }
  }

  app.all('*', (context) => {
    // The demo account lies below /Demo; addresses count whatever their case.
    const path = context.req.path
      .toLowerCase()
      .replace(/^\/demo(?=\/)/, '')
      .replace(/\/$/, '');
    if (path === '/oauth/token' && context.req.method === 'POST') return token(context);
    if (!path.startsWith('/v2/')) return refusal(404, { title: 'Not Found', detail: 'There is nothing at this address.' });
    return barrier(context) ?? answer(context, path.slice('/v2/'.length));
  });

  return { app, desk, disturbance, close: () => journal.close() };
}

/** Seed and journal: what happened before, so both primary and replica show it. */
function fill(records: Records, journal: Journal, seed: Readonly<Record<string, readonly SandboxRow[]>>): void {
  if (journal.changes.length === 0)
    for (const kind of KINDS)
      for (const given of seed[kind.name] ?? []) {
        const row = { ...structuredClone(DEFAULTS[kind.name]), ...given };
        records.table(kind).put(records.idOf(kind, row), row);
        records.table(kind).restore(records.idOf(kind, row), row);
      }
  for (const change of journal.changes) records.tables[change.table]?.restore(change.id, change.row);
}

/** What an address names: a type, and one of its records or its owner's. */
function addressed(path: string): { kind: Kind; id?: string; owner?: string } | undefined {
  const kind = KINDS.find((each) => path === each.path || path.startsWith(`${each.path}/`));
  if (!kind) return undefined;
  const ids = path.slice(kind.path.length).split('/').slice(1);
  if (ids.length > (kind.owned ? 2 : 1) || !ids.every((id) => /^\d{1,16}$/.test(id))) return undefined;
  const plain = ids.map((id) => String(Number(id)));
  if (kind.owned)
    return plain.length === 1
      ? { kind, owner: plain[0] ?? '' }
      : { kind, ...(plain.length === 2 ? { id: plain.join('/') } : {}) };
  return { kind, ...(plain.length === 1 ? { id: plain[0] ?? '' } : {}) };
}
