import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call that went through. */
export interface PassedCall {
  readonly method: string;
  readonly target: string;
}

/** Passes every call on to a real server as it came, and counts it. */
export async function countedCalls(address: string): Promise<{ url: string; calls: PassedCall[]; close: () => Promise<void> }> {
  const { hostname, port } = new URL(address);
  const calls: PassedCall[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url: target = '/', headers } = incoming;
    const onward = request({ hostname, port, method, path: target, headers }, (answer) => {
      calls.push({ method, target });
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    onward.once('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
