import type { Side } from '../../flows/side.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import type { SystemError } from '../../connectors/systemError.ts';

/** A person has paused the flow, or one of its systems: its links wait in their workflows. */
export const FLOW_PAUSED: Outcome = { kind: 'refused', side: 'target', code: 'flow-paused', properties: [] };

/** A direct read of one side met what a person must mend: the link is blocked with the system's own words. */
export class ReadRefused extends Error {
  override readonly name = 'ReadRefused';
  readonly side: Side;
  readonly refusal: SystemError;
  constructor(side: Side, refusal: SystemError) {
    super(refusal.message);
    this.side = side;
    this.refusal = refusal;
  }
}

/** The code of a block: the system's own status, or what Tandem makes of an answer that looked like success. */
export const codeOf = ({ failure, status }: SystemError): string =>
  failure === 'merged' || failure === 'unstored' ? failure : String(status ?? failure);

/** The written properties that a refusal names; all of them where it names none. */
export function blamed(error: SystemError, written: readonly string[]): string[] {
  const named = written.filter(
    (property) =>
      error.fields.some((field) => field.toLowerCase().endsWith(property.toLowerCase())) ||
      new RegExp(`\\b${property.replace(/[^\w]/g, '.')}\\b`, 'i').test(error.text),
  );
  return named.length > 0 ? named : [...written];
}
