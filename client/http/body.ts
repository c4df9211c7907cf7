import { HttpProblem } from './problem.ts';

/** The body of a request as text. Throws 413 where it is larger than `limit` (bytes); what is declared larger is not read. */
export async function readBody(request: Request, limit: number): Promise<string> {
  // What comes after it on the connection would be the rest of the body.
  const tooLarge = new HttpProblem(413, `a body of more than ${limit / 1024} KiB is not read`, {
    headers: { connection: 'close' },
  });
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > limit) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
