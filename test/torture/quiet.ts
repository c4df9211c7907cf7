import type { Aftermath, Say } from './aftermath.ts';

/** Activities of one link in a schedule, at most: a dozen edits, each tried a few times, and the reads of a deletion. */
const MOST_STEPS = 250;
/** What a link carries over to its next run, at most (characters). */
const MOST_CARRIED = 12_000;

/** No echo, no ping-pong, and nothing that grows or goes round. */
export function heldToQuiet({ site, sites, restless }: Aftermath, say: Say): void {
  const { temporal } = site.world;
  for (const link of temporal.links.values()) {
    if (link.world !== site.name) continue;
    if (link.steps > MOST_STEPS) say('Bounded', `${link.key} asked for ${link.steps} activities`);
    if (link.carried > MOST_CARRIED) say('Bounded', `${link.key} carried ${link.carried} characters along`);
  }
  if (sites[0] !== site) return;
  if (restless.writes > 0) say('No ping-pong', `${restless.writes} writes after everything had settled`);
  if (restless.signals > 0) say('No echo', `${restless.signals} signals after everything had settled`);
  if (restless.steps > 0) say('Bounded', `${restless.steps} activities after everything had settled`);
}
