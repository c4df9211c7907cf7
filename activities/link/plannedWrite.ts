import { neededFields, scopeOf, type Flow } from '../../flows/flow.ts';
import type { Side } from '../../flows/side.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import type { Assignment } from '../../workflows/core/merge.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import type { Observation } from '../../workflows/core/state.ts';
import type { Connector, Snapshot, WriteCondition } from '../../connectors/connector.ts';
import type { SystemError } from '../../connectors/systemError.ts';
import type { Attempt } from '../ports.ts';
import type { LinkContext } from './context.ts';
import { blamed, codeOf } from './refusal.ts';

/** A write as the link has planned it, and all that its phases need. */
export interface PlannedWrite {
  readonly context: LinkContext;
  readonly link: LinkRecord;
  readonly side: Side;
  readonly assignments: readonly Assignment[];
  /** The properties of the assignments. */
  readonly written: readonly string[];
  /** The record as the link knew it when it planned. */
  readonly planned: Observation;
  /** The newest that the store has seen of it; not known before the store was asked, nor where it need not be. */
  readonly newest?: Observation;
  readonly flow: Flow;
  readonly system: Connector;
  readonly attempt: Attempt;
}

/** Sends a write, on its condition or on none. */
export type SendWrite = (unconditional: boolean) => Promise<Snapshot>;

/** The call of a write on the condition that the record stands as `seen`, the newest that is known of it. */
export function sending({ context, link, side, assignments, flow, system, attempt }: PlannedWrite, seen: Observation): SendWrite {
  const scope = scopeOf(flow, side).flatMap(({ property, equals }) => {
    const value = equals === undefined ? seen.scope?.[property] : equals;
    return value === undefined ? [] : [[property, value] as const];
  });
  const condition: WriteCondition = {
    test: Object.fromEntries([...scope, ...assignments.map((each) => [each.property, each.expected] as const)]),
    etag: seen.etag,
    version: seen.version,
  };
  const set = Object.fromEntries(assignments.map((each) => [each.property, each.value]));
  const request = { type: flow[side].type, id: context.idOf(link, side), set, condition, fields: neededFields(flow, side) };
  const options = { priority: 'write' as const, signal: attempt.signal, again: attempt.number > 1 };
  return (unconditional) => system.update(request, { ...options, unconditional });
}

/** The system takes none of it: blocked, with the properties that it names. */
export function refuseWrite({ context, link, side, written }: PlannedWrite, error: SystemError): Promise<Outcome> {
  const properties = blamed(error, written);
  return context.refuse({ link, side, code: codeOf(error), properties, text: error.text, written });
}
