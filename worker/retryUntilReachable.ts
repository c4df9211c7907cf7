import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { SystemError } from '../connectors/systemError.ts';
import type { Connector } from '../connectors/connector.ts';
import type { Store } from '../store/store.ts';
import { ConfigError } from './config.ts';

const SAY_EVERY_MS = 30_000;

/** Tries until it works: what cannot be reached is waited for, with a sentence now and then. What a person must mend is thrown. */
export async function retryUntilReachable<T>(
  what: string,
  log: Logger,
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  let said = 0;
  for (let wait = 500; ; wait = Math.min(10_000, wait * 2)) {
    try {
      const got = await attempt();
      if (said > 0) log.info({ event: 'reach', what }, `${what} answers now`);
      return got;
    } catch (error) {
      if (signal.aborted || error instanceof ConfigError) throw error;
      if (error instanceof SystemError && !error.retryable)
        throw new ConfigError([`${what} refuses the start-up check: ${error.text}`]);
      if (error instanceof SystemError && error.failure === 'unauthorized')
        throw new ConfigError([`${what} refuses the key: ${error.text}`]);
      if (Date.now() - said > SAY_EVERY_MS) {
        said = Date.now();
        const why =
          error instanceof SystemError ? error.text : error instanceof Error ? error.message.split('\n')[0] : String(error);
        log.warn({ event: 'reach', what, why }, `${what} cannot be reached; waiting for it`);
      }
      await sleep(wait, undefined, { signal });
    }
  }
}

/** One world: a store that remembers other systems than these is refused, since ids would collide. */
export async function sameWorld(store: Store, connector: Connector, identity: string): Promise<void> {
  if (!(await isKnownWorld(store, connector, identity))) await store.systems.set(connector.name, { identity });
}

/** Whether a store remembers this very system; false where it remembers none. Throws ConfigError for another. Writes nothing. */
export async function isKnownWorld(store: Store, connector: Connector, identity: string): Promise<boolean> {
  const known = (await store.systems.get(connector.name)).identity;
  if (known !== undefined && known !== identity)
    throw new ConfigError([
      `this store belongs to ${connector.title} at ${known}, but the configuration names ${identity}: ids would collide. Name another database in MONGODB_URI (and another Temporal namespace), or go back to the old address`,
    ]);
  return known !== undefined;
}
