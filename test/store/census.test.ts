import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { pino } from 'pino';
import { rulesOf } from '../../activities/observation.ts';
import { linkKey } from '../../flows/names.ts';
import { connectMongo } from '../../store/connect.ts';
import type { Store } from '../../store/store.ts';
import { CensusTaken, type Keeper } from '../../store/census.ts';
import { numberChanges, numberOnce } from '../../worker/sequencer.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { SMALL_FLOW } from '../support/flow.ts';
import { eventually, makeStore } from '../support/world.ts';

const log = pino({ level: 'silent' });
const STANDINGS: readonly Partial<LinkRecord>[] = [
  { status: 'in-step' },
  { status: 'linking' },
  { status: 'conflict' },
  { status: 'ended', ended: 'source gone' },
  { status: 'blocked', block: { code: 'held', side: 'source', properties: [], at: 1 } },
  { status: 'linking', block: { code: 'no-match', side: 'source', properties: [], at: 1 } },
];

describe('the counts of links', function () {
  let store: Store;
  let uri: string;
  beforeEach(async () => ({ store, uri } = await makeStore()));
  afterEach(() => store.close());

  const blank = (flow: string, sourceId: string): LinkRecord =>
    newRecord({ flow, rules: rulesOf(SMALL_FLOW), sourceId, seen: null, now: 0 });
  const write = (flow: string, id: string, more: Partial<LinkRecord>): Promise<unknown> =>
    store.links.write({ ...blank(flow, id), ...more }, SMALL_FLOW);
  /** By flow, status and reason, as the links themselves say it. */
  const counted = async (): Promise<Record<string, number>> => {
    const sums: Record<string, number> = {};
    for (const { flow, status, block } of await store.links.list()) {
      const key = `${flow} ${status} ${block?.code ?? null}`;
      sums[key] = (sums[key] ?? 0) + 1;
    }
    return sums;
  };
  const kept = async (): Promise<Record<string, number>> => {
    const sums: Record<string, number> = {};
    for (const { flow, status, code, count } of await store.census.counts()) {
      const key = `${flow} ${status} ${code}`;
      sums[key] = (sums[key] ?? 0) + count;
    }
    return sums;
  };
  /** Fails once, where `what` would be called next. */
  const failOnce = <T extends object>(object: T, what: keyof T): void => {
    const was = object[what] as (...args: never[]) => unknown;
    (object as Record<keyof T, unknown>)[what] = () => {
      (object as Record<keyof T, unknown>)[what] = was;
      return Promise.reject(new Error('the process dies'));
    };
  };

  it('are those of the links after whatever happened, also where the one that keeps them dies at any point', async () => {
    const act = fc.oneof(
      fc.record({ what: fc.constant('note' as const), id: fc.nat(9), flow: fc.constantFrom('f', 'g-more') }),
      fc.record({ what: fc.constant('write' as const), id: fc.nat(9), flow: fc.constantFrom('f', 'g-more'), as: fc.nat(5) }),
      fc.record({ what: fc.constantFrom('number' as const, 'end' as const, 'die' as const, 'late' as const) }),
      fc.record({ what: fc.constant('forget' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 25 }), async (acts) => {
        await store.forgetAll();
        await store.prepare(1);
        let [revision, turns] = [0, 0];
        let before: string | null = null;
        const now: { keeper: Keeper | null } = { keeper: null };
        const begin = async (): Promise<Keeper> => {
          const holder = `h${(turns += 1)}`;
          const keeper = await store.census.open(holder, before);
          before = holder;
          return (now.keeper = keeper);
        };
        for (const each of acts) {
          if (each.what === 'note') await store.links.discover([blank(each.flow, String(each.id))], SMALL_FLOW);
          else if (each.what === 'write')
            await write(each.flow, String(each.id), { ...STANDINGS[each.as], revision: (revision += 1) });
          else if (each.what === 'forget') await store.forgetFlow('g-more');
          else {
            if (each.what === 'die') failOnce(store.unnumbered, 'settle');
            if (each.what === 'late') failOnce(store.changes, 'append');
            try {
              await numberOnce(store, now.keeper ?? (await begin()));
              if (each.what === 'end') await now.keeper?.close();
              if (each.what !== 'number') now.keeper = null;
            } catch (error) {
              assert.ok(error instanceof CensusTaken || String(error).includes('dies'), String(error));
              now.keeper = null;
            }
          }
          assert.deepEqual(await kept(), await counted());
        }
      }),
      { numRuns: 15 },
    );
  });

  it('cost no reading of links that were not written since; a database from before is counted once', async () => {
    for (const id of ['1', '2', '3']) await write('f', id, { status: 'in-step', revision: 1, targetId: id });
    // As 0.1.0 left them: noted without a word, and numbered by a process that keeps no counts.
    await store.links.discover([blank('f', '4')], SMALL_FLOW);
    const { client, db } = await connectMongo(uri, {});
    await db.collection('links').updateOne({ _id: linkKey('f', '4') as never }, { $unset: { unnumbered: '' } });
    await client.close();
    await numberOnce(store);
    const keeper = await store.census.open('first', null);
    assert.deepEqual(await kept(), { 'f in-step null': 3, 'f linking null': 1 });
    await write('f', '4', { status: 'conflict', revision: 1 });
    assert.deepEqual(await kept(), { 'f in-step null': 3, 'f conflict null': 1 }, 'before it has its number');
    await numberOnce(store, keeper);
    assert.deepEqual(await kept(), await counted());
    assert.equal((await store.unnumbered.some(10)).length, 0);
    const other = await store.census.open('second', 'somebody else');
    await assert.rejects(keeper.count(await store.links.list()), CensusTaken);
    assert.equal(other.total, 4);
  });

  it('the one that numbers hands over in good order, and costs little while nothing happens', async () => {
    const run = (): { stop: () => Promise<void> } => {
      const abort = new AbortController();
      const ended = numberChanges(store, { holder: 'worker', log, signal: abort.signal });
      return { stop: () => (abort.abort(), ended) };
    };
    await write('f', '1', { status: 'in-step', revision: 1 });
    const first = run();
    const newest = (): Promise<number> => store.changes.newest();
    await eventually('the first number', newest, (n) => n === 1);
    await first.stop();
    const turns: boolean[] = [];
    const take = store.changes.lease.bind(store.changes);
    store.changes.lease = async (...args) => {
      const turn = await take(...args);
      turns.push(turn !== null);
      return turn;
    };
    const second = run();
    const third = run();
    await write('f', '1', { status: 'conflict', revision: 2 });
    await eventually('the second number, from whoever comes next', newest, (n) => n === 2);
    // Both ask as they start, and again after three seconds.
    assert.ok(turns.slice(0, 2).includes(true), 'at once, not when the lease of the one before has run out');
    await new Promise((resolve) => setTimeout(resolve, 3000));
    let [writes, reads] = [0, 0];
    const lease = store.changes.lease.bind(store.changes);
    const some = store.unnumbered.some.bind(store.unnumbered);
    store.changes.lease = (...args) => ((writes += 1), lease(...args));
    store.unnumbered.some = (...args) => ((reads += 1), some(...args));
    const began = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 4000));
    // Whoever numbers looks each second and says so every two; who waits for the turn asks every three.
    const atMost = (everyMs: number): number => 1 + Math.floor((Date.now() - began) / everyMs);
    assert.ok(writes <= atMost(2000) + atMost(3000) && reads <= atMost(1000), `${writes} leases, ${reads} looks in 4 s`);
    const needed: number[] = [];
    const append = store.changes.append.bind(store.changes);
    store.changes.append = (...args) => (needed.push(reads), append(...args));
    reads = 0;
    await write('f', '1', { status: 'in-step', revision: 3 });
    await eventually('the third number', newest, (n) => n === 3);
    assert.ok((needed[0] ?? 9) <= 2, `by the look under way or the next one, not after ${needed[0]}`);
    await Promise.all([second.stop(), third.stop()]);
    assert.deepEqual(await kept(), await counted());
  });
});
