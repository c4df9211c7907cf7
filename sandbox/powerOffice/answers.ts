/** A refusal with the service's ProblemDetails, as JSON of the kind that its description names. */
export function refusal(
  status: number,
  { title, detail }: { readonly title: string; readonly detail: string },
  errors?: Readonly<Record<string, readonly string[]>>,
): Response {
  return new Response(JSON.stringify({ title, status, detail, ...(errors ? { errors } : {}) }), {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
  });
}

/** What the gateway before the service answers: a wrong key, too many calls. */
export function gateway(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify({ statusCode: status, message }), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  });
}
