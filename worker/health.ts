import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { troubleOf, type Trouble } from '../flows/faults.ts';

/** Something that Tandem cannot work without, and whether it answers. */
export interface Dependency {
  readonly of: 'temporal' | 'store';
  /** As the logs, `doctor` and `status` name it: "MongoDB at 127.0.0.1:27017". */
  readonly name: string;
  /** Rejects when it does not answer. Makes no call to a connected system. */
  check(): Promise<unknown>;
  /** Whether an error says that it did not answer. */
  failedIn(error: Error): boolean;
}

/** Whether a dependency answers; where it does not, what is told of it. */
export interface DependencyState {
  readonly of: Dependency['of'];
  readonly name: string;
  readonly trouble: Trouble | null;
}

/** What has not answered by then does not answer (ms). */
export const PATIENCE_MS = 3000;
const LOOK_MS = 5000;

/** Watches dependencies: since when one does not answer is remembered between two questions. */
export class Health {
  readonly #dependencies: readonly Dependency[];
  readonly #downSince = new Map<string, Date>();

  constructor(dependencies: readonly Dependency[]) {
    this.#dependencies = dependencies;
  }

  /** Asks all of them now. */
  look(): Promise<DependencyState[]> {
    return Promise.all(
      this.#dependencies.map(async (each) => {
        try {
          await within(each.check());
          this.#downSince.delete(each.name);
          return { of: each.of, name: each.name, trouble: null };
        } catch (error) {
          const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
          return { of: each.of, name: each.name, trouble: this.#noteDown(each.name, why) };
        }
      }),
    );
  }

  /** Down from now on, where it was not known to be. */
  #noteDown(name: string, why: string | null): Trouble {
    const since = this.#downSince.get(name) ?? new Date();
    this.#downSince.set(name, since);
    return troubleOf({ title: name, fault: 'unreachable' }, { why, since });
  }

  /** Whose fault an error is, where it is a dependency's: it is down from now on. */
  blame(error: unknown): Trouble | null {
    for (let at = error; at instanceof Error; at = at.cause) {
      const failure = at;
      const guilty = this.#dependencies.find((each) => each.failedIn(failure));
      if (guilty) return this.#noteDown(guilty.name, failure.message.split('\n')[0] ?? null);
    }
    return null;
  }

  /** Looks every few seconds and logs what stops answering, and what answers again. Ends when `signal` aborts. */
  async watch(log: Logger, signal: AbortSignal): Promise<void> {
    const down = new Set<string>();
    while (!signal.aborted) {
      for (const { name, trouble } of await this.look()) {
        if (signal.aborted) return;
        if (trouble && !down.has(name)) {
          down.add(name);
          log.warn({ event: 'reach', what: name, why: trouble.why }, `${trouble.sentence}; waiting for it`);
        } else if (!trouble && down.delete(name)) log.info({ event: 'reach', what: name }, `${name} answers now`);
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
    }
  }
}

function within<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
