/** Something that Tandem cannot work without, and whether it answers. */
export interface Dependency {
  /** As the logs, `doctor` and `status` name it: "MongoDB at 127.0.0.1:27017". */
  readonly name: string;
  /** Rejects when it does not answer. Makes no call to a connected system. */
  check(): Promise<unknown>;
}

export interface Readiness {
  readonly ready: boolean;
  readonly dependencies: readonly {
    readonly name: string;
    readonly ready: boolean;
    readonly since: string | null;
    readonly why: string | null;
  }[];
}

const PATIENCE_MS = 3000;

/** Watches dependencies: since when one does not answer is remembered between two questions. */
export class Health {
  readonly #dependencies: readonly Dependency[];
  readonly #downSince = new Map<string, Date>();

  constructor(dependencies: readonly Dependency[]) {
    this.#dependencies = dependencies;
  }

  /** Asks all of them now. */
  async look(): Promise<Readiness> {
    const dependencies = await Promise.all(
      this.#dependencies.map(async (each) => {
        try {
          await within(each.check());
          this.#downSince.delete(each.name);
          return { name: each.name, ready: true, since: null, why: null };
        } catch (error) {
          const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
          return { name: each.name, ready: false, since: this.down(each.name).toISOString(), why };
        }
      }),
    );
    return { ready: dependencies.every(({ ready }) => ready), dependencies };
  }

  /** Since when a dependency is down, from now on where it was not known to be. */
  down(name: string): Date {
    const since = this.#downSince.get(name) ?? new Date();
    this.#downSince.set(name, since);
    return since;
  }
}

function within<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
