import { serve } from '@hono/node-server';
import type { Hono } from 'hono';

/** A server that runs. */
export interface Running {
  readonly address: string;
  close(): Promise<void>;
}

/** Serves an interface. Without tokens on loopback alone. Rejects where the port is in use. */
export function startServer(app: Pick<Hono, 'fetch'>, { port, open }: { port: number; open: boolean }): Promise<Running> {
  const hostname = open ? '0.0.0.0' : '127.0.0.1';
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname, port }, (info) =>
      resolve({
        address: `http://${open ? 'localhost' : '127.0.0.1'}:${info.port}`,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            // A stream that is followed stays open by design.
            if ('closeAllConnections' in server) server.closeAllConnections();
          }),
      }),
    );
    server.once('error', reject);
  });
}
