/** How a call to a system failed; classified here, at the edge, and nowhere else. */
export type Failure =
  /** No answer, or one that says "later": network, time-out, 408, 5xx. */
  | 'unreachable'
  /** 429. */
  | 'throttled'
  /** 401 after the token was renewed. */
  | 'unauthorized'
  /** An answer that is cut short, no JSON, or not of the promised shape: never data. */
  | 'malformed'
  /** The condition of a write (`test`, `If-Match`) did not hold, or may not have held. */
  | 'contended'
  /** 404 or 410. */
  | 'gone'
  /** 409: the external id is taken already. */
  | 'taken'
  /** The system answers with another record than the one asked for: a merge. */
  | 'merged'
  /** A write was answered with success, and reads after the lag show the old value: at an unmoved version, or again. */
  | 'unstored'
  /** A refusal that only a person or another value can mend. */
  | 'refused';

/** What an answer that is a failure tells. */
export interface Said {
  readonly text: string;
  readonly status?: number;
  readonly fields?: readonly string[];
  readonly retryAfterMs?: number;
  /** The write itself was answered with success: it stands, or did (`unstored`), although what it left cannot be shown. */
  readonly stands?: boolean;
  /** The id of a record that was made, although it cannot be shown. */
  readonly made?: string;
}

/** A failed call. `text` is the system's own; it may quote names, so it goes to the store and to people, not to logs or Temporal. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  readonly failure: Failure;
  readonly system: string;
  readonly status: number | null;
  readonly text: string;
  /** Fields that a problem answer names in `errors`. */
  readonly fields: readonly string[];
  /** Milliseconds to wait, where the system says so. */
  readonly retryAfterMs: number | null;
  /** The write stands, or did where it is `unstored` now, although what it left cannot be shown. */
  readonly stands: boolean;
  /** The id of a record that was made, although it cannot be shown. */
  readonly made: string | null;

  /** `said`: the system's own text, alone or with what else its answer tells. */
  constructor(system: string, failure: Failure, said: string | Said) {
    const all: Said = typeof said === 'string' ? { text: said } : said;
    const { text, status = null, fields = [], retryAfterMs = null, stands = false, made = null } = all;
    super(`${system} ${status ?? failure}`);
    this.system = system;
    this.failure = failure;
    this.text = text;
    this.status = status;
    this.fields = fields;
    this.retryAfterMs = retryAfterMs;
    this.stands = stands || made !== null;
    this.made = made;
  }

  /** The same failure, after a write that was answered with success. */
  afterSuccess(made?: string): SystemError {
    const { text, status, fields, retryAfterMs } = this;
    return new SystemError(this.system, this.failure, {
      text,
      fields,
      stands: true,
      ...(status === null ? {} : { status }),
      ...(retryAfterMs === null ? {} : { retryAfterMs }),
      ...(made === undefined ? {} : { made }),
    });
  }

  /** Whether it says nothing of the record, but that the system cannot be used for now, by this key or at all. */
  get ofSystem(): boolean {
    return ['unreachable', 'throttled', 'unauthorized'].includes(this.failure);
  }

  /** Whether the same call may succeed later, with nobody mending anything. */
  get retryable(): boolean {
    return this.ofSystem || this.failure === 'malformed';
  }
}
