import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the process small: a worker runs for years on little live data, and V8 would rather let its heaps grow (main
 * thread and workflow thread alike) than collect. Costs no time that the bench could tell; no limit is set.
 */
export function staySmall(): void {
  setFlagsFromString('--heap-growing-percent=10');
  setFlagsFromString('--max-semi-space-size=2');
}
