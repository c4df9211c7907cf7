/** Problem answers, RFC 9457: what is wrong, where, and what to do next. */

export interface ProblemOptions {
  /** Every issue of a malformed request at once: where it is, and what is wrong there. */
  readonly errors?: readonly { readonly at: string; readonly message: string }[];
  readonly headers?: Readonly<Record<string, string>>;
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Malformed request',
  401: 'No valid token',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  406: 'Not acceptable',
  409: 'Conflict',
  410: 'No longer kept',
  413: 'Too large',
  415: 'Wrong content type',
  421: 'Wrong host',
  422: 'Cannot be done',
  429: 'Too many requests',
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
    const { errors, headers } = this.options;
    const body = {
      type: 'about:blank',
      title: TITLES[this.status] ?? 'Error',
      status: this.status,
      detail: this.message,
      requestId,
      ...(errors ? { errors } : {}),
    };
    return new Response(JSON.stringify(body), {
      status: this.status,
      headers: { 'content-type': 'application/problem+json', ...headers },
    });
  }
}
