import type { Random, Sim } from './sim.ts';

/** A worker process: dead, frozen, or at work. */
export interface Process {
  dead: boolean;
  frozenAt: number;
  frozenUntil: number;
}

/** A process without a beat for so long knows, as it wakes, that it slept (ms). */
const ASLEEP_MS = 5000;

export function freeze(process: Process, { now, ms }: { readonly now: number; readonly ms: number }): void {
  process.frozenAt = now;
  process.frozenUntil = now + ms;
}

/** Whether a process slept after that instant. */
export const sleptSince = ({ frozenAt, frozenUntil }: Process, instant: number): boolean =>
  frozenUntil > instant && frozenUntil - frozenAt > ASLEEP_MS;

interface World {
  readonly sim: Sim;
  readonly random: Random;
  /** Share of steps at which a process dies or freezes, as it is now. */
  readonly crashes: () => number;
  /** Share of calls that fail, as it is now. */
  readonly faults: () => number;
}

const never = new Promise<never>(() => {});

/** Makes whatever a process calls a place where it may die, freeze or (a store) be refused. */
export function throughProcess({ sim, random, crashes, faults }: World) {
  /** Every step of a process: here it may die, or freeze and wake up late. */
  async function pass(process: Process): Promise<void> {
    const fate = random.next();
    if (fate < crashes() / 2) process.dead = true;
    else if (fate < crashes()) freeze(process, { now: sim.now(), ms: random.between(11_000, 40_000) });
    if (process.dead) return never;
    if (process.frozenUntil > sim.now()) await sim.sleep(process.frozenUntil - sim.now());
  }

  async function* pages(inner: AsyncIterable<unknown>, process: Process): AsyncIterable<unknown> {
    for await (const page of inner) {
      await pass(process);
      yield page;
    }
  }

  return function through<T extends object>(object: T, process: Process, refuses = false): T {
    return new Proxy(object, {
      get(inner, name) {
        const member = Reflect.get(inner, name, inner) as unknown;
        if (typeof member !== 'function') return member;
        if (name === 'features') return member.bind(inner) as unknown;
        return (...args: unknown[]) => {
          // Refused before it has done anything, or after.
          const lists = member.constructor.name === 'AsyncGeneratorFunction';
          if (refuses && !lists && random.chance(faults() / 8)) return Promise.reject(new Error('the store refuses'));
          const result = (member as (...args: unknown[]) => unknown).apply(inner, args);
          if (result !== null && typeof result === 'object' && Symbol.asyncIterator in result)
            return pages(result as AsyncIterable<unknown>, process);
          return (async () => {
            const value = await (result as Promise<unknown>);
            if (refuses && random.chance(faults() / 8)) throw new Error('the store refuses');
            await pass(process);
            return value;
          })();
        };
      },
    });
  };
}
