import type { CallOptions } from '../connector.ts';
import { SystemClock } from '../clock.ts';
import { call, type Answer, type Call } from '../http.ts';
import { KeyBackOff, type TellKey } from '../keyBackOff.ts';
import type { RateLimiter } from '../rateLimiter.ts';
import { SystemError } from '../systemError.ts';
import { Token, type PowerOfficeKeys } from './token.ts';

/** A call below the base address. */
export type GoRequest = Omit<Call, 'url' | 'headers' | 'signal'> & { path: string; query?: Readonly<Record<string, string>> };

/** How every call but the token's is made: with a slot of the throttle, a token, and who we are. */
export class PowerOfficeClient {
  readonly base: string;
  readonly clock = new SystemClock();
  readonly #keys: PowerOfficeKeys;
  readonly #throttle: RateLimiter;
  readonly #token: Token;
  readonly #backOff: KeyBackOff;

  constructor(keys: PowerOfficeKeys, throttle: RateLimiter, tellKey?: TellKey) {
    this.#backOff = new KeyBackOff({ tell: tellKey });
    this.base = keys.url.replace(/\/+$/, '');
    this.#keys = keys;
    this.#throttle = throttle;
    this.#token = new Token(keys);
  }

  /** One call; a token that is refused is renewed once, and a refused key is left alone for a while. Throws SystemError. */
  send(request: GoRequest, options: CallOptions): Promise<Answer> {
    const scope = request.path.split('/')[0] ?? '';
    return this.#backOff.run(scope, () => this.#send(request, options, scope));
  }

  async #send(request: GoRequest, options: CallOptions, scope: string): Promise<Answer> {
    // URLSearchParams escapes the `+` of an offset, which would be a blank otherwise, and a blank as `+`.
    const query = new URLSearchParams(request.query).toString();
    for (let renewed = false; ; renewed = true) {
      const bearer = await this.#backOff.run('OAuth', () => this.#token.get());
      await this.#throttle.take(options.priority, options.signal);
      try {
        const answer = await call('PowerOffice', {
          ...request,
          url: `${this.base}/${request.path}${query === '' ? '' : `?${query}`}`,
          headers: {
            authorization: `Bearer ${bearer}`,
            'ocp-apim-subscription-key': this.#keys.subscriptionKey,
            ...(this.#keys.userAgent === undefined ? {} : { 'user-agent': this.#keys.userAgent }),
          },
          signal: options.signal,
        });
        this.clock.date(answer.headers.get('date'), answer.sentAt, answer.receivedAt);
        const kind = `${request.method} ${request.path.split('/').length}`;
        void this.#throttle.answered(kind, answer.sentAt, answer.receivedAt - answer.sentAt);
        return answer;
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        if (error.failure === 'throttled') await this.#throttle.hold(error.retryAfterMs ?? 1000);
        if (error.failure !== 'unauthorized' || renewed || this.#backOff.isPaused(scope)) throw error;
        this.#token.reject(bearer);
      }
    }
  }
}
