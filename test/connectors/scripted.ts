import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call as a scripted service got it. */
export interface Got {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/** What it answers; without a body where there is none. */
export interface Answered {
  readonly status: number;
  readonly body?: unknown;
}

/** A service that answers by script, for what the stand-in never does. Token calls are answered by itself. */
export async function scripted(
  answer: (got: Got) => Answered,
): Promise<{ url: string; calls: Got[]; tokens: Got[]; close: () => Promise<void> }> {
  const calls: Got[] = [];
  const tokens: Got[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://service');
      const text = Buffer.concat(parts).toString();
      const isToken = url.pathname.toLowerCase() === '/oauth/token';
      const got: Got = {
        method: request.method ?? '',
        path: url.pathname.replace(/^\/v2\//, ''),
        query: url.searchParams,
        headers: request.headers,
        body: text === '' || isToken ? text : (JSON.parse(text) as unknown),
      };
      (isToken ? tokens : calls).push(got);
      const { status, body } = isToken ? { status: 200, body: { access_token: 't', expires_in: 1200 } } : answer(got);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v2`,
    calls,
    tokens,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
