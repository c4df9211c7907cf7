import { createServer as createHttp2, type Http2Server } from 'node:http2';
import { createServer, type AddressInfo, type Server } from 'node:net';

/** A server that refuses every key. */
export interface Refusing {
  readonly port: number;
  close(): void;
}

async function listening(server: Server | Http2Server): Promise<Refusing> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

/** A Temporal that answers every call with UNAUTHENTICATED. */
export function refusingTemporal(): Promise<Refusing> {
  const server = createHttp2();
  server.on('stream', (stream) => {
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '16', 'grpc-message': 'Request unauthorized.' },
      { endStream: true },
    );
  });
  return listening(server);
}

const [OP_REPLY, OP_QUERY, OP_MSG] = [1, 2004, 2013];
const HELLO = { ismaster: true, helloOk: true, minWireVersion: 0, maxWireVersion: 21, maxBsonObjectSize: 16_777_216, ok: 1 };
const REFUSAL = { ok: 0, code: 18, codeName: 'AuthenticationFailed', errmsg: 'Authentication failed.' };

/** A flat document as BSON has it: its values are strings, truths and whole numbers. */
function bson(document: Readonly<Record<string, string | number | boolean>>): Buffer {
  const int32 = (number: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(number);
    return bytes;
  };
  const elements = Object.entries(document).flatMap(([name, value]) => {
    const key = Buffer.from(`${name}\0`);
    if (typeof value === 'number') return [Buffer.of(0x10), key, int32(value)];
    if (typeof value === 'boolean') return [Buffer.of(0x08), key, Buffer.of(value ? 1 : 0)];
    const text = Buffer.from(`${value}\0`);
    return [Buffer.of(0x02), key, int32(text.length), text];
  });
  const body = Buffer.concat([...elements, Buffer.of(0)]);
  return Buffer.concat([int32(body.length + 4), body]);
}

function answered(request: Buffer): Buffer {
  const opCode = request.readInt32LE(12);
  const text = request.toString('latin1');
  const body = bson(opCode === OP_QUERY || /\bhello\b|ismaster/i.test(text) ? HELLO : REFUSAL);
  const before = Buffer.alloc(opCode === OP_MSG ? 5 : 20);
  // One document in the answer.
  if (opCode === OP_QUERY) before.writeInt32LE(1, 16);
  const head = Buffer.alloc(16);
  head.writeInt32LE(16 + before.length + body.length, 0);
  head.writeInt32LE(request.readInt32LE(4), 8);
  head.writeInt32LE(opCode === OP_MSG ? OP_MSG : OP_REPLY, 12);
  return Buffer.concat([head, before, body]);
}

/** A MongoDB that takes no password. */
export function refusingMongo(): Promise<Refusing> {
  const server = createServer((socket) => {
    let got = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      got = Buffer.concat([got, data]);
      while (got.length >= 16 && got.length >= got.readInt32LE(0)) {
        const length = got.readInt32LE(0);
        socket.write(answered(got.subarray(0, length)));
        got = got.subarray(length);
      }
    });
  });
  return listening(server);
}
