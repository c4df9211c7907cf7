import { connect, createServer, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';

const PERMISSION_DENIED = '7';

/** Stands before a Temporal and passes every call on, those apart that `refuses` picks by path and body: no permission. */
export async function choosyTemporal(
  address: string,
  refuses: (path: string, body: string) => boolean,
): Promise<{ readonly address: string; close(): void }> {
  const behind = connect(`http://${address}`);
  behind.on('error', () => {});
  const server = createServer();
  server.on('stream', (stream, headers) => {
    const parts: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (data: Buffer) => parts.push(data));
    stream.on('end', () => {
      const body = Buffer.concat(parts);
      if (refuses(String(headers[':path']), body.toString('latin1')))
        return stream.respond(
          {
            ':status': 200,
            'content-type': 'application/grpc',
            'grpc-status': PERMISSION_DENIED,
            'grpc-message': 'Request denied.',
          },
          { endStream: true },
        );
      const onward = behind.request({ ...headers, ':authority': address });
      const answer: { head: IncomingHttpHeaders; data: Buffer[]; trailers: IncomingHttpHeaders } = {
        head: {},
        data: [],
        trailers: {},
      };
      onward.on('error', () => stream.close());
      onward.on('response', (head) => (answer.head = head));
      onward.on('trailers', (trailers) => (answer.trailers = trailers));
      onward.on('data', (data: Buffer) => answer.data.push(data));
      onward.on('end', () => {
        if (stream.destroyed) return;
        const head = Object.fromEntries(Object.entries(answer.head));
        const trailers = Object.fromEntries(Object.entries(answer.trailers));
        // An answer without data is all headers.
        if (!('grpc-status' in trailers)) return stream.respond(head, { endStream: true });
        stream.respond(head, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers(trailers));
        stream.end(Buffer.concat(answer.data));
      });
      stream.on('close', () => onward.close());
      onward.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      behind.destroy();
    },
  };
}
