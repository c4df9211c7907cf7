import { call, type Answer, type Call, type Judgement } from '../http.ts';
import type { CallOptions } from '../connector.ts';
import { KeyBackOff, type TellKey } from '../keyBackOff.ts';
import type { RateLimiter } from '../rateLimiter.ts';
import { SystemError } from '../systemError.ts';
import type { SystemClock } from '../clock.ts';
import type { SignIn } from './auth.ts';
import { placeOf } from './profile/place.ts';
import type { Request } from './profile/resolve.ts';
import type { ErrorRule, OperationName, Profile } from './profile/schema.ts';
import { fill, fillQuery, fillText, type Template, type Variables } from './profile/template.ts';

/** A limiter that all workers share, and the operations that take its slots; all where none are named. */
export interface Limit {
  readonly limiter: RateLimiter;
  readonly operations?: readonly OperationName[] | undefined;
}

/** What a call is made of: the template, and what its variables stand for. */
export interface Sending {
  readonly operation: OperationName;
  readonly request: Request;
  readonly variables: Variables;
  readonly headers?: Readonly<Record<string, string>>;
  /** The address of a next page, in place of the request's own. */
  readonly url?: string;
}

export type Send = (sending: Sending, options: Partial<CallOptions>) => Promise<Answer>;

const quoted = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : JSON.stringify(value ?? null);

function fits(rule: ErrorRule, operation: OperationName, answer: { status: number; body: unknown; text: string }): boolean {
  if (rule.operations && !rule.operations.includes(operation)) return false;
  if (rule.status === undefined ? answer.status < 300 : rule.status !== answer.status) return false;
  const there = rule.at === undefined ? answer.text : placeOf(answer.body, rule.at);
  if (rule.equals === null) return there === null;
  if (rule.at !== undefined && (there === undefined || there === null || there === false)) return false;
  if (rule.equals !== undefined && quoted(there) !== String(rule.equals)) return false;
  return rule.contains === undefined || quoted(there).includes(rule.contains);
}

/** What a profile's rules make of an answer. */
export function judgeBy(profile: Profile, operation: OperationName) {
  return (answer: { status: number; body: unknown; text: string }): Judgement | undefined => {
    const failure = profile.errors.find((rule) => fits(rule, operation, answer))?.is;
    const text = profile.errorText
      .map((path) => placeOf(answer.body, path))
      .filter((part) => part !== undefined && part !== null && part !== '')
      .map(quoted)
      .join('; ');
    // Where something is there already, a create is refused with 409, whatever the profile says or not.
    const taken = failure === undefined && operation === 'create' && answer.status === 409 ? 'taken' : undefined;
    return { failure: failure ?? taken, ...(text === '' ? {} : { text }) };
  };
}

/** A key that goes into the address, which also one that an answer gave gets anew. */
function withQuery(url: string, query: Readonly<Record<string, string>> | undefined): string {
  if (!query) return url;
  const address = new URL(url);
  const others = address.search
    .slice(1)
    .split('&')
    .filter((part) => part !== '' && !(decodeURIComponent(part.split('=')[0] ?? '') in query));
  const own = Object.entries(query).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return `${address.origin}${address.pathname}?${[...others, ...own].join('&')}`;
}

const FORM = 'application/x-www-form-urlencoded';

/** A body as JSON, or as the form that the request wants: objects and lists in brackets, `person[name]`, `ids[0]`. */
function bodyFor({ contentType }: Request, json: unknown): Partial<Call> {
  if (json === undefined) return {};
  if (contentType?.startsWith(FORM)) return { form: Object.fromEntries(formPairs(json)) };
  return { json, ...(contentType === undefined ? {} : { contentType }) };
}

function formPairs(value: unknown, name = ''): [string, string][] {
  if (value === null || value === undefined) return [[name, '']];
  if (typeof value !== 'object') return [[name, quoted(value)]];
  return Object.entries(value).flatMap(([key, each]) => formPairs(each, name === '' ? key : `${name}[${key}]`));
}

/** Sends calls as a profile's templates say: signed in, within its limits, failures classed by its rules. */
export function transport(given: {
  readonly base: string;
  readonly profile: Profile;
  readonly signIn: SignIn;
  readonly limits: readonly Limit[];
  readonly clock: SystemClock;
  readonly tellKey?: TellKey | undefined;
}): Send {
  const { base, profile, clock } = given;

  function addressOf({ operation, request, variables, url }: Sending): string {
    if (url !== undefined) return url;
    const encode = (text: string, name: string): string => (name === 'path' || name === 'type' ? text : encodeURIComponent(text));
    const path = fillText(request.path, variables, encode);
    if (path === undefined) throw new SystemError('CRM', 'refused', `${operation}: a variable of ${request.path} has no value`);
    const query = fillQuery(request.query, variables);
    return base + path + (path.includes('?') ? query.replace('?', '&') : query);
  }

  const backOff = new KeyBackOff({ tell: given.tellKey });

  /** A refused key is left alone for a while; a call may be refused for its type alone. */
  return function send(sending, options) {
    const scope = [sending.operation, sending.request.path, sending.variables['type'] ?? ''].join(' ');
    return backOff.run(scope, () => attempt(sending, options, scope));
  };

  async function attempt(sending: Sending, options: Partial<CallOptions>, scope: string): Promise<Answer> {
    const { operation, request, variables } = sending;
    const url = addressOf(sending);
    const headers = Object.entries({ ...request.headers, ...sending.headers }).flatMap(([name, value]) => {
      const text = fillText(value, variables);
      return text === undefined ? [] : [[name.toLowerCase(), text] as const];
    });
    const json = request.body === undefined ? undefined : fill(request.body as Template, variables);
    const limiters = given.limits
      .filter((limit) => !limit.operations || limit.operations.includes(operation))
      .map(({ limiter }) => limiter);
    for (let tries = 0; ; tries++) {
      const signed = await backOff.run('sign-in', () => given.signIn.sign(options.signal));
      for (const limiter of limiters) await limiter.take(options.priority ?? 'write', options.signal);
      const sentAt = Date.now();
      try {
        const answer = await call('CRM', {
          method: request.method,
          url: withQuery(url, signed.query),
          headers: { ...signed.headers, ...Object.fromEntries(headers) },
          ...bodyFor(request, json),
          signal: options.signal,
          judge: judgeBy(profile, operation),
        });
        for (const limiter of limiters) await limiter.answered(operation, sentAt, answer.receivedAt - answer.sentAt);
        clock.date(answer.headers.get('date'), answer.sentAt, answer.receivedAt);
        return answer;
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        if (error.failure === 'throttled') for (const limiter of limiters) await limiter.hold(error.retryAfterMs ?? 1000);
        if (error.failure !== 'unauthorized' || tries > 0 || backOff.isPaused(scope) || !given.signIn.renew()) throw error;
      }
    }
  }
}
