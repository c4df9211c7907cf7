import type { DocumentProblem, Warning } from './document.ts';

/** What underlines a heading. */
export const RULE = /^-+$/;

/** What stops the reading of a section; the next one is read all the same. */
export class Stop extends Error {
  readonly problem: DocumentProblem;
  constructor(problem: DocumentProblem) {
    super(problem.what);
    this.problem = problem;
  }
}

/** A cell of a table, or another piece of a line. */
export interface Cell {
  readonly text: string;
  readonly line: number;
}

/** A document's lines, read one after the other. */
export class LineReader {
  protected readonly lines: readonly string[];
  protected readonly warnings: Warning[] = [];
  /** Index of the line that is read next. */
  protected at = 0;

  constructor(text: string) {
    this.lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  }

  protected get line(): string | undefined {
    return this.lines[this.at];
  }

  protected stop(what: string, expected: string, at = this.at): never {
    const found = this.lines[at];
    throw new Stop({ line: Math.min(at + 1, this.lines.length), found: found ?? '', what, expected });
  }

  protected warn(at: number, text: string): void {
    this.warnings.push({ line: at + 1, text });
  }

  /** Goes to the next line with something on it; false where there is none. */
  protected skipBlank(): boolean {
    while (this.line !== undefined && this.line.trim() === '') this.at += 1;
    return this.line !== undefined;
  }

  protected isHeading(at: number): boolean {
    return (this.lines[at] ?? '').trim() !== '' && !RULE.test(this.lines[at] ?? '') && RULE.test(this.lines[at + 1] ?? '');
  }

  protected toNextHeading(): void {
    for (this.at += 1; this.line !== undefined; this.at += 1) if (this.isHeading(this.at)) return;
  }
}
