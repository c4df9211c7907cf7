import assert from 'node:assert/strict';
import { pino } from 'pino';
import { mongoServer, temporalServer } from '../../worker/remotes.ts';
import { retryUntilReachable } from '../../worker/retryUntilReachable.ts';
import { TandemError } from '../../flows/tandemError.ts';

describe('a start that waits for a server', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 14 });

  /** What is said while a server refuses so many attempts: half a second apart, then a second. */
  async function saidOver(failures: number, sayEveryMs?: number): Promise<string[]> {
    const said: string[] = [];
    const waiting = { log: pino({ level: 'silent' }), signal: new AbortController().signal, sayEveryMs };
    await retryUntilReachable(temporalServer('127.0.0.1:9'), { ...waiting, say: (line) => said.push(line) }, (before) =>
      before < failures ? Promise.reject(refused) : Promise.resolve(),
    );
    return said;
  }

  it('is told at once, then now and then, and when it is over', async () => {
    const [once, often] = await Promise.all([saidOver(2), saidOver(2, 100)]);
    const [waits, over] = [/^TEMPORAL_ADDRESS.*cannot be reached.*Waiting for it$/, /^TEMPORAL_ADDRESS: .*answers now$/];
    for (const [said, times] of [
      [once, 1],
      [often, 2],
    ] as const) {
      assert.equal(said.length, times + 1, said.join('\n'));
      for (const line of said.slice(0, times)) assert.match(line, waits);
      assert.match(said.at(-1) ?? '', over);
    }
  });

  it('is not waited for where a person must mend it', async () => {
    const wrongKey = Object.assign(new Error('Authentication failed.'), { code: 18 });
    const waiting = { log: pino({ level: 'silent' }), signal: AbortSignal.timeout(5000), say: () => {} };
    await assert.rejects(
      retryUntilReachable(mongoServer('mongodb://127.0.0.1:9/tandem'), waiting, () => Promise.reject(wrongKey)),
      (error) => error instanceof TandemError && error.message.includes('correct MONGODB_URI'),
    );
  });
});
