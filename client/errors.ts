import type { Trouble } from '../flows/faults.ts';
import { TandemError } from '../flows/tandemError.ts';

/** There is no such flow, link, record or change. `nearest` is the name that may have been meant. */
export class NotFound extends TandemError {
  readonly what: 'flow' | 'link' | 'record' | 'property' | 'change' | 'system';
  readonly nearest: string | null;
  constructor(what: NotFound['what'], message: string, nearest: string | null = null) {
    super(message, { kind: 'not-found' });
    this.what = what;
    this.nearest = nearest;
  }
}

/** The state of a link, or of a flow as a whole (`sourceId` null), does not allow it; nothing was done. */
export class NotPossible extends TandemError {
  readonly flow: string;
  readonly sourceId: string | null;
  constructor(
    link: { readonly flow: string; readonly sourceId: string | null },
    problem: ConstructorParameters<typeof TandemError>[0],
  ) {
    super(problem, { kind: 'input' });
    this.flow = link.flow;
    this.sourceId = link.sourceId;
  }
}

/** What was waited for is not done yet; it goes on by itself. */
export class TimedOut extends TandemError {
  readonly flow: string;
  readonly sourceId: string;
  readonly waitedMs: number;
  constructor(link: { readonly flow: string; readonly sourceId: string }, waitedMs: number) {
    super(
      {
        what: `${link.flow} ${link.sourceId} is not done after ${waitedMs / 1000} s`,
        next: `it goes on by itself, see \`npx tandem show ${link.flow} ${link.sourceId}\``,
      },
      { kind: 'timeout' },
    );
    this.flow = link.flow;
    this.sourceId = link.sourceId;
    this.waitedMs = waitedMs;
  }
}

/** A server that Tandem cannot work without does not answer. */
export class Unreachable extends TandemError {
  /** Which one: "MongoDB at 127.0.0.1:27017". */
  readonly dependency: string;
  /** Since when (ISO instant), as far as this process knows. */
  readonly since: string | null;
  constructor({ sentence, what, since, why, advice }: Trouble) {
    super({ what: `${sentence}, since ${since}: ${why}`, next: advice }, { kind: 'unreachable' });
    this.dependency = what;
    this.since = since;
  }
}

/** The stream of changes keeps nothing so old. Go on after `goOnAfter`; what was between the two is lost to this reader. */
export class CursorTooOld extends TandemError {
  readonly goOnAfter: number;
  constructor(after: number, goOnAfter: number) {
    super(
      `changes after ${after} are no longer kept, or were never there; go on after ${goOnAfter}, and compare what you have with \`links\``,
    );
    this.goOnAfter = goOnAfter;
  }
}
