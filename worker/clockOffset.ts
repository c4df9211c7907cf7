import type { Connector } from '../connectors/connector.ts';

/** Clocks further apart than this are worth a word (ms). */
const APART_MS = 30_000;

/** That a system's clock is far from ours; null where it is not, or nothing is known of it. */
export function clockOffsetInWords({ title, clock }: Pick<Connector, 'title' | 'clock'>): string | null {
  const { lo, hi, by } = clock.estimate;
  if (by === 'nothing' || Math.max(lo, -hi) < APART_MS) return null;
  return `${title}'s clock is ${Math.round(Math.abs(lo + hi) / 2000)} s ${lo > 0 ? 'ahead of' : 'behind'} ours`;
}
