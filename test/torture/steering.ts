import { linkKey } from '../../flows/names.ts';
import { SIDES } from '../../flows/side.ts';
import type { Span } from './site.ts';
import { isTroubled, systemOf, type Aftermath, type Pair, type Say } from './aftermath.ts';

/** An attempt that was under way as somebody said stop may still end (ms). */
const UNDER_WAY_MS = 3000;
/** What a system without a condition that works takes besides: reads so far apart; a word to one link does not reach it (ms). */
const DOUBTFUL_MS = 5500;

/** What people say holds: nothing is written while it is paused or unlinked, and nobody but they settles what asks. */
export function heldToSteering(after: Aftermath, { plan, sourceId, targetId }: Pair, say: Say): void {
  const { site } = after;
  const key = linkKey(plan.name, sourceId);
  if (plan.policy === 'ask')
    for (const change of site.store.history.rows.values())
      if (change.link === key && change.why.startsWith('conflict'))
        say('People steer', `${key}.${change.property}: ${change.why}`);
  // A frozen worker may thaw in the midst of it, and a slow call may end late.
  if (isTroubled(after)) return;
  // Another flow may write the same source.
  if (site.plans.filter((each) => each.source === plan.source).length > 1) return;
  const spans = ['crm', plan.name].flatMap((name) => site.pauses.get(name) ?? []);
  const own = [...(site.pauses.get(key) ?? []), ...(site.unlinked.get(key) ?? [])];
  for (const side of SIDES) {
    const id = side === 'source' ? sourceId : targetId;
    const { conditional, testWorks, lagMs } = systemOf(after, side).nature;
    const doubtfulMs = conditional === 'test' && !testWorks ? DOUBTFUL_MS + lagMs : 0;
    const isStill = (at: number): boolean =>
      spans.some((span) => isWithin(span, at, UNDER_WAY_MS)) || own.some((span) => isWithin(span, at, UNDER_WAY_MS + doubtfulMs));
    for (const deed of systemOf(after, side).deeds)
      if (deed.by === 'tandem' && deed.id === id && isStill(deed.at))
        say('People steer', `${side} ${deed.id} was written while ${key} was paused or unlinked`);
  }
}

const isWithin = ({ from, until }: Span, at: number, underWayMs: number): boolean => at > from + underWayMs && at < until;
