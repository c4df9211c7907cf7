import assert from 'node:assert/strict';
import { freeLoopbackPort } from '../../worker/loopbackPort.ts';

describe('a port that a server is going to use', () => {
  it('is none that a system gives to an outgoing connection before', async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, () => freeLoopbackPort()));
    assert.deepEqual(
      ports.filter((port) => port < 1024 || port >= 32_768),
      [],
    );
  });
});
