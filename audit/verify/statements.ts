import type { Value } from '../../flows/values.ts';

/** A case that breaks a statement: ids, and both values where it is about values. */
export interface Example {
  readonly source: string | null;
  readonly target: string | null;
  readonly sourceValue?: Value;
  readonly targetValue?: Value;
  readonly why: string;
}

/** One line of the checklist. `broken` cases are counted; the first ones are shown. */
export interface Statement {
  readonly flow: string;
  readonly text: string;
  readonly checked: number;
  readonly held: number;
  readonly broken: number;
  /** Cases left out by a person's or a policy's decision, with why. */
  readonly excepted: number;
  readonly note: string | null;
  readonly examples: readonly Example[];
}

/** How many cases a statement shows. */
export const SHOWN = 10;

/** Counts the cases of one statement. */
export class Tally {
  readonly #flow: string;
  readonly #text: string;
  #held = 0;
  #notes = new Map<string, number>();
  #excepted = 0;
  readonly broken: Example[] = [];

  constructor(flow: string, text: string) {
    this.#flow = flow;
    this.#text = text;
  }

  hold(): void {
    this.#held += 1;
  }

  break(example: Example): void {
    this.broken.push(example);
  }

  /** A case that is as it should be although it does not look so. */
  except(why: string): void {
    this.#excepted += 1;
    this.note(why);
  }

  note(why: string): void {
    this.#notes.set(why, (this.#notes.get(why) ?? 0) + 1);
  }

  /** `shown` cases at most are kept. */
  statement(shown = SHOWN): Statement {
    const notes = [...this.#notes].map(([why, n]) => `${n} ${why}`);
    return {
      flow: this.#flow,
      text: this.#text,
      checked: this.#held + this.broken.length,
      held: this.#held,
      broken: this.broken.length,
      excepted: this.#excepted,
      note: notes.length === 0 ? null : notes.join('; '),
      examples: this.broken.slice(0, shown),
    };
  }
}
