import { linkKey } from '../../flows/names.ts';
import type { Aftermath, Pair } from './aftermath.ts';
import { heldToBrake } from './brake.ts';
import { heldToConvergence } from './convergence.ts';
import { heldToEdits } from './edits.ts';
import { heldToDuplicates } from './duplicates.ts';
import { heldToQuiet } from './quiet.ts';
import { heldToSteering } from './steering.ts';

/** Checks every promise against what the model knows of every deed. Gives a sentence for each one broken. */
export function brokenPromises(after: Aftermath): string[] {
  const broken: string[] = [];
  const say = (promise: string, what: string): void => void broken.push(`${promise}: ${what}`);
  const { site } = after;
  for (const plan of site.plans)
    for (const { id: sourceId, type } of new Map(
      site.source.deeds.filter(({ kind }) => kind === 'create').map((deed) => [deed.id, deed]),
    ).values()) {
      if (type !== plan.source) continue;
      const row = site.source.rows.get(sourceId);
      const link = site.linkOf(plan.name, sourceId);
      const stored = site.store.links.rows.get(linkKey(plan.name, sourceId));
      if (!link || !stored) {
        const inScope = row !== undefined && (plan.source !== 'Person' || row.fields['IsPerson'] === true);
        if (inScope) say('Convergence', `${plan.name} ${sourceId} has no link`);
        if (link && !stored) say('No resurrection', `${plan.name} ${sourceId} had a link, and nothing is left that says so`);
        continue;
      }
      const targetId = link.state.target.id;
      const other = targetId === null ? undefined : site.target.rows.get(targetId);
      const pair: Pair = { plan, sourceId, row, link, stored, targetId, other };
      heldToConvergence(after, pair, say);
      heldToEdits(after, pair, say);
      heldToSteering(after, pair, say);
    }
  heldToDuplicates(after, say);
  heldToBrake(after, say);
  heldToQuiet(after, say);
  return broken;
}
