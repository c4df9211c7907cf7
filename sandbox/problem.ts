/** A problem+json answer. */
export function problem(
  status: number,
  { title, detail }: { readonly title: string; readonly detail: string },
  more: { errors?: Record<string, string[]>; headers?: Record<string, string> } = {},
): Response {
  const body = { type: 'about:blank', title, status, detail, ...(more.errors ? { errors: more.errors } : {}) };
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/problem+json', ...more.headers } });
}
