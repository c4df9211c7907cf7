import { isBulkChange } from '../../activities/link/bulkChangeGuard.ts';
import type { Aftermath, Say } from './aftermath.ts';

/** Each worker counts a few equal overwrites by itself before it asks the store. */
const UNCOUNTED = 12;

/** A brake: very many records of a flow are not ended, deleted, made anew, blanked or made equal within an hour unasked. */
export function heldToBrake({ site, schedule }: Aftermath, say: Say): void {
  if (!schedule.acts.some((act) => act.do === 'bulk') || site.approved.has('f')) return;
  const all = site.store.links.rows.size;
  const { deeds } = site.target;
  const made = deeds.filter(({ by, kind }) => by === 'tandem' && kind === 'create').length;
  const removed = [...site.source.deeds, ...deeds].filter(({ by, kind }) => by === 'tandem' && kind === 'delete').length;
  const blanked = deeds.filter(
    ({ by, kind, before, after }) => by === 'tandem' && kind === 'edit' && before !== null && !after,
  ).length;
  const ended = [...site.store.links.rows.values()].filter(
    (link) => link.ended === 'source gone' || link.ended === 'target gone',
  ).length;
  const first = new Set(deeds.filter(({ by, kind }) => by === 'tandem' && kind === 'create').map((deed) => deed.externalId)).size;
  if (isBulkChange(Math.max(removed + blanked + made - first, ended), all))
    say(
      'A brake',
      `of ${all} links ${ended} ended; ${removed} records were deleted, ${made - first} made anew, ${blanked} blanked`,
    );
  const equal = new Map<string, number>();
  for (const { by, kind, before, property, after } of deeds)
    if (by === 'tandem' && kind === 'edit' && before !== null && after)
      equal.set(`${property} ${String(after)}`, (equal.get(`${property} ${String(after)}`) ?? 0) + 1);
  const most = Math.max(0, ...equal.values());
  if (isBulkChange(most - UNCOUNTED, all)) say('A brake', `${most} records were given one and the same value`);
}
