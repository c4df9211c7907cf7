/** One thing that a person must mend. */
export interface TandemProblem {
  /** The variable, the file and line, the flow or the option that has to change. */
  readonly where?: string | undefined;
  /** What is wrong: a sentence, which may name `where` itself. */
  readonly what: string;
  /** What to do next, where `what` does not say it. */
  readonly next?: string | undefined;
  /** The line of a file as it stands, shown as a compiler does. */
  readonly quote?: { readonly line: number; readonly text: string } | undefined;
}

/** A problem in words: one line, three where it quotes a file's. */
export function problemInWords({ where, what, next, quote }: TandemProblem): string {
  const head = where === undefined || what.includes(where) ? what : `${where}: ${what}`;
  if (!quote) return next === undefined ? head : `${head}; ${next}`;
  const shown = [head, `${String(quote.line).padStart(5)} | ${quote.text}`];
  return [...shown, ...(next === undefined ? [] : [`      | ${next}`])].join('\n');
}

/**
 * Why it failed: `input` and `configuration` are for a person to mend, `not-found` is a flow or a link that there is not,
 * `unreachable` a server that does not answer, `timeout` something that goes on by itself.
 */
export type TandemErrorKind = 'input' | 'configuration' | 'not-found' | 'unreachable' | 'timeout';

/**
 * What a person must mend, every problem at once: what is wrong, where, and what to do next.
 *
 * @example
 * try {
 *   await tandem.getLink('contactperson-contact', '501/2001');
 * } catch (error) {
 *   if (error instanceof TandemError && error.kind === 'not-found') return null;
 *   throw error;
 * }
 */
export class TandemError extends Error {
  override readonly name = 'TandemError';
  readonly problems: readonly TandemProblem[];
  readonly kind: TandemErrorKind;

  constructor(
    problems: string | TandemProblem | readonly (string | TandemProblem)[],
    { kind = 'input', cause }: { kind?: TandemErrorKind; cause?: unknown } = {},
  ) {
    const all = (Array.isArray(problems) ? problems : [problems]) as readonly (string | TandemProblem)[];
    const each = all.map((problem) => (typeof problem === 'string' ? { what: problem } : problem));
    super(each.map(problemInWords).join('\n'), cause === undefined ? {} : { cause });
    this.problems = each;
    this.kind = kind;
  }

  /** Every problem in words. */
  get sentences(): readonly string[] {
    return this.problems.map(problemInWords);
  }

  /** With which code a command ends: 1 where it may go well another time, 2 where somebody must mend something first. */
  get exitCode(): 1 | 2 {
    return this.kind === 'unreachable' || this.kind === 'timeout' ? 1 : 2;
  }
}
