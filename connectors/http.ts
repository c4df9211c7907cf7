import ky, { HTTPError, TimeoutError } from 'ky';
import { CALLS, type CallNote } from './callChannel.ts';
import { SystemError, type Failure } from './systemError.ts';

/** A call as a connector makes it. `json` becomes the body, with `contentType` where it is not application/json. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly contentType?: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** What a system's own rules make of an answer, success or not; undefined where they know nothing of it. */
  readonly judge?: (answer: { readonly status: number; readonly body: unknown; readonly text: string }) => Judgement | undefined;
}

/** How an answer failed, and in which words, where a system's own rules know them. */
export interface Judgement {
  readonly failure?: Failure | undefined;
  readonly text?: string | undefined;
}

/** An answer of status 2xx. `body` is undefined where there was none (204). Instants in ms on this machine's clock. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
  readonly sentAt: number;
  readonly receivedAt: number;
}

const TIMEOUT_MS = 30_000;
/** No system is believed that asks for a longer pause; a timer of some 25 days would end at once (ms). */
const LONGEST_PAUSE_MS = 24 * 3600_000;

function seconds(header: string | null): number | undefined {
  if (header === null) return undefined;
  const number = Number(header);
  const ms = Number.isFinite(number) ? number * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, LONGEST_PAUSE_MS) : undefined;
}

/** The text of a problem+json answer (title, detail, errors per field), or the head of whatever came instead. */
export function problemText(status: number, body: string): { text: string; fields: string[] } {
  try {
    // Some services write the members of a problem with a capital.
    const problem = Object.fromEntries(
      Object.entries(JSON.parse(body) as Record<string, unknown>).map(([name, value]) => [
        name.charAt(0).toLowerCase() + name.slice(1),
        value,
      ]),
    ) as { title?: unknown; detail?: unknown; errors?: unknown };
    const listed = Array.isArray(problem.errors) ? (problem.errors as { message?: unknown }[]) : [];
    const errors =
      problem.errors && typeof problem.errors === 'object' && listed.length === 0
        ? Object.entries(problem.errors as Record<string, unknown>)
        : [];
    const lines = errors.map(([field, says]) => `${field}: ${Array.isArray(says) ? says.join(' ') : JSON.stringify(says)}`);
    const texts = listed.map((each) => (typeof each === 'string' ? each : each?.message));
    const text = [problem.title, problem.detail, ...texts, ...lines]
      .filter((part) => typeof part === 'string' && part !== '')
      .join('; ');
    if (text !== '') return { text: `${status} ${text}`, fields: errors.map(([field]) => field) };
  } catch {
    // Not JSON: a proxy's page, say.
  }
  return { text: `${status} ${body.replace(/\s+/g, ' ').trim().slice(0, 300)}`.trim(), fields: [] };
}

/** Makes one call, once, and classifies what comes back. Throws SystemError for anything but a well-formed 2xx. */
export async function call(system: string, request: Call): Promise<Answer> {
  const note = (result: CallNote['result']): void => CALLS.publish({ system, result } satisfies CallNote);
  try {
    const answer = await send(system, request);
    note('ok');
    return answer;
  } catch (error) {
    note(error instanceof SystemError ? error.failure : 'aborted');
    throw error;
  }
}

async function send(system: string, request: Call): Promise<Answer> {
  const abort = new AbortController();
  const onAbort = (): void => abort.abort(request.signal?.reason);
  if (request.signal?.aborted) onAbort();
  request.signal?.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => abort.abort(new TimeoutError(new Request(request.url))), TIMEOUT_MS);
  const sentAt = Date.now();
  try {
    const response = await ky(request.url, {
      method: request.method,
      headers: {
        accept: 'application/json',
        ...(request.json === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
        ...request.headers,
      },
      ...(request.json === undefined ? {} : { body: JSON.stringify(request.json) }),
      ...(request.form ? { body: new URLSearchParams(request.form) } : {}),
      // A try more is the activity's, which looks first whether the lost one was carried out, or the feed's; each takes its slot.
      retry: 0,
      // ky's time-out ends with the head of an answer; ours covers the body, too.
      timeout: false,
      // A refusal is an answer that is read and classified below; ky would drop its body.
      throwHttpErrors: false,
      // A write that is sent on becomes a read, and a key may go where it should not.
      redirect: 'manual',
      signal: abort.signal,
    });
    const text = await response.text();
    const receivedAt = Date.now();
    const body = answeredBody(system, { status: response.status, headers: response.headers, text }, request.judge);
    return { status: response.status, headers: response.headers, body, sentAt, receivedAt };
  } catch (error) {
    if (error instanceof SystemError || request.signal?.aborted) throw error;
    throw new SystemError(system, 'unreachable', reason(error, request.url));
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', onAbort);
  }
}

/** An answer as it came over the line. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** What an answer says. Throws SystemError where it is a refusal by its status, or by the system's own rules, or no JSON. */
export function answeredBody(system: string, answer: RawAnswer, judge?: Call['judge']): unknown {
  const { status, text } = answer;
  if (status < 200 || status > 299) throw classify(system, answer, judge);
  const body = parse(system, status, text);
  const judged = judge?.({ status, body, text });
  if (judged?.failure !== undefined) throw classify(system, answer, () => judged);
  return body;
}

function parse(system: string, status: number, text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new SystemError(system, 'malformed', `answered ${status} with something that is not JSON, or cut short`);
  }
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function classify(system: string, { status, headers, text: body }: RawAnswer, judge: Call['judge']): SystemError {
  const problem = problemText(status, body);
  const judged = judge?.({ status, body: tryJson(body), text: body });
  const { fields } = problem;
  const text = judged?.text === undefined ? problem.text : `${status} ${judged.text}`;
  const retryAfterMs = seconds(headers.get('retry-after'));
  const more = { status, fields, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  if (judged?.failure !== undefined && judged.failure !== 'throttled')
    return new SystemError(system, judged.failure, { text, ...more });
  if (status === 429 || judged?.failure === 'throttled')
    return new SystemError(system, 'throttled', { text, ...more, retryAfterMs: Math.max(1000, retryAfterMs ?? 0) });
  if (status === 401) return new SystemError(system, 'unauthorized', { text, ...more });
  if (status === 404 || status === 410) return new SystemError(system, 'gone', { text, ...more });
  if (status === 412) return new SystemError(system, 'contended', { text, ...more });
  if (status === 301 || status === 308) return new SystemError(system, 'refused', { text: movedText(status, headers), ...more });
  if (status === 408 || status === 425 || status >= 500 || status < 400)
    return new SystemError(system, 'unreachable', { text, ...more });
  return new SystemError(system, 'refused', { text, ...more });
}

/** Where it has moved for good; without a query, which may hold a key. */
function movedText(status: number, headers: Headers): string {
  const to = headers.get('location')?.split(/[?#]/)[0] ?? 'elsewhere';
  return `${status}: it has moved to ${to}, and calls are not sent on: give that address (a slash too many, or too few?)`;
}

function reason(error: unknown, url: string): string {
  const host = new URL(url).host;
  if (error instanceof TimeoutError || (error instanceof Error && error.name === 'TimeoutError'))
    return `${host} did not answer within ${TIMEOUT_MS / 1000} s`;
  if (error instanceof HTTPError) return `${host} answered ${error.response.status}`;
  let cause: unknown = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  const code = (cause as { code?: unknown } | null)?.code;
  return `${host} cannot be reached (${typeof code === 'string' ? code : cause instanceof Error ? cause.message : String(cause)})`;
}
