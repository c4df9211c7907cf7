import { setTimeout as sleep } from 'node:timers/promises';
import type { Time } from './ports.ts';

/** The machine's own clock. */
export const realTime: Time = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}),
};
