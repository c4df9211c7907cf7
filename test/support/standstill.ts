import { setTimeout as sleep } from 'node:timers/promises';

/** A stretch in which this process, or what it asked, did not come to its turn (ms). */
export interface Standstill {
  readonly from: number;
  readonly to: number;
}

/** How often to look whether time passes (ms), and by how much a look must be late to count. */
const LOOK_MS = 20;
const LATE_MS = 100;

/**
 * Notes when this process stands still, as on a machine that has more to do: what comes in at once then was sent before, at
 * its own pace, and nobody can have used that time. `probe`: something that must answer, too.
 */
export function watchStandstills(probe: () => Promise<unknown> = () => Promise.resolve()): {
  readonly seen: readonly Standstill[];
  /** How much time that was (ms). */
  lost(): number;
  end(): Promise<void>;
} {
  const seen: Standstill[] = [];
  const end = new AbortController();
  const watching = (async () => {
    for (let last = Date.now(); !end.signal.aborted;) {
      await sleep(LOOK_MS);
      await probe();
      const now = Date.now();
      if (now - last > LOOK_MS + LATE_MS) seen.push({ from: last, to: now });
      last = now;
    }
  })();
  return {
    seen,
    lost: () => seen.reduce((sum, { from, to }) => sum + (to - from), 0),
    end: () => {
      end.abort();
      return watching;
    },
  };
}
