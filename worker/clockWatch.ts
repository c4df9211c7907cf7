import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { timeInWords } from '../connectors/clock.ts';
import type { WorkerDocument, Workers } from '../store/workers.ts';

/** Clocks of workers that part by more than this disagree (ms). */
export const CLOCKS_APART_MS = 1000;
const BEAT_MS = 5000;
/** How closely a worker watches the others' signs of life while it measures; so wide is what it finds (ms). */
const WATCH_MS = 100;
/** How long a sign of life may take to reach the store (ms). */
const LATE_MS = 300;
const MEASURE_MS = 10 * 60_000;
/** A worker that gave no sign for so long has ended, whatever its clock says (ms). */
const GONE_MS = 60_000;

/** Another worker's clock less ours, between these two (ms). */
interface Offset {
  readonly lo: number;
  readonly hi: number;
}

/** What watching the clocks needs. */
export interface ClockWatch {
  readonly workers: Workers;
  /** Names this process. */
  readonly id: string;
  readonly installation: string;
  readonly flows: readonly string[];
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** This machine's clock, and how often it gives a sign of life (ms). */
  readonly now?: () => number;
  readonly beatMs?: number;
}

/**
 * Gives signs of life and holds this worker's clock against those of the others: at the start, then now and then. No
 * server's clock is asked. A sign carries its sender's time, and whoever watches sees between which two looks it came.
 * Runs until `signal` aborts.
 */
export async function watchClocks(watch: ClockWatch): Promise<void> {
  const { workers, id, installation, flows, signal, now = Date.now, beatMs = BEAT_MS } = watch;
  let apart: WorkerDocument['apart'] = null;
  const heard = new Map<string, { at: number; since: number }>();
  const beat = async (): Promise<void> => {
    await workers.beat({ _id: id, installation, at: now(), flows, apart });
    for (const { _id, at } of await workers.all()) {
      const last = heard.get(_id);
      if (last?.at !== at) heard.set(_id, { at, since: performance.now() });
      else if (performance.now() - last.since > GONE_MS) await workers.forget(_id, at);
    }
  };
  const beating = every(beatMs, signal, beat);
  const measuring = every(MEASURE_MS, signal, async () => {
    const offsets = await measure(workers, { id, now, signal, forMs: 2 * beatMs + WATCH_MS });
    const before = apart;
    apart = judge(offsets, apart?.since ?? now());
    if (apart) watch.log.warn({ event: 'clock', ms: apart.ms }, clockInWords(apart));
    else if (before) watch.log.info({ event: 'clock' }, "this worker's clock agrees with the others' again");
    await beat();
  });
  await Promise.all([beating, measuring]);
  await workers.forget(id).catch(() => {});
}

/** Whether a worker's clock disagrees with most of the others, and by how much. */
function judge(offsets: readonly Offset[], since: number): WorkerDocument['apart'] {
  const far = offsets.filter(({ lo, hi }) => lo > CLOCKS_APART_MS || hi < -CLOCKS_APART_MS);
  if (far.length * 2 <= offsets.length) return null;
  const by = far.map(({ lo, hi }) => -(lo + hi) / 2).sort((a, b) => a - b);
  return { ms: Math.round(by[Math.floor(by.length / 2)] ?? 0), of: far.length, others: offsets.length, since };
}

/** "this worker's clock is 3.2 s ahead of that of 2 of 2 other workers: …" */
export function clockInWords({ ms, of, others }: Pick<NonNullable<WorkerDocument['apart']>, 'ms' | 'of' | 'others'>): string {
  return `this worker's clock is ${timeInWords(Math.abs(ms))} ${ms > 0 ? 'ahead of' : 'behind'} that of ${of} of ${others} other workers: let it be set (NTP)`;
}

/** Watches until every other worker has given a sign of life, or should have. */
async function measure(
  workers: Workers,
  {
    id,
    now,
    signal,
    forMs,
  }: { readonly id: string; readonly now: () => number; readonly signal: AbortSignal; readonly forMs: number },
): Promise<Offset[]> {
  const found = new Map<string, Offset>();
  let before = now();
  const known = new Map((await workers.all()).map(({ _id, at }) => [_id, at]));
  known.delete(id);
  const until = performance.now() + forMs;
  while (!signal.aborted && found.size < known.size && performance.now() < until) {
    await sleep(WATCH_MS, undefined, { signal }).catch(() => {});
    const asked = now();
    for (const { _id, at } of await workers.all()) {
      if (found.has(_id) || !known.has(_id) || known.get(_id) === at) continue;
      found.set(_id, { lo: at - now(), hi: at + LATE_MS - before });
    }
    before = asked;
  }
  return [...found.values()];
}

/** Runs `work` at once and then again and again until `signal` aborts; what fails is tried at the next turn. */
async function every(ms: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await work().catch(() => {});
    await sleep(ms, undefined, { signal }).catch(() => {});
  }
}
