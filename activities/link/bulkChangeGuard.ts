import type { LinkStore } from '../../store/store.ts';

/** More than so many records and more than this share of a flow within an hour: a person decides. */
export const BULK_CHANGE = { records: 20, share: 0.05 } as const;
const HOUR_MINUTES = 60;

/** Whether so many of so many is too much to happen without a person. */
export const isBulkChange = (some: number, all: number): boolean => some > BULK_CHANGE.records && some > BULK_CHANGE.share * all;

/**
 * Counts a record that is about to be ended, deleted or blanked. Gives the sentence that holds it back where that would
 * be too many of its flow within an hour and nobody has approved.
 */
export async function bulkChangeGuard(
  store: LinkStore,
  { flow, now, first }: { readonly flow: string; readonly now: number; readonly first: boolean },
): Promise<string | null> {
  const minute = Math.floor(now / 60_000);
  const { minutes, approvedUntil } = await store.limits.countBulkChange(flow, minute, first ? 1 : 0);
  if (approvedUntil > now) return null;
  const recent = Object.entries(minutes).reduce((sum, [at, n]) => (Number(at) > minute - HOUR_MINUTES ? sum + n : sum), 0);
  if (recent <= BULK_CHANGE.records) return null;
  const all = await store.links.count({ flow });
  if (!isBulkChange(recent, all)) return null;
  return `${recent} of ${all} records of ${flow} would be ended, deleted or blanked within an hour; held back until somebody says \`tandem approve ${flow}\``;
}
