import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import ky from 'ky';
import * as oauth from 'oauth4webapi';
import { call } from '../http.ts';
import { SystemError } from '../systemError.ts';
import { textAt } from './profile/place.ts';
import { fill } from './profile/template.ts';
import type { Auth, Profile, Secret } from './profile/schema.ts';

/** Gives a secret that a profile names by variable or file. */
export type ReadSecret = (secret: Secret) => Promise<string>;

/** Secrets from these variables, and from files as they are now. */
export const secretsFrom =
  (env: NodeJS.ProcessEnv): ReadSecret =>
  async (secret) => {
    const value = 'env' in secret ? env[secret.env] : (await readFile(secret.file, 'utf8').catch(() => '')).trim();
    if (value === undefined || value === '')
      throw new SystemError(
        'CRM',
        'unauthorized',
        'env' in secret ? `${secret.env} is missing: the profile names it for a secret` : `${secret.file} holds no secret`,
      );
    return value;
  };

/** Every secret that a way of signing in needs. */
function secretsOf(auth: Auth): Secret[] {
  if (auth.kind === 'header' || auth.kind === 'query') return [auth.token];
  if (auth.kind === 'basic' || auth.kind === 'login') return [auth.user, auth.password];
  return [auth.clientId, auth.clientSecret, ...(auth.refreshToken ? [auth.refreshToken] : [])];
}

/** Tells credentials apart without telling them. One that cannot be read now is everybody's. */
export async function credentialMark(auth: Auth, read: ReadSecret): Promise<string> {
  const [who] = secretsOf(auth);
  const text = who ? await read(who).catch(() => '') : '';
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** The variables and files that hold a profile's secrets. */
export const secretNames = (profile: Profile): string[] =>
  secretsOf(profile.auth).map((secret) => ('env' in secret ? secret.env : secret.file));

/** What a profile needs and the environment lacks, in words. */
export const missingSecrets = (profile: Profile, env: NodeJS.ProcessEnv): string[] =>
  secretsOf(profile.auth).flatMap((secret) =>
    'env' in secret && (env[secret.env] ?? '') === ''
      ? [
          secret.env === 'CRM_TOKEN'
            ? 'CRM_TOKEN is missing; set it to the bearer token of the CRM'
            : `${secret.env} is missing; set it to the secret of the CRM for which the profile "${profile.name}" names it`,
        ]
      : [],
  );

/** Renewed so long before it expires (ms). */
const EARLY_MS = 60_000;
const PRESUMED_SECONDS = 1200;

interface Token {
  readonly text: string;
  readonly until: number;
  /** It is a session's cookie, name and value. */
  readonly cookie?: boolean;
}
type FetchToken = (signal?: AbortSignal) => Promise<Token>;

/** What signs a call in: headers, or parameters of its address. */
export interface Signed {
  readonly headers: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
}

/** Signs calls in. `renew` is for after a 401: true where another try makes sense. */
export interface SignIn {
  sign(signal?: AbortSignal): Promise<Signed>;
  renew(): boolean;
}

/** The way of signing in that a profile names, to the system at `url`. */
export function signIn(auth: Auth, read: ReadSecret, url: string): SignIn {
  if (auth.kind === 'header')
    return {
      sign: async () => ({ headers: { [auth.header]: `${auth.scheme} ${await read(auth.token)}`.trim() } }),
      renew: () => false,
    };
  if (auth.kind === 'query')
    return { sign: async () => ({ headers: {}, query: { [auth.parameter]: await read(auth.token) } }), renew: () => false };
  if (auth.kind === 'basic')
    return {
      sign: async () => {
        const pair = `${await read(auth.user)}:${await read(auth.password)}`;
        return { headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
      },
      renew: () => false,
    };
  return auth.kind === 'login' ? renewed(auth, logIn(auth, read, url)) : renewed(auth, tokenFetcher(auth, read));
}

/** A token that is fetched once, kept while it is good, and fetched again after a refusal. */
function renewed({ header, scheme }: { readonly header: string; readonly scheme: string }, fetchToken: FetchToken): SignIn {
  let token: Promise<Token> | null = null;
  let renewedAt = 0;
  return {
    async sign(signal) {
      const asked = token;
      const known = await asked?.catch(() => null);
      // One for all that waited for the same.
      if ((!known || known.until < Date.now()) && token === asked) token = fetchToken(signal);
      const now = await (token ?? fetchToken(signal));
      return { headers: now.cookie ? { cookie: now.text } : { [header]: `${scheme} ${now.text}`.trim() } };
    },
    renew() {
      // Once for a wave of refusals: all calls under way carry the same old token.
      if (Date.now() - renewedAt < 5000) return token !== null;
      renewedAt = Date.now();
      token = null;
      return true;
    },
  };
}

/** Logs in, and takes the token or the session cookie from the answer. */
function logIn(auth: Extract<Auth, { kind: 'login' }>, read: ReadSecret, url: string): FetchToken {
  return async (signal) => {
    const body = fill(auth.body, { user: await read(auth.user), password: await read(auth.password) });
    const answer = await call('CRM', {
      method: 'POST',
      url: url.replace(/\/+$/, '') + auth.path,
      headers: auth.headers,
      ...(auth.sendAs === 'json' ? { json: body } : { form: body as Record<string, string> }),
      signal,
      // A log-in that is refused is the key's fault, whatever status a system gives it.
      judge: ({ status }) => (status >= 400 && status < 500 && status !== 429 ? { failure: 'unauthorized' } : undefined),
    });
    const until = Date.now() + lifeOf(auth.seconds);
    const cookie = auth.cookie === undefined ? undefined : cookieOf(answer.headers, auth.cookie);
    if (cookie !== undefined) return { text: cookie, until, cookie: true };
    const token = auth.token === undefined ? null : textAt(answer.body, auth.token);
    if (token === null)
      throw new SystemError('CRM', 'unauthorized', `the log-in was answered without ${auth.cookie ?? auth.token ?? 'a token'}`);
    return { text: token, until };
  };
}

const cookieOf = (headers: Headers, name: string): string | undefined =>
  headers
    .getSetCookie()
    .find((each) => each.startsWith(`${name}=`))
    ?.split(';')[0];

const lifeOf = (seconds: number): number => Math.max(seconds * 500, seconds * 1000 - EARLY_MS);

function tokenFetcher(auth: Extract<Auth, { kind: 'oauth2' }>, read: ReadSecret): FetchToken {
  const server: oauth.AuthorizationServer = { issuer: new URL(auth.tokenUrl).origin, token_endpoint: auth.tokenUrl };
  let rotated: string | undefined;

  async function keep(token: string): Promise<void> {
    if (!auth.refreshToken || !('file' in auth.refreshToken)) {
      rotated = token;
      return;
    }
    const { file } = auth.refreshToken;
    await writeFile(`${file}.new`, `${token}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }

  async function ask(signal?: AbortSignal): Promise<oauth.TokenEndpointResponse> {
    const client: oauth.Client = { client_id: await read(auth.clientId) };
    const secret = await read(auth.clientSecret);
    const proof = auth.sendAs === 'basic' ? oauth.ClientSecretBasic(secret) : oauth.ClientSecretPost(secret);
    const parameters = { ...auth.parameters, ...(auth.scope === undefined ? {} : { scope: auth.scope }) };
    const options = {
      [oauth.allowInsecureRequests]: new URL(auth.tokenUrl).protocol === 'http:',
      [oauth.customFetch]: (url: string, init: object) => ky(url, { ...init, retry: 0, throwHttpErrors: false }),
      ...(signal ? { signal } : {}),
    };
    if (auth.grant === 'client_credentials')
      return oauth.processClientCredentialsResponse(
        server,
        client,
        await oauth.clientCredentialsGrantRequest(server, client, proof, parameters, options),
      );
    const refresh = rotated ?? (auth.refreshToken ? await read(auth.refreshToken) : '');
    const request = { ...options, additionalParameters: parameters };
    return oauth.processRefreshTokenResponse(
      server,
      client,
      await oauth.refreshTokenGrantRequest(server, client, proof, refresh, request),
    );
  }

  return async (signal) => {
    let answer: oauth.TokenEndpointResponse;
    try {
      answer = await ask(signal);
    } catch (error) {
      if (error instanceof SystemError) throw error;
      if (error instanceof oauth.ResponseBodyError)
        throw new SystemError('CRM', 'unauthorized', {
          text: `the token was refused: ${error.error} ${error.error_description ?? ''}`.trim(),
          status: error.status,
        });
      throw new SystemError('CRM', 'unreachable', `no token from ${new URL(auth.tokenUrl).host}: ${(error as Error).message}`);
    }
    if (answer.refresh_token !== undefined) await keep(answer.refresh_token);
    return { text: answer.access_token, until: Date.now() + lifeOf(answer.expires_in ?? PRESUMED_SECONDS) };
  };
}
