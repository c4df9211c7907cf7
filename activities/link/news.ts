import { SIDES, type Side } from '../../flows/side.ts';
import type { LinkDocument } from '../../store/documents.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import type { Observation } from '../../workflows/core/state.ts';

/** What the store has seen and this link was not told: an attempt that woke up late may have left it there. */
export function newerObservations(
  link: Pick<LinkRecord, 'seen'>,
  stored: Pick<LinkDocument, 'seen'>,
): { news?: Partial<Record<Side, Observation>> } {
  const news: Partial<Record<Side, Observation>> = {};
  for (const side of SIDES) {
    const seen = stored.seen[side];
    if (seen && seen.version > (link.seen[side]?.version ?? '')) news[side] = seen;
  }
  return Object.keys(news).length > 0 ? { news } : {};
}
