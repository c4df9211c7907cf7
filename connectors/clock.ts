import type { Instants } from '../workflows/core/state.ts';

/** What is known of a system's clock: its time less ours, in ms, between `lo` and `hi`; measured when (ms), and by what. */
export interface ClockEstimate {
  readonly lo: number;
  readonly hi: number;
  readonly at: number;
  readonly by: 'nothing' | 'date' | 'write';
}

/** Without any evidence: a minute either way. */
const UNKNOWN: ClockEstimate = { lo: -60_000, hi: 60_000, at: 0, by: 'nothing' };
/** Clocks part by less than this (ms a ms) between two measurements. */
const DRIFT = 1e-4;
/** An answer whose stamp is further off than this is an old one given again (ms). */
const REPLAY_MS = 5000;
/** A Date header says whole seconds, and servers renew it a little late. */
const DATE_WIDTH_MS = 1200;

/** Where two headers in a row part from those before by more than this (ms), a clock was set. */
const SET_MS = 60_000;

/** When a call went out and when its answer came (ms, on our clock). */
export interface Bracket {
  readonly sentAt: number;
  readonly receivedAt: number;
}

/**
 * A system's clock against ours. Until our first write to it the Date header gives the offset, afterwards the stamps in
 * answers to our own writes, each bracketed by the moments of sending and receiving.
 */
export class SystemClock {
  #estimate: ClockEstimate = UNKNOWN;
  /** By how much the Date headers part from our clock, and by how much the last one did that differs from them (ms). */
  #header: number | null = null;
  #other: number | null = null;

  get estimate(): ClockEstimate {
    return this.#estimate;
  }

  /** Takes over an estimate from the store, unless what is known here is better. */
  restore(stored: ClockEstimate): void {
    const rank = { nothing: 0, date: 1, write: 2 };
    if (rank[stored.by] > rank[this.#estimate.by] || (stored.by === this.#estimate.by && stored.at > this.#estimate.at))
      this.#estimate = stored;
  }

  /** A Date header that came with an answer. */
  date(header: string | null, sentAt: number, receivedAt: number): void {
    const time = header === null ? Number.NaN : Date.parse(header);
    if (Number.isNaN(time)) return;
    this.#follow(time - (sentAt + receivedAt) / 2);
    if (this.#estimate.by !== 'write')
      this.#take({ lo: time - receivedAt, hi: time + DATE_WIDTH_MS - sentAt, at: receivedAt, by: 'date' });
  }

  /**
   * The stamp (ms) that our own write got. `replayable`: the answer may be an old one, which a system gives again for a
   * key that it knows; it counts only where it is about what is known already.
   */
  write(stamp: number, { sentAt, receivedAt }: Bracket, replayable = false): void {
    const { lo, hi } = this.#estimate;
    if (replayable && (stamp - sentAt + 1 < lo - REPLAY_MS || stamp - receivedAt - 1 > hi + REPLAY_MS)) return;
    this.#take({ lo: stamp - receivedAt - 1, hi: stamp - sentAt + 1, at: receivedAt, by: 'write' });
  }

  /** A stamp of this system (ms) on our clock. */
  correct(stamp: number): Instants {
    return [stamp - this.#estimate.hi, stamp - this.#estimate.lo];
  }

  /** A clock that was set takes its stamps along: what is known of them moves by as much as the headers do. */
  #follow(offset: number): void {
    const by = offset - (this.#header ?? offset);
    const isSet = Math.abs(by) > SET_MS;
    const isSure = this.#other !== null && Math.abs(offset - this.#other) < REPLAY_MS;
    this.#other = isSet ? offset : null;
    if (isSet && !isSure) return;
    this.#header = offset;
    const { lo, hi } = this.#estimate;
    if (isSet) this.#estimate = { ...this.#estimate, lo: lo + by - DATE_WIDTH_MS, hi: hi + by + DATE_WIDTH_MS };
  }

  #take(sample: ClockEstimate): void {
    const now = this.#estimate;
    const widened = now.by === sample.by ? DRIFT * Math.max(0, sample.at - now.at) : Number.POSITIVE_INFINITY;
    const lo = Math.max(sample.lo, now.lo - widened);
    const hi = Math.min(sample.hi, now.hi + widened);
    // No overlap: somebody set a clock, so only the newest sample counts.
    this.#estimate = lo <= hi ? { ...sample, lo, hi } : sample;
  }
}

/** By how much clocks part (ms), as people say it: "3.2 s", "20 min". */
export const timeInWords = (ms: number): string =>
  ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
