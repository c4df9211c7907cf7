import { setFlagsFromString } from 'node:v8';

/**
 * What only an environment can set, and what a worker of the local stack and of the bench is given: glibc would keep an
 * arena a thread (some 40 MB) and what it frees (some 60 MB), and V8 lets its heaps grow with the machine (some 80 MB).
 * docs/operations.md tells when to raise it.
 */
export const WORKER_ENV: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: '131072',
  NODE_OPTIONS: '--max-old-space-size=192 --max-semi-space-size=2',
};

/**
 * Keeps the process small: a worker runs for years on little live data, and V8 would rather let its heaps grow (main
 * thread and workflow thread alike) than collect. Costs no time that the bench could tell; no limit is set.
 */
export function staySmall(): void {
  setFlagsFromString('--heap-growing-percent=10');
  setFlagsFromString('--max-semi-space-size=2');
}
