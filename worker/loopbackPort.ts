import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that systems give to outgoing connections (Linux from 32768, others from 49152): such a one may be taken
 * between the look and the use, or while a server restarts, even by a client that tries to reach that very port.
 */
const [LOWEST, BEYOND] = [20_000, 32_000];
const TRIES = 100;

/** Whether nothing listens on a port. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** A port on loopback that nobody uses now. */
export async function freeLoopbackPort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(LOWEST, BEYOND);
    if (await isPortFree(port)) return port;
  }
  throw new Error(`no port from ${LOWEST} to ${BEYOND - 1} is free on loopback`);
}
