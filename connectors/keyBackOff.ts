import { SystemError } from './systemError.ts';

/** The pause after a refused key, which doubles while it stays refused (ms). */
const FIRST_MS = 5000;
const LONGEST_MS = 5 * 60_000;

/** Told once when a system begins to refuse the key, and (null) once when it takes it again. */
export type TellKey = (refusal: SystemError | null) => void;

interface Refusal {
  readonly error: SystemError;
  readonly pauseMs: number;
  readonly until: number;
  /** One asks whether the key is taken again; the others wait for what it is told. */
  asking: boolean;
}

/**
 * One back-off for all calls with a key: once a system has refused it, nobody asks for a token, or calls, for a while, and
 * then one does. A token concerns everything; a refused call concerns its scope, since a system may refuse one type alone.
 */
export class KeyBackOff {
  readonly #refused = new Map<string, Refusal>();
  readonly #now: () => number;
  readonly #tell: TellKey;

  constructor({ tell = () => {}, now = Date.now }: { readonly tell?: TellKey | undefined; readonly now?: () => number } = {}) {
    this.#tell = tell;
    this.#now = now;
  }

  /** Runs a call, unless its key was refused a moment ago: then it fails as that one did. Throws SystemError. */
  async run<T>(scope: string, work: () => Promise<T>): Promise<T> {
    this.#admit(scope);
    try {
      const result = await work();
      this.#accept(scope);
      return result;
    } catch (error) {
      const refusal = this.#refused.get(scope);
      if (error instanceof SystemError && error.failure === 'unauthorized') throw this.#refuse(scope, error);
      // An answer of any other kind took the key; none at all says nothing of it.
      if (error instanceof SystemError && error.status !== null && error.status < 500) this.#accept(scope);
      else if (refusal) refusal.asking = false;
      throw error;
    }
  }

  /** Whether nobody may ask now. */
  isPaused(scope: string): boolean {
    return (this.#refused.get(scope)?.until ?? 0) > this.#now();
  }

  #accept(scope: string): void {
    if (this.#refused.delete(scope) && this.#refused.size === 0) this.#tell(null);
  }

  #admit(scope: string): void {
    const refusal = this.#refused.get(scope);
    if (!refusal) return;
    if (this.isPaused(scope) || refusal.asking) throw this.#again(refusal);
    refusal.asking = true;
  }

  #refuse(scope: string, error: SystemError): SystemError {
    const known = this.#refused.get(scope);
    // A wave of calls that were under way together is one refusal.
    if (known && this.isPaused(scope)) return this.#again(known);
    const pauseMs = known ? Math.min(LONGEST_MS, known.pauseMs * 2) : FIRST_MS;
    const refusal: Refusal = { error, pauseMs, until: this.#now() + pauseMs, asking: false };
    if (this.#refused.size === 0) this.#tell(error);
    this.#refused.set(scope, refusal);
    return this.#again(refusal);
  }

  #again({ error, until }: Refusal): SystemError {
    const { system, failure, text, status, fields } = error;
    const retryAfterMs = Math.max(1000, until - this.#now());
    return new SystemError(system, failure, { text, fields, retryAfterMs, ...(status === null ? {} : { status }) });
  }
}
