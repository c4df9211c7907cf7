import assert from 'node:assert/strict';
import { runChaos, type Toll } from './main.ts';

/** Attacks for so long; fails, with all that was said, where anything was lost, doubled or stuck. */
export async function survives(minutes: number, seed: number): Promise<Toll> {
  const said: string[] = [];
  const toll = await runChaos(minutes, seed, (text) => void said.push(text));
  assert.deepEqual(
    { lost: toll.lost, doubled: toll.doubled, stuck: toll.stuck },
    { lost: 0, doubled: 0, stuck: 0 },
    [JSON.stringify(toll), ...said].join('\n'),
  );
  return toll;
}
