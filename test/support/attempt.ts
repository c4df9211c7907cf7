import type { Attempt } from '../../activities/ports.ts';

/** The first attempt of an activity, by a worker that never sleeps, unless told otherwise. */
export const attemptOf = (given: Partial<Attempt> = {}): Attempt => ({
  number: 1,
  scheduledAt: 0,
  signal: new AbortController().signal,
  wasAsleep: () => false,
  ...given,
});
