import type { Absence } from './state.ts';

/** Time between the two direct reads that a deletion takes which a list of ids announced (ms). */
export const GONE_APART_MS = 6000;
const GONE_READS = 2;
/** A 404 that no list announced must last so long, and a list must lack the record: gateways blip (ms). */
export const GONE_UNANNOUNCED_MS = 600_000;
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 3600_000;

/** Whether the reads suffice to believe that a record is gone. */
export function isBelievedGone(absence: Absence): boolean {
  return hasLasted(absence) && (absence.since === undefined || absence.listed === true);
}

/** Whether reads have missed a record for as long as it takes, whatever the lists say. */
export const hasLasted = ({ reads, since, lastAt }: Absence): boolean =>
  reads >= GONE_READS && (since === undefined || (lastAt ?? since) - since >= GONE_UNANNOUNCED_MS);

/** One more read did not find it: it is said to be gone, or nothing is believed of its system for now. */
export const missed = (found: 'gone' | 'unsure', before: Absence | null, now: number): Absence =>
  found === 'gone' ? missedAgain(before, now) : missedInOutage(before, now);

/** One more read said "gone"; the pauses grow, unless a list of ids announced it. */
function missedAgain(before: Absence | null, now: number): Absence {
  if (before && before.since === undefined) return { ...before, reads: before.reads + 1, nextAt: now + GONE_APART_MS };
  const reads = (before?.reads ?? 0) + 1;
  const since = before?.since ?? now;
  const next = now + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (reads - 1));
  // One read falls just where the ten minutes end.
  const nextAt = now < since + GONE_UNANNOUNCED_MS ? Math.min(next, since + GONE_UNANNOUNCED_MS) : next;
  return { ...before, reads, since, lastAt: now, nextAt };
}

/** The system says "gone" of very many: nothing is counted, and what was counted begins anew. */
function missedInOutage(before: Absence | null, now: number): Absence {
  const pause = Math.min(60_000, FIRST_PAUSE_MS * 2 ** (before?.reads ?? 0));
  return { reads: before?.reads ?? 0, since: now, lastAt: now, nextAt: now + pause };
}

/** A list of ids lacks the record: the next read is due at once. */
export function missingFromList(before: Absence | null, now: number): Absence {
  if (!before) return { reads: 0, nextAt: now };
  return {
    ...before,
    listed: true,
    nextAt: Math.min(before.nextAt, now),
    ...(before.since === undefined ? {} : { lastAt: before.since }),
  };
}
