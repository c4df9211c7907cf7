import { SystemError } from '../../connectors/systemError.ts';
import type { Time } from '../ports.ts';

const FIRST_PAUSE_MS = 1000;
const PATIENCE_MS = 60_000;
const TRIES = 8;

interface WholeList<P> {
  /** Reads from a position on, or from the beginning. */
  readonly read: (position: string | undefined) => AsyncIterable<P>;
  /** Where an earlier reading broke off. */
  readonly position: string | null | undefined;
  readonly time: Time;
  readonly signal: AbortSignal;
  /** So often a page is asked for before the reading breaks off; it goes on from there later. */
  readonly tries?: number;
}

/**
 * A long list, page by page. A page that fails is asked for again, and nothing before it; a position that the system knows
 * no longer is given up, and the list begins anew.
 */
export async function* wholeList<P extends { readonly position?: string | null }>({
  read,
  position,
  time,
  signal,
  tries = TRIES,
}: WholeList<P>): AsyncIterable<P> {
  let at = position ?? undefined;
  let old = at !== undefined;
  for (let failures = 0; ;) {
    try {
      for await (const page of read(at)) {
        yield page;
        [at, old, failures] = [page.position ?? undefined, false, 0];
        signal.throwIfAborted();
      }
      return;
    } catch (error) {
      if (!(error instanceof SystemError) || signal.aborted) throw error;
      if (!error.retryable) {
        if (!old) throw error;
        // What was kept from an earlier reading may be out of date.
        [at, old] = [undefined, false];
        continue;
      }
      failures += 1;
      if (failures >= tries) throw error;
      const pause = Math.min(PATIENCE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
      await time.sleep(Math.max(pause, error.retryAfterMs ?? 0), signal);
    }
  }
}
