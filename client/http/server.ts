import { createHash, randomUUID } from 'node:crypto';
import { Hono, type Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { z } from 'zod';
import { nearest } from '../../flows/validate.ts';
import type { Tandem } from '../types.ts';
import type { SteeringDocument } from '../../store/steeringAudit.ts';
import { readBody } from './body.ts';
import { describe } from './openapi.ts';
import { readablePage } from './page.ts';
import { HttpProblem } from './problem.ts';
import type { Asked, Route } from './route.ts';
import { ROUTES } from './routes.ts';
import { callerOf, mayDo, type ApiToken, type Caller } from './tokens.ts';

/** The largest body that is read (bytes). */
const BODY_LIMIT = 64 * 1024;
const HEARTBEAT_MS = 15_000;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;
const EVENT_ID = /^\d{1,15}$/;
const REQUEST_KEY = /^[\x21-\x7e]{1,200}$/;

/** What was answered to a request that carried an Idempotency-Key. */
export interface KeptAnswer {
  readonly status: number;
  readonly body: string;
}

/** Where requests with a key are kept, so that none is done twice. */
export interface RequestKeeper {
  /** `new`: it may run now. `running`: the same is under way. `other`: the key was used for another request. */
  begin(key: string, fingerprint: string): Promise<'new' | 'running' | 'other' | KeptAnswer>;
  /** Keeps the answer. */
  finish(key: string, answer: KeptAnswer): Promise<void>;
  /** Forgets a request that was not carried out. */
  abandon(key: string): Promise<void>;
}

export interface ServerOptions {
  readonly tandem: Tandem;
  readonly version: string;
  /** Who may call; none: the server listens on loopback alone, and everybody there may do everything. */
  readonly tokens: readonly ApiToken[];
  readonly requests: RequestKeeper;
  /** Keeps a steering call in the audit collection before it is carried out; what it gives takes what came of it. */
  readonly audit: (call: Omit<SteeringDocument, 'status'>) => Promise<(status: number) => Promise<void>>;
  /** What an error of a handler answers. */
  readonly explain: (error: unknown) => HttpProblem;
  /** Told of every defect, with the request's id. */
  readonly report: (error: unknown, requestId: string) => void;
}

export type Env = { Variables: { requestId: string } };

/** Adds the HTTP interface over the library: `/v1`, its description and its page, made from one table of routes. */
export function addApi(app: Hono<Env>, options: ServerOptions): void {
  const description = describe(ROUTES, options.version);
  const page = readablePage(ROUTES, options.version);

  app.use(async (context, next) => {
    const given = context.req.header('x-request-id');
    const requestId = given !== undefined && /^[\w.-]{1,100}$/.test(given) ? given : randomUUID();
    context.set('requestId', requestId);
    await next();
    context.res.headers.set('x-request-id', requestId);
    context.res.headers.set('cache-control', 'no-store');
    context.res.headers.set('x-content-type-options', 'nosniff');
  });
  app.get('/v1/openapi.json', (context) => (admit(options, context), context.json(description)));
  app.get('/v1/docs', (context) => (admit(options, context), context.html(page)));
  for (const row of ROUTES) app.on(row.method, row.path.replace(/\{(\w+)\}/g, ':$1'), (context) => serve(options, row, context));
  app.notFound((context) => notFound(context.req.method, context.req.path).response(context.get('requestId') ?? randomUUID()));
  app.onError((error, context) => {
    const problem = error instanceof HttpProblem ? error : options.explain(error);
    const requestId = context.get('requestId') ?? randomUUID();
    if (problem.status >= 500) options.report(error, requestId);
    return problem.response(requestId);
  });
}

/** Lets a request in, or says why not. Without tokens, a page of somebody else's must not reach a server on loopback. */
function admit({ tokens }: Pick<ServerOptions, 'tokens'>, context: Context): Caller {
  if (tokens.length === 0) {
    const host = context.req.header('host') ?? '';
    if (!LOOPBACK.test(host))
      throw new HttpProblem(403, 'without TANDEM_API_TOKENS the interface answers on loopback names alone');
    const origin = context.req.header('origin');
    if (origin !== undefined && !LOOPBACK.test(origin.replace(/^https?:\/\//i, '')))
      throw new HttpProblem(403, 'without TANDEM_API_TOKENS a page of another origin may not call the interface');
    return { name: 'loopback', right: 'admin' };
  }
  const bearer = /^Bearer\s+(\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1];
  const caller = bearer === undefined ? null : callerOf(tokens, bearer);
  if (caller) return caller;
  const detail = bearer === undefined ? 'send a token as `Authorization: Bearer …`' : 'nobody holds this token';
  throw new HttpProblem(401, `${detail}; \`npx tandem token new\` makes one`, { headers: { 'www-authenticate': 'Bearer' } });
}

async function serve(options: ServerOptions, row: Route, context: Context<Env>): Promise<Response> {
  const caller = admit(options, context);
  if (!mayDo(caller, row.right))
    throw new HttpProblem(403, `the token "${caller.name}" has the right ${caller.right}; this needs ${row.right}`);
  const text = row.method === 'post' ? await bodyOf(context) : '';
  const requestKey = context.req.header('idempotency-key') ?? null;
  const asked = { ...checked(row, context, { text, requestKey }), tandem: options.tandem, caller, requestKey } as Asked<
    never,
    never,
    never
  >;
  if (row.stream && wantsStream(context)) return follow(options, context, asked);
  const work = async (): Promise<KeptAnswer> => ({ status: 200, body: JSON.stringify(await row.handle(asked)) });
  if (row.method === 'get') return json(await work());
  const requestId = context.get('requestId');
  const steer = async (): Promise<KeptAnswer> => {
    // Kept first: what cannot be kept is not done. What is done is answered, even if its outcome cannot be kept any more.
    const note = { at: new Date(), who: caller.name, what: row.operationId, path: context.req.path, requestId };
    const keep = await options.audit(note);
    const came = (status: number): Promise<void> => keep(status).catch((error: unknown) => options.report(error, requestId));
    try {
      const answer = await work();
      await came(answer.status);
      return answer;
    } catch (error) {
      await came((error instanceof HttpProblem ? error : options.explain(error)).status);
      throw error;
    }
  };
  if (requestKey === null) return json(await steer());
  const { pathname, search } = new URL(context.req.url);
  const request = [row.method, `${pathname}${search}`, text];
  return json(await once(options.requests, { key: `${caller.name}:${requestKey}`, request }, steer));
}

/** Runs a request with a key once; the same again gets the same answer. What was not carried out may come again. */
async function once(
  requests: RequestKeeper,
  { key, request }: { readonly key: string; readonly request: readonly string[] },
  work: () => Promise<KeptAnswer>,
): Promise<KeptAnswer> {
  const fingerprint = createHash('sha256').update(request.join('\n')).digest('hex');
  const known = await requests.begin(key, fingerprint);
  if (known === 'running')
    throw new HttpProblem(409, 'a request with this Idempotency-Key is still running', { headers: { 'retry-after': '1' } });
  if (known === 'other')
    throw new HttpProblem(422, 'this Idempotency-Key was used for another request; a new request needs a new key');
  if (known !== 'new') return known;
  let answer: KeptAnswer;
  try {
    answer = await work();
  } catch (error) {
    await requests.abandon(key);
    throw error;
  }
  await requests.finish(key, answer);
  return answer;
}

const json = ({ status, body }: KeptAnswer): Response =>
  new Response(body, { status, headers: { 'content-type': 'application/json' } });

/** The body as text. Throws 413 and 415. */
async function bodyOf(context: Context): Promise<string> {
  const text = await readBody(context.req.raw, BODY_LIMIT);
  const type = context.req.header('content-type');
  if (text !== '' && !/^application\/json\s*(;|$)/i.test(type ?? ''))
    throw new HttpProblem(415, `the body is ${type ?? 'of no type'}; send application/json`);
  return text;
}

/** The parts of a request as their schemas have them. Throws 400 with every problem at once. */
function checked(
  row: Route,
  context: Context,
  { text, requestKey }: { readonly text: string; readonly requestKey: string | null },
): { params: unknown; query: unknown; body: unknown } {
  const errors: { at: string; message: string }[] = [];
  const check = (at: string, schema: z.ZodType, value: unknown): unknown => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const { path, message } of parsed.error.issues) errors.push({ at: [at, ...path.map(String)].join('.'), message });
    return undefined;
  };
  const none = z.strictObject({});
  if (requestKey !== null && !REQUEST_KEY.test(requestKey))
    errors.push({ at: 'header.Idempotency-Key', message: '1 to 200 visible ASCII characters' });
  if (row.stream && !EVENT_ID.test(context.req.header('last-event-id') ?? '0'))
    errors.push({ at: 'header.Last-Event-ID', message: 'the number of an event' });
  const out = {
    params: check('path', row.params ?? none, context.req.param()),
    query: check('query', row.query ?? none, context.req.query()),
    body: undefined as unknown,
  };
  try {
    const value: unknown = text === '' ? {} : JSON.parse(text);
    if (row.method === 'post') out.body = check('body', row.body ?? none, value);
  } catch (error) {
    errors.push({ at: 'body', message: `not JSON: ${(error as Error).message}` });
  }
  if (errors.length > 0) throw new HttpProblem(400, errors.map(({ at, message }) => `${at}: ${message}`).join('; '), { errors });
  return out;
}

const wantsStream = (context: Context): boolean => /text\/event-stream/i.test(context.req.header('accept') ?? '');

/** Server-sent events: what comes after the last event that the caller has, then on and on, with a sign of life between. */
function follow(
  { tandem }: ServerOptions,
  context: Context,
  { query }: Asked<never, { after?: number }, never>,
): Response | Promise<Response> {
  const last = context.req.header('last-event-id');
  const after = last === undefined ? query.after : Number(last);
  const abort = new AbortController();
  context.req.raw.signal.addEventListener('abort', () => abort.abort(), { once: true });
  return begin();

  async function begin(): Promise<Response> {
    // A cursor too old is refused before the stream begins.
    const first = await tandem.readChanges({ after, limit: 1 });
    const from = after ?? first.next;
    return streamSSE(context, async (stream) => {
      stream.onAbort(() => abort.abort());
      const beat = setInterval(() => void stream.write(': still here\n\n').catch(() => abort.abort()), HEARTBEAT_MS);
      try {
        await stream.write(': following\n\n');
        for await (const event of tandem.changes({ after: from, signal: abort.signal }))
          await stream.writeSSE({ id: String(event.seq), event: event.kind, data: JSON.stringify(event) });
      } finally {
        clearInterval(beat);
      }
    });
  }
}

/** A path that is not there: the nearest one, or the method that it takes. */
function notFound(method: string, path: string): HttpProblem {
  const same = ROUTES.filter((row) => new RegExp(`^${row.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(path));
  if (same.length > 0) {
    const allow = [...new Set(same.map((row) => row.method.toUpperCase()))].join(', ');
    return new HttpProblem(405, `${path} takes ${allow}, not ${method}`, { headers: { allow } });
  }
  const near = nearest(
    path,
    ROUTES.map((row) => row.path),
  );
  return new HttpProblem(
    404,
    `there is no ${path}${near === null ? '' : `; did you mean ${near}?`} /v1/docs lists what there is`,
  );
}
