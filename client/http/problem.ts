/** Problem answers, RFC 9457: what is wrong, where, and what to do next. */

export interface ProblemOptions {
  /** Every issue of a malformed request at once: where it is, and what is wrong there. */
  readonly errors?: readonly { readonly at: string; readonly message: string }[];
  readonly headers?: Readonly<Record<string, string>>;
  /** What a program may want to know besides, as members of the answer. */
  readonly more?: ProblemMembers;
}

/** Members of a problem that only some of them have. */
export interface ProblemMembers {
  /** The name that may have been meant (404). */
  readonly nearest?: string;
  /** From where the stream can be followed (410). */
  readonly goOnAfter?: number;
  /** What does not answer, and since when (503). */
  readonly dependency?: string;
  readonly since?: string;
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Malformed request',
  401: 'No valid token',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  410: 'No longer kept',
  413: 'Too large',
  415: 'Wrong content type',
  422: 'Cannot be done',
  500: 'Internal error',
  503: 'Not available',
};

/** A refusal as the HTTP interface answers it. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly options: ProblemOptions;

  constructor(status: number, detail: string, options: ProblemOptions = {}) {
    super(detail);
    this.status = status;
    this.options = options;
  }

  /** The answer, `application/problem+json`. `requestId` names the request in the log. */
  response(requestId: string): Response {
    const { errors, headers, more } = this.options;
    const body = {
      type: 'about:blank',
      title: TITLES[this.status] ?? 'Error',
      status: this.status,
      detail: this.message,
      requestId,
      ...more,
      ...(errors ? { errors } : {}),
    };
    return new Response(JSON.stringify(body), {
      status: this.status,
      headers: { 'content-type': 'application/problem+json', ...headers },
    });
  }
}
