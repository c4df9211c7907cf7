import { SystemError } from '../../systemError.ts';

/** What a check makes of one claim: as claimed; refuted; could not be seen; worth knowing. */
type ClaimVerdict = 'seen' | 'refuted' | 'not seen' | 'note';

/** One line of a check: what the profile claims, what was seen, and what Tandem does without. */
export interface Finding {
  readonly name: string;
  readonly claim: string;
  readonly seen: string;
  readonly verdict: ClaimVerdict;
  readonly without: string;
}

/** A check that ends a claim: what was seen contradicts it. */
export class Refuted extends Error {
  override readonly name = 'Refuted';
  readonly without: string;
  constructor(seen: string, without = '') {
    super(seen);
    this.without = without;
  }
}

/** Nothing was there by which the claim could be judged. */
export class NotSeen extends Error {
  override readonly name = 'NotSeen';
}

/** Whether a failure says nothing of the profile: the system was away, or asked to wait. */
export const isOutage = ({ failure, status }: SystemError): boolean =>
  failure === 'throttled' || (failure === 'unreachable' && (status === null || [408, 429, 502, 503, 504].includes(status)));

const ADVICE: Readonly<Record<number, string>> = {
  401: 'look at auth',
  405: 'look at method',
  415: 'look at contentType',
  428: 'it wants a condition: say "condition": {"header": "If-Match", "value": "{etag}"}, with "delete": true where deletions want it too',
};

/** Where to look in the profile, by how the system refused. */
const adviceFor = ({ status }: SystemError): string => {
  const advice = ADVICE[status ?? 0];
  return advice === undefined ? '' : `. ${advice.charAt(0).toUpperCase()}${advice.slice(1)}`;
};

/** Collects what a check finds; one claim that fails does not keep the next from being looked at. */
export class Findings {
  readonly all: Finding[] = [];

  /** Runs one check; the text that it gives is what was seen. */
  async look(name: string, claim: string, work: () => Promise<string>): Promise<boolean> {
    try {
      this.add({ name, claim, seen: await work(), verdict: 'seen' });
      return true;
    } catch (error) {
      if (error instanceof NotSeen) this.add({ name, claim, seen: error.message, verdict: 'not seen' });
      else if (error instanceof Refuted)
        this.add({ name, claim, seen: error.message, verdict: 'refuted', without: error.without });
      else if (error instanceof SystemError && isOutage(error)) this.add({ name, claim, seen: error.text, verdict: 'not seen' });
      else if (error instanceof SystemError) this.add({ name, claim, seen: error.text + adviceFor(error), verdict: 'refuted' });
      else throw error;
      return false;
    }
  }

  add(finding: Omit<Finding, 'without'> & { readonly without?: string }): void {
    this.all.push({ without: '', ...finding });
  }
}

/** How an operation failed; null where it did not. */
export async function failureOf(work: () => Promise<unknown>): Promise<SystemError | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof SystemError) return error;
    throw error;
  }
}
