import assert from 'node:assert/strict';
import { pino } from 'pino';
import { statusReport } from '../../client/status.ts';
import { Store } from '../../store/store.ts';
import { watchClocks } from '../../worker/clockWatch.ts';
import { Health } from '../../worker/health.ts';
import { eventually, makeStore, mongoUri } from '../support/world.ts';

/** A worker's watch whose machine's clock is so far ahead (ms); gives what it logs. */
function watching(store: Store, id: string, ahead: number): { lines: string[]; end: () => Promise<void> } {
  const lines: string[] = [];
  const stop = new AbortController();
  const running = watchClocks({
    workers: store.workers,
    id,
    installation: 'tandem',
    flows: ['f'],
    log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
    signal: stop.signal,
    now: () => Date.now() + ahead,
    beatMs: 400,
  });
  return { lines, end: () => (stop.abort(), running) };
}

describe('clocks of workers', () => {
  it('one that disagrees with most says so at its start and in status; the others keep quiet', async () => {
    const { store, uri } = await makeStore();
    const stores = await Promise.all([1, 2, 3].map(() => Store.connect(mongoUri(), { limits: uri })));
    const [one, two, three] = stores as [Store, Store, Store];
    const good = [watching(one, 'one', 0), watching(two, 'two', 40)];
    const said = async (): Promise<string[]> =>
      (await statusReport(store, { installation: 'tandem', flows: [], refused: [], servers: new Health([]) })).troubles.map(
        ({ code, sentence }) => `${code}: ${sentence}`,
      );
    await eventually(
      'two signs of life',
      () => store.workers.all(),
      (all) => all.length === 2,
    );
    const wrong = watching(three, 'three', -40_000);
    try {
      await eventually(
        'its word',
        () => wrong.lines,
        (lines) => lines.length > 0,
      );
      assert.match(wrong.lines[0] ?? '', /this worker's clock is (3\d|40)\.\d s behind that of 2 of 2 other workers/);
      await eventually('status', said, (troubles) => troubles.length > 0);
      assert.match((await said())[0] ?? '', /^clock: worker three: this worker's clock is .* behind/);
      assert.equal((await said()).length, 1);
      assert.deepEqual(
        good.flatMap(({ lines }) => lines),
        [],
      );
      await wrong.end();
      assert.deepEqual(await said(), [], 'one that has stopped disagrees with nobody');
    } finally {
      await Promise.all([wrong, ...good].map((each) => each.end()));
      await Promise.all([store, ...stores].map((each) => each.close()));
    }
  });
});
