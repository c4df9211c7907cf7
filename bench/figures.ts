import type { CallSeen } from '../sandbox/faults.ts';

/** One line of the bench's table. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target: string;
  readonly met: boolean;
}

export const median = (numbers: readonly number[]): number => quantile(numbers, 0.5);

export function quantile(numbers: readonly number[], q: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** Half the distance between the least and the most, in percent of the median. */
export function spread(numbers: readonly number[]): number {
  return (100 * (Math.max(...numbers) - Math.min(...numbers))) / 2 / median(numbers);
}

/** Calls by what they do. The token and the start-up check stand apart. */
export function countCalls(calls: readonly CallSeen[]): { lists: number; writes: number; reads: number; other: number } {
  const counted = { lists: 0, writes: 0, reads: 0, other: 0 };
  for (const { method, path } of calls) {
    if (/Token$|ClientIntegrationInformation$/.test(path)) counted.other += 1;
    else if (method !== 'GET') counted.writes += 1;
    else if (/^(\/v2)?\/[A-Za-z]+$/.test(path)) counted.lists += 1;
    else counted.reads += 1;
  }
  return counted;
}

/** The most calls in any second. */
export function mostInASecond(at: readonly number[]): number {
  return Math.max(0, ...at.map((start, i) => at.slice(i).filter((each) => each < start + 1000).length));
}

const SIGNALED = 26;
const ACTIVITY_SCHEDULED = 10;
const UPSERT = 40;
const TIMER = 17;

const TIMER_FIRED = 18;
const TIMER_CANCELED = 19;

/** Timers that were started and neither fired nor were cancelled. */
export function openTimers(events: readonly { readonly eventType?: number | null }[]): number {
  const count = (...types: number[]): number => events.filter(({ eventType }) => types.includes(Number(eventType))).length;
  return count(TIMER) - count(TIMER_FIRED, TIMER_CANCELED);
}

/** Billable actions among the events of a history: signals, activities, timers, upserts of search attributes. */
export function countActions(events: readonly { readonly eventType?: number | null }[]): number {
  return events.filter(({ eventType }) => [SIGNALED, ACTIVITY_SCHEDULED, UPSERT, TIMER].includes(Number(eventType))).length;
}
