/** A process that calls with a key, as the others see it. */
export interface SlotUser {
  readonly installation: string;
  /** Between two calls at the rate that it is configured with (ms). */
  readonly spacingMs: number;
  /** How urgent what waits in it is, the most urgent first; null where nothing waits. */
  readonly order: number | null;
  /** Counts what it says: others see by it that the process lives, whatever its clock shows. */
  readonly beat: number;
}

/** What all processes that call with a key know in common. */
export interface SlotState {
  /** The instant from which the next slot is free (ms). */
  readonly next: number;
  /** Until when the system has asked all to wait (ms); of the past where it has not. */
  readonly holdUntil: number;
  readonly users: Readonly<Record<string, SlotUser>>;
  /** Start-time fair queueing: where the share stood that was served last, and where each installation's ended. */
  readonly virtual: number;
  readonly finish: Readonly<Record<string, number>>;
  /** How often a slot too far ahead was reset. */
  readonly resets: number;
}

/** Where an installation's next call stands in the order of fair shares: one that was idle has saved nothing up. */
export const fairStart = ({ virtual, finish }: Pick<SlotState, 'virtual' | 'finish'>, installation: string): number =>
  Math.max(virtual, finish[installation] ?? 0);

/**
 * Whether a process may take the next slot before the others that wait: what is more urgent goes first, whoever asks; of
 * what is as urgent, the installation that has had the smaller share.
 */
export function goesFirst(
  state: Pick<SlotState, 'users' | 'virtual' | 'finish'>,
  me: { readonly user: string; readonly installation: string; readonly order: number },
  isWaiting: (user: string) => boolean,
): boolean {
  return !Object.entries(state.users).some(([user, { installation, order }]) => {
    if (user === me.user || order === null || !isWaiting(user)) return false;
    if (order !== me.order) return order < me.order;
    return installation !== me.installation && fairStart(state, installation) < fairStart(state, me.installation);
  });
}

const WAITING_MS = 3000;
const LIVE_MS = 60_000;
const GONE_MS = 90_000;

/** Which of the other processes live, by what they say and our own clock alone. */
export class LivingUsers {
  readonly #seen = new Map<string, { beat: number; at: number }>();

  /** Takes in what a look at the common state shows. */
  note({ users }: Pick<SlotState, 'users'>, now: number): void {
    for (const user of this.#seen.keys()) if (!(user in users)) this.#seen.delete(user);
    for (const [user, { beat }] of Object.entries(users))
      if (this.#seen.get(user)?.beat !== beat) this.#seen.set(user, { beat, at: now });
  }

  /** Whether it has said something so lately that what waits in it still does. */
  waits = (user: string, now: number): boolean => this.#saidWithin(user, now, WAITING_MS);

  /** Whether its process runs. */
  lives = (user: string, now: number): boolean => this.#saidWithin(user, now, LIVE_MS);

  /** Those that have said nothing for so long that they may be forgotten. */
  gone(now: number): string[] {
    return [...this.#seen.keys()].filter((user) => !this.#saidWithin(user, now, GONE_MS));
  }

  #saidWithin(user: string, now: number, ms: number): boolean {
    const seen = this.#seen.get(user);
    return seen !== undefined && now - seen.at < ms;
  }
}
