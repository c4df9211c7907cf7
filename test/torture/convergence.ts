import { linkKey } from '../../flows/names.ts';
import { isNoValue, sameValue } from '../../flows/values.ts';
import { PAIRS } from './flowPlan.ts';
import type { Deed } from './modelRecord.ts';
import { isOpen } from './site.ts';
import { alike, isTroubled, systemOf, type Aftermath, type Pair, type Say } from './aftermath.ts';
import { blockIsDeserved } from './blocks.ts';
import { wrongWinner } from './laterEdit.ts';

/** What a link must be in the end, by what is there: its status, and both sides at their base. */
export function heldToConvergence(after: Aftermath, pair: Pair, say: Say): void {
  const { plan, sourceId, row, link, stored, targetId, other } = pair;
  const name = `${plan.name} ${sourceId}`;
  const { site } = after;
  if (stored.status !== link.state.status || stored.ended !== link.state.ended)
    say(
      'Convergence',
      `the store says ${stored.status} ${stored.ended} of ${name}, its workflow ${link.state.status} ${link.state.ended}`,
    );
  const deleted = [...site.source.deeds, ...site.target.deeds].some(
    (deed) => deed.kind === 'delete' && (deed.id === sourceId || deed.id === targetId),
  );
  // Workers that froze while few had been read leave an empty list as the first that is heard of it.
  const shown = site.source.showedOutage !== false && site.target.showedOutage !== false;
  if (shown && site.store.links.buried.has(stored._id) && !deleted && after.schedule.acts.some((act) => act.do === 'outage'))
    say('No resurrection', `${name} ended while its system was out of order`);
  if (isRestrained(after, pair)) return;
  if (stored.block?.code === 'held') {
    if (!after.schedule.acts.some((act) => act.do === 'bulk')) say('A brake', `${name} is held for no reason`);
    return;
  }
  if (stored.block && stored.status === 'blocked' && stored.block.text === '')
    say('Nothing hidden', `${name} is blocked, and nothing says why`);
  if (stored.block && stored.block.text !== '' && JSON.stringify(link.state).includes(stored.block.text))
    say('Nothing hidden', `${name} carries along what only its store may say: ${stored.block.text}`);
  if (plan.onSourceDeleted === 'keep' && isOwnDeletion(site.target.deeds, targetId))
    say('No resurrection', `${name}: Tandem deleted ${targetId}, which the flow keeps`);
  // What Tandem deleted itself does not come back.
  if (isDeletedByTandem(after, pair)) {
    if (isOwnDeletion(site.source.deeds, sourceId) && isOwnDeletion(site.target.deeds, targetId))
      say('No resurrection', `${name}: Tandem deleted both records, one for the other's sake`);
    if (stored.ended !== 'source gone')
      say('No resurrection', `${name} ended by a deletion of Tandem's own, and is ${stored.status}`);
    return;
  }
  // An attempt that never answered may have deleted it, or may have come too late: nobody can tell.
  if (link.state.final === true && stored.ended === 'source gone' && isTroubled(after)) return;
  if (!row) return heldToSourceGone(after, pair, say);
  const inScope = plan.source !== 'Person' || row.fields['IsPerson'] === true;
  if (targetId !== null && !other) {
    const merged = site.target.merged.has(targetId);
    if (merged) {
      if (stored.status !== 'blocked' && stored.ended === null)
        say('Nothing hidden', `${name}: its target was merged, it is ${stored.status}`);
      return;
    }
    const held = after.schedule.acts.some((act) => act.do === 'bulk') && !site.approved.has('f');
    const refused = plan.onTargetDeleted === 'delete' && site.source.nature.keepsAll && stored.status === 'blocked';
    if (!held && !refused && stored.ended !== 'target gone' && stored.ended !== 'out of scope')
      say('No resurrection', `target ${targetId} is gone, its link is ${stored.status}, ${stored.ended}`);
    return;
  }
  if (stored.ended === 'source gone' || stored.ended === 'target gone') {
    say('No resurrection', `${name} and ${targetId} live, their link ended: ${stored.ended}`);
    return;
  }
  if (!inScope) {
    if (stored.ended !== 'out of scope' && !waitsForPartner(pair))
      say('Convergence', `${name} is out of scope, its link is ${stored.status}`);
    return;
  }
  if (stored.status === 'blocked') {
    if (!blockIsDeserved(after, pair)) say('Nothing hidden', `${name} is blocked (${stored.block?.code}) for no reason`);
    return;
  }
  if (waitsForPartner(pair)) return heldToWaiting(after, pair, say);
  if (stored.status === 'conflict') {
    if (plan.policy !== 'ask') say('Convergence', `${name} is in conflict, though its policy is ${plan.policy}`);
  } else if (stored.status !== 'in-step') say('Convergence', `${name} is ${stored.status}`);
  if (!other) return say('Convergence', `${name} has no target`);
  heldToBase(after, pair, say);
}

/** From a write that is answered without the record to the read that follows (ms). */
const READ_BACK_MS = 4000;

/**
 * A write that was answered without the record, and stored nowhere or edited at that moment: nobody can tell from one
 * of which the system made something else.
 */
function isUntold({ site }: Aftermath, { targetId, property }: { targetId: string | null; property: string }): boolean {
  const { lies } = site.target.nature;
  if (lies === null || lies.answer === 'whole') return false;
  const edits = site.target.deeds.filter((deed) => deed.id === targetId && deed.property === property && deed.kind === 'edit');
  const isCrossed = ({ by, at }: Deed): boolean =>
    by === 'person' && edits.some((each) => each.by === 'tandem' && at >= each.at && at < each.at + READ_BACK_MS);
  // A write that changes nothing is no deed; what its answer showed is in the history.
  const isAnswer = ({ by, at, after: value }: Deed): boolean =>
    by === 'person' &&
    [...site.store.history.rows.values()].some(
      (change) =>
        change.side === 'target' &&
        change.property === property &&
        sameValue(change.after, value) &&
        Math.abs(change.at.getTime() - at) < READ_BACK_MS,
    );
  return lies.forgets > 0 || edits.some((each) => isCrossed(each) || isAnswer(each));
}

const isOwnDeletion = (deeds: readonly Deed[], id: string | null): boolean =>
  deeds.some((deed) => deed.by === 'tandem' && deed.kind === 'delete' && deed.id === id);

const isDeletedByTandem = ({ site }: Aftermath, { sourceId, targetId }: Pair): boolean =>
  [...site.source.deeds, ...site.target.deeds].some(
    ({ by, kind, id }) => by === 'tandem' && kind === 'delete' && (id === sourceId || id === targetId),
  );

/** A person holds it, or it was unlinked by hand. */
function isRestrained({ site }: Aftermath, { plan, sourceId, row, targetId, other, stored, link }: Pair): boolean {
  const key = linkKey(plan.name, sourceId);
  const paused = [key, plan.name, 'crm'].some((name) => isOpen(site.pauses.get(name)));
  // Nobody looks for a deletion in a flow that stands still: a run that ends so lets it go on, and is held to it then.
  const still = [plan.name, 'crm'].some((name) => isOpen(site.pauses.get(name)));
  if (still && (!row || (targetId !== null && !other))) return true;
  if (paused && (link.state.paused || stored.block?.code === 'flow-paused' || stored.status === 'paused')) return true;
  return isOpen(site.unlinked.get(key)) && stored.ended === 'unlinked by hand';
}

const waitsForPartner = ({ stored }: Pair): boolean =>
  stored.status === 'linking' && (stored.block?.code === 'unmatched' || stored.block?.code === 'unconnected');

function heldToWaiting({ site, people }: Aftermath, { plan, sourceId, row }: Pair, say: Say): void {
  if (plan.relation === 'connected') {
    const refers = row?.fields['PersonId'];
    const person = typeof refers === 'string' ? site.store.links.rows.get(linkKey('f', refers)) : undefined;
    if (person && person.targetId !== null && person.ended === null)
      say('Convergence', `${sourceId} waits, though ${person.sourceId}, to which it refers, is linked`);
    return;
  }
  const free = people.twins.filter(
    (twin) =>
      twin.site === site &&
      twin.sourceId === sourceId &&
      site.target.rows.has(twin.id) &&
      ![...site.store.links.rows.values()].some(({ targetId }) => targetId === twin.id),
  );
  if (free.length === 1) say('Convergence', `${sourceId} waits, though ${free[0]?.id} matches it`);
}

function heldToSourceGone(after: Aftermath, pair: Pair, say: Say): void {
  const { plan, sourceId, link, stored, other } = pair;
  const { site, schedule } = after;
  const held = schedule.acts.some((act) => act.do === 'bulk') && !site.approved.has('f');
  const refused = plan.onSourceDeleted === 'delete' && site.target.nature.keepsAll && stored.status === 'blocked';
  if (held || refused) return;
  if (link.open || stored.ended !== 'source gone')
    say('No resurrection', `source ${sourceId} is gone, its link is ${stored.status}, ${stored.ended}`);
  else if (plan.onSourceDeleted === 'delete' && link.state.final === true && other && !undeleted(after, other.id))
    say('Convergence', `${plan.name} ${sourceId} is gone, and ${other.id}, which goes with it, is there`);
}

const undeleted = ({ site }: Aftermath, id: string): boolean =>
  site.target.deeds.some((deed) => deed.id === id && deed.kind === 'undelete');

function heldToBase(after: Aftermath, { plan, sourceId, row, stored, targetId, other }: Pair, say: Say): void {
  const flow = after.site.flows.find(({ name }) => name === plan.name);
  if (!row || !other || !flow) return;
  for (const [i, pair] of flow.properties.entries()) {
    if (pair.when.some(({ property, value }) => row.fields[property] !== value)) continue;
    if (stored.conflicts.includes(pair.source)) continue;
    const [a, b] = [row.fields[pair.source] ?? null, other.fields[pair.target] ?? null];
    const [baseA, baseB] = [stored.base.source[pair.source], stored.base.target[pair.target]];
    const where = `${plan.name} ${sourceId}.${pair.source}`;
    if (!sameValue(baseA, a) || (!sameValue(baseB, b) && !isNoValue(b)))
      say(
        'Convergence',
        `${where}: ${JSON.stringify(a)} and ${JSON.stringify(b)} are not the base ${JSON.stringify(baseA)} and ${JSON.stringify(baseB)}`,
      );
    else if (!alike(a, b, after) && !isUntold(after, { targetId, property: pair.target }))
      say('Convergence', `${where} is ${JSON.stringify(a)} here and ${JSON.stringify(b)} there`);
    const wrong = i < PAIRS.length ? wrongWinner(after, { plan, sourceId, targetId, i }) : null;
    if (wrong !== null) say('The later edit wins', wrong);
  }
  void systemOf;
}
