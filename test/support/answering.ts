/** One call that a server got. */
export interface Got {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** What a server answers; 200 and nothing where left out. */
export type Answering = (got: Got, url: URL) => { status?: number; body?: unknown; headers?: Record<string, string> };
