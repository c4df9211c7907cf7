import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { faultInWords } from '../flows/faults.ts';
import { whyUnusable, type Remote } from './remotes.ts';

const SAY_EVERY_MS = 30_000;

/** How a start waits: where it says so, besides the log, and what ends it. */
export interface Waiting {
  readonly log: Logger;
  /** For the person at the terminal. */
  readonly say: (sentence: string) => void;
  readonly signal: AbortSignal;
  /** Pause between two sentences while it waits; half a minute unless told otherwise. */
  readonly sayEveryMs?: number | undefined;
}

/**
 * Tries until it works: what cannot be reached is waited for, with a sentence at once and then now and then. What a person
 * must mend is thrown. `attempt` is told how often it was tried before.
 */
export async function retryUntilReachable<T>(
  server: Remote,
  { log, say, signal, sayEveryMs = SAY_EVERY_MS }: Waiting,
  attempt: (before: number) => Promise<T>,
): Promise<T> {
  let said = 0;
  for (let before = 0, wait = 500; ; before++, wait = Math.min(10_000, wait * 2)) {
    try {
      const got = await attempt(before);
      if (said > 0) {
        log.info({ event: 'reach', what: server.title }, `${server.title} answers now`);
        say(`${server.addressIn}: ${server.title} answers now`);
      }
      return got;
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = whyUnusable(server, error);
      if (failure.kind !== 'unreachable') throw failure;
      if (Date.now() - said > sayEveryMs) {
        said = Date.now();
        log.warn(
          { event: 'reach', what: server.title, why: failure.message },
          `${faultInWords(server.title, 'unreachable')}; waiting for it`,
        );
        say(`${failure.message}. Waiting for it`);
      }
      await sleep(wait, undefined, { signal });
    }
  }
}
