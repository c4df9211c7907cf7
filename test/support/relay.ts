import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

/** A way to a server that can be cut and mended, as a network can. */
export interface Relay {
  readonly address: string;
  cut(): void;
  mend(): void;
  close(): void;
}

/** Stands between a client and `host:port`. */
export async function relayTo(address: string): Promise<Relay> {
  const [host = '', port = '0'] = address.split(':');
  const open = new Set<Socket>();
  let down = false;
  const server = createServer((inward) => {
    if (down) return inward.destroy();
    const outward = connect(Number(port), host);
    for (const [from, to] of [
      [inward, outward],
      [outward, inward],
    ] as const) {
      open.add(from);
      from.on('error', () => to.destroy());
      from.once('close', () => (open.delete(from), to.destroy()));
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    down = true;
    for (const socket of open) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    mend: () => (down = false),
    close: () => (cut(), server.close()),
  };
}
