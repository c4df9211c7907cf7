import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_INSTALLATION } from '../flows/installation.ts';
import { timeInWords } from './clock.ts';
import type { Priority } from './connector.ts';
import { fairStart, goesFirst, LivingUsers, type SlotState, type SlotUser } from './fairShare.ts';

/** Where all processes that call with a key meet. Each answer is the common state as it is then. */
export interface RateSlots {
  /** Says who calls with the key and what waits there. */
  say(key: string, user: string, says: SlotUser): Promise<SlotState>;
  look(key: string): Promise<SlotState>;
  /** Takes the next slot if nobody has moved it from `known`; null where somebody has. */
  take(
    key: string,
    slot: {
      readonly known: number;
      readonly next: number;
      readonly user: string;
      readonly says: SlotUser;
      /** Where the installation's share starts with this slot. */
      readonly start: number;
      /** Processes to be forgotten. */
      readonly gone: readonly string[];
    },
  ): Promise<SlotState | null>;
  /** Nobody gets a slot before `until`. */
  push(key: string, until: number): Promise<SlotState>;
  /** Every slot from the next one on comes so much later (ms). */
  delay(key: string, ms: number): Promise<SlotState>;
  /** Sets a slot that cannot be right, if it still is `from`. */
  reset(key: string, from: number, to: number): Promise<SlotState>;
  /** A process calls no more. */
  leave(key: string, user: string): Promise<void>;
}

/** With which rate a process calls, and for whom. */
export interface RateOptions {
  /** Calls that all processes together make in a second at most; where others are configured with less, theirs. */
  readonly perSecond: number;
  /** Installations share a key fairly. */
  readonly installation?: string;
  /** Told of what a person should know. */
  readonly warn?: (sentence: string) => void;
  /** Ends the sign of life. */
  readonly until?: AbortSignal;
  /** This machine's clock (ms). */
  readonly now?: () => number;
}

const ORDER: Readonly<Record<Priority, number>> = { write: 0, feed: 1, sweep: 2 };
/** Before everything: what other processes have kept waiting for so long. */
const LATE_ORDER = -1;
/** Slots are a little wider than the rate asks: in a second's worth of them (ms), calls may arrive late by so much. */
const SLACK_MS = 50;
/** So long a second's worth of slots takes (ms). */
const SECOND_MS = 1000 + SLACK_MS;
/** Of the slack, what a call that leaves late may use up (ms); the rest is the network's. */
const LEAVE_MS = 15;
/** An answer that took longer than others by more than this says nothing of when the call arrived (ms). */
const LATE_MS = 150;
/** A feed's list goes before the writes of its process after so long, and anything before other processes' (ms). */
const PATIENCE_MS = 5000;
/** Who has the turn may have its slot until so shortly before it is due: then whoever waits takes it. */
const YIELD_SHARE = 1 / 8;
/** How often who waits for its turn looks; both are parts of the time between two slots. */
const POLL_SHARE = 1 / 3;
/** A process that waits says so again after this, and one that does not, that it lives (ms). */
const SAY_MS = 1000;
const BEAT_MS = 20_000;
/** A pause that ends later than this is a wrong clock's work (ms). */
const BROKEN_MS = 10 * 60_000;
/** So is a slot that is further ahead than all that wait and this explain (ms): whose clock is right would wait for it each time. */
const AHEAD_MS = 1000;
/** The longest wait that a system may ask for at once; it may ask again (ms). */
const HOLD_MS = 5 * 60_000;
/** So long after a reset clocks are not believed: each process keeps to its part of the rate by itself (ms). */
const APART_MS = 60_000;
const SLOWEST_TAKE_MS = 250;

interface Waiter {
  readonly order: number;
  readonly since: number;
  readonly go: () => void;
}

/**
 * The limiter of one key, shared by all workers and installations through the store. A process holds one slot at a time
 * and gives it to the most urgent caller when its instant has come, so a write never stands behind a list that asked
 * before; whose process takes the next slot goes by urgency, then by the installations' shares.
 */
export class RateLimiter {
  readonly #slots: RateSlots;
  readonly #key: string;
  readonly #user = randomUUID().slice(0, 8);
  readonly #installation: string;
  readonly #warn: (sentence: string) => void;
  readonly #until: AbortSignal | undefined;
  readonly #now: () => number;
  readonly #spacing: number;
  readonly #waiting: Waiter[] = [];
  readonly #others = new LivingUsers();
  /** The shortest time to an answer lately, by kind of call (ms). */
  readonly #best = new Map<string, number>();
  /** When slots were moved because of late calls, and by how much (ms). */
  #moves: { readonly at: number; readonly ms: number }[] = [];
  #state: SlotState | null = null;
  #pumping = false;
  #beats = 0;
  #beating: NodeJS.Timeout | null = null;
  #saidAt = 0;
  #saidOrder: number | null = null;
  /** When a slot was last given to a caller, and how long taking one takes (ms). */
  #served = 0;
  #takeMs = 0;
  #apartUntil = 0;
  #warnedAt = 0;

  constructor(
    slots: RateSlots,
    key: string,
    { perSecond, installation = DEFAULT_INSTALLATION, warn = () => {}, until, now = Date.now }: RateOptions,
  ) {
    this.#slots = slots;
    this.#key = key;
    this.#installation = installation;
    this.#warn = warn;
    this.#until = until;
    this.#now = now;
    this.#spacing = SECOND_MS / perSecond;
  }

  /** Resolves when the caller may send one call. Rejects when `signal` aborts first. */
  take(priority: Priority, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortReason(signal));
      const waiter: Waiter = {
        order: ORDER[priority],
        since: this.#now(),
        go: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        const at = this.#waiting.indexOf(waiter);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal ? abortReason(signal) : new Error('aborted'));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const behind = this.#waiting.findIndex((other) => other.order > waiter.order);
      this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, waiter);
      void this.#pump();
    });
  }

  /** The system said 429: all workers wait. */
  async hold(ms: number): Promise<void> {
    this.#note(await this.#slots.push(this.#key, this.#now() + Math.min(ms, HOLD_MS)));
  }

  /**
   * A call was answered, so long after it left. One that took longer than others of its kind may have arrived late by as
   * much and crowd those that follow within the second: where that is more than the slack, the slots move.
   */
  async answered(kind: string, sentAt: number, tookMs: number): Promise<void> {
    const best = Math.min(tookMs, (this.#best.get(kind) ?? tookMs) + 1);
    this.#best.set(kind, best);
    // Where the store is down nobody may call anyway.
    await this.#move(sentAt, Math.min(LATE_MS, tookMs - best) - (SLACK_MS - LEAVE_MS)).catch(() => {});
  }

  /** Slots move for what was late, once for all that were late together. */
  async #move(since: number, late: number): Promise<void> {
    const now = this.#now();
    this.#moves = this.#moves.filter(({ at }) => at > now - 2000);
    const ms = late - this.#moves.reduce((sum, each) => (each.at >= since ? sum + each.ms : sum), 0);
    if (ms <= 0) return;
    this.#moves.push({ at: now, ms });
    this.#note(await this.#slots.delay(this.#key, ms));
  }

  /** Takes whose turn it is: the most urgent, unless a feed has waited too long. */
  #first(): Waiter | undefined {
    const patience = this.#now() - PATIENCE_MS;
    const impatient = this.#waiting.findIndex(({ order, since }) => order === ORDER.feed && since < patience);
    return this.#waiting.splice(Math.max(0, impatient), 1)[0];
  }

  /** How urgent the one that stands at this place is to the other processes; null where nobody does. */
  #orderAt(place: number, now: number): number | null {
    const waiter = this.#waiting[place];
    if (!waiter) return null;
    return now - Math.max(waiter.since, this.#served) > PATIENCE_MS ? LATE_ORDER : waiter.order;
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#beginBeating();
    for (let missed = false; this.#waiting.length > 0;) {
      try {
        const slot = await this.#reserve();
        if (slot === null) continue;
        const wait = slot - this.#now();
        if (wait > 0) await sleep(wait);
        const late = this.#now() - slot;
        // A call that leaves very late would stand in the midst of the others': it takes another slot, once.
        missed = late > SLACK_MS && !missed;
        if (missed) continue;
        this.#served = this.#now();
        this.#first()?.go();
        if (late > LEAVE_MS) await this.#move(slot, Math.min(LATE_MS, late) - LEAVE_MS);
      } catch {
        // The store is down: nobody may call until it counts again.
        await sleep(1000);
      }
    }
    this.#pumping = false;
  }

  async #reserve(): Promise<number | null> {
    for (let state = this.#state ?? (await this.#say()); ;) {
      const now = this.#now();
      const order = this.#orderAt(0, now);
      if (order === null) return null;
      const spacing = this.#commonSpacing(state, now);
      if (state.next > this.#latest(state, spacing, now)) {
        state = await this.#reset(state, now);
        continue;
      }
      const me = { user: this.#user, installation: this.#installation, order };
      const spare = state.next - now - spacing * YIELD_SHARE;
      const yields = spare > 0 && !goesFirst(state, me, (user) => this.#others.waits(user, now));
      if (yields && (this.#saidOrder !== order || now - this.#saidAt > SAY_MS)) {
        state = await this.#say();
      } else if (yields) {
        await sleep(Math.min(SAY_MS, spacing * POLL_SHARE, spare));
        state = this.#note(await this.#slots.look(this.#key));
      } else {
        const slot = Math.max(now + this.#takeMs, state.next, this.#ownPace(state, spacing, now));
        if (await this.#take(state, slot, spacing)) return slot;
        state = await this.#say();
      }
    }
  }

  async #take(state: SlotState, slot: number, spacing: number): Promise<boolean> {
    const began = this.#now();
    const says = this.#says(this.#orderAt(1, began));
    const taken = await this.#slots.take(this.#key, {
      known: state.next,
      next: slot + spacing,
      user: this.#user,
      says,
      start: fairStart(state, this.#installation),
      gone: this.#others.gone(began),
    });
    this.#takeMs = Math.min(SLOWEST_TAKE_MS, this.#now() - began);
    if (taken) this.#note(taken);
    return taken !== null;
  }

  /** The latest that the next slot may be where clocks agree: each process holds one, once a pause that was asked for is over. */
  #latest(state: SlotState, spacing: number, now: number): number {
    const begin = state.holdUntil > now + BROKEN_MS ? now : Math.max(now, state.holdUntil);
    return begin + AHEAD_MS + 2 * this.#living(state, now).length * spacing;
  }

  /** Such a slot was taken by a clock that goes wrong, or ours does: nobody waits for it. */
  async #reset(state: SlotState, now: number): Promise<SlotState> {
    if (now - this.#warnedAt > BROKEN_MS) {
      this.#warnedAt = now;
      this.#warn(
        `the limiter's next slot was ${timeInWords(state.next - now)} ahead and is reset: the clock of this worker, or of one that shares its key, is wrong or was set; \`tandem status\` tells which disagree`,
      );
    }
    // The others may have had a whole second's calls before they learn that each is on its own.
    const to = now > this.#apartUntil ? now + SECOND_MS : now;
    return this.#note(await this.#slots.reset(this.#key, state.next, to));
  }

  /** Where clocks disagree, the common number limits nobody: then each keeps to its part of the rate by its own clock. */
  #ownPace(state: SlotState, spacing: number, now: number): number {
    if (now > this.#apartUntil) return 0;
    const living = Math.max(1, this.#living(state, now).length);
    const perSecond = SECOND_MS / spacing;
    // Whole calls: each may begin its second with one.
    return this.#served + SECOND_MS / (perSecond < living ? perSecond / living : Math.floor(perSecond / living));
  }

  /** The lowest rate with which any living process is configured is everybody's. */
  #commonSpacing(state: SlotState, now: number): number {
    return Math.max(this.#spacing, ...this.#living(state, now).map(({ spacingMs }) => spacingMs));
  }

  /** What the processes say that live, this one among them. */
  #living({ users }: SlotState, now: number): SlotUser[] {
    return Object.entries(users).flatMap(([user, says]) => (user === this.#user || this.#others.lives(user, now) ? [says] : []));
  }

  #note(state: SlotState): SlotState {
    const now = this.#now();
    if (this.#state && state.resets !== this.#state.resets) this.#apartUntil = now + APART_MS;
    this.#others.note(state, now);
    this.#state = state;
    return state;
  }

  #says(order: number | null): SlotUser {
    this.#saidAt = this.#now();
    this.#saidOrder = order;
    this.#beats += 1;
    return { installation: this.#installation, spacingMs: this.#spacing, order, beat: this.#beats };
  }

  async #say(): Promise<SlotState> {
    return this.#note(await this.#slots.say(this.#key, this.#user, this.#says(this.#orderAt(0, this.#now()))));
  }

  /** A process counts among those that share the key while it lives, also where it calls seldom. */
  #beginBeating(): void {
    if (this.#beating || this.#until?.aborted) return;
    const beat = (): void => {
      if (this.#now() - this.#saidAt >= BEAT_MS / 2) void this.#say().catch(() => {});
    };
    this.#beating = setInterval(beat, BEAT_MS);
    this.#beating.unref();
    const stop = (): void => {
      clearInterval(this.#beating ?? undefined);
      void this.#slots.leave(this.#key, this.#user).catch(() => {});
    };
    this.#until?.addEventListener('abort', stop, { once: true });
  }
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted');
}
