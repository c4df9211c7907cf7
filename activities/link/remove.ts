import type { Side } from '../../flows/side.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Attempt } from '../ports.ts';
import { assertAwake } from './assertAwake.ts';
import { unplanned, type LinkContext } from './context.ts';
import { codeOf } from './refusal.ts';

/** Deletes one side's record, where the flow says so: never under a plan, never very many without a person. */
export async function removeRecord(
  context: LinkContext,
  { link, side }: { readonly link: LinkRecord; readonly side: Side },
  attempt: Attempt,
): Promise<Outcome> {
  const { deps, flowOf, connectorOf, idOf, guarded, refuse } = context;
  const flow = flowOf(link);
  if (deps.allowance) return unplanned(context, { link, side });
  const held = await guarded({ link, side, change: 'delete' });
  if (held) return held;
  const system = connectorOf(flow, side);
  assertAwake(attempt, system);
  try {
    await system.remove(flow[side].type, idOf(link, side), { priority: 'write', signal: attempt.signal });
  } catch (error) {
    if (!(error instanceof SystemError) || error.retryable) throw error;
    if (error.failure !== 'gone') return refuse({ link, side, code: codeOf(error), text: error.text });
    // Only what an earlier attempt may have deleted is a deletion of our own.
    if (attempt.number === 1) return { kind: 'removed', before: true };
  }
  return { kind: 'removed' };
}
