import type { Flow, Pair } from '../../../flows/flow.ts';
import type { Side } from '../../../flows/side.ts';
import { sameValue } from '../../../flows/values.ts';
import type { LinkDocument } from '../../../store/documents.ts';

/** Whether every edit that is known of a link was dealt with: each side shows what the link last agreed on. */
export function isCarried(flow: Pick<Flow, 'properties'>, { seen, base }: Pick<LinkDocument, 'seen' | 'base'>): boolean {
  const agrees = (pair: Pair, side: Side): boolean => {
    const values = seen[side]?.values;
    const name = pair[side];
    return values === undefined || !(name in base[side]) || sameValue(values[name], base[side][name]);
  };
  return flow.properties.every(
    (pair) =>
      (pair.direction === 'toSource' || agrees(pair, 'source')) && (pair.direction === 'toTarget' || agrees(pair, 'target')),
  );
}
