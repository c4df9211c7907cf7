import { SystemError } from '../systemError.ts';
import { call } from '../http.ts';

/** The keys of a PowerOffice Go client. */
export interface PowerOfficeKeys {
  /** Base address, its last segment `/v2`. */
  readonly url: string;
  readonly applicationKey: string;
  readonly clientKey: string;
  readonly subscriptionKey: string;
  /** Who calls, and whom the provider may write to: it strongly recommends both. */
  readonly userAgent?: string | undefined;
}

/** The keys that a refusal is about: the gateway names the subscription, and OAuth does not tell the other two apart. */
export const keyAtFault = ({ text }: SystemError): ('applicationKey' | 'clientKey' | 'subscriptionKey')[] =>
  /subscription/i.test(text) ? ['subscriptionKey'] : ['applicationKey', 'clientKey'];

const AHEAD_MS = 60_000;

/** The token's address: the base address with its last segment `/v2` replaced. */
export function tokenUrl(base: string): string {
  return base.replace(/\/+$/, '').replace(/\/v2$/i, '') + '/OAuth/Token';
}

/**
 * The client-credentials token, shared by all calls of a process and renewed ahead of its expiry. The keys go into the
 * Basic header as they are, without the form encoding of RFC 6749, because that is what the provider documents.
 */
export class Token {
  readonly #keys: PowerOfficeKeys;
  #current: { value: string; renewAt: number } | null = null;
  #pending: Promise<string> | null = null;

  constructor(keys: PowerOfficeKeys) {
    this.#keys = keys;
  }

  /** A valid token; concurrent callers share one request for it. */
  get(): Promise<string> {
    if (this.#current && Date.now() < this.#current.renewAt) return Promise.resolve(this.#current.value);
    this.#pending ??= this.#fetch().finally(() => (this.#pending = null));
    return this.#pending;
  }

  /** A 401 showed that `value` is not accepted any more. */
  reject(value: string): void {
    if (this.#current?.value === value) this.#current = null;
  }

  async #fetch(): Promise<string> {
    const { applicationKey, clientKey, subscriptionKey, userAgent, url } = this.#keys;
    let answer;
    try {
      answer = await call('PowerOffice', {
        method: 'POST',
        url: tokenUrl(url),
        headers: {
          authorization: `Basic ${Buffer.from(`${applicationKey}:${clientKey}`).toString('base64')}`,
          'ocp-apim-subscription-key': subscriptionKey,
          ...(userAgent === undefined ? {} : { 'user-agent': userAgent }),
        },
        form: { grant_type: 'client_credentials' },
      });
    } catch (error) {
      // OAuth answers a wrong key with 400 or 401; either is a matter of keys.
      if (error instanceof SystemError && error.failure === 'refused')
        throw new SystemError('PowerOffice', 'unauthorized', { text: error.text, status: error.status ?? 401 });
      throw error;
    }
    const body = answer.body as { access_token?: unknown; expires_in?: unknown } | undefined;
    if (typeof body?.access_token !== 'string')
      throw new SystemError('PowerOffice', 'malformed', 'the token answer has no access_token');
    const life = Number(body.expires_in ?? 1200) * 1000;
    this.#current = { value: body.access_token, renewAt: Date.now() + Math.max(life / 2, life - AHEAD_MS) };
    return body.access_token;
  }
}
