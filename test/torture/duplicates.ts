import type { Deed } from './modelRecord.ts';
import { isTroubled, type Aftermath, type Say } from './aftermath.ts';

/** So long a match was there to be seen before Tandem created another record (ms); longer, where a watcher may be down. */
const SEEN_MS = { calm: 20_000, troubled: 70_000 } as const;

/** One source record, at most one living target record; what matches is linked instead of made again. */
export function heldToDuplicates(after: Aftermath, say: Say): void {
  const { site, sites, schedule } = after;
  const alive = new Map<string, Set<string>>();
  const named = (externalId: string): boolean =>
    [...site.store.links.rows.values()].some(
      (link) => link.block?.code === 'ambiguous' && externalId.endsWith(`:${link.sourceId}`),
    );
  const prefix = site.installation.externalId(
    { source: { system: 'powerOffice', type: '' }, target: { system: 'crm', type: '' } },
    '',
  );
  const own = prefix.slice(0, -1);
  const dead = new Set<string>();
  for (const deed of site.target.deeds) {
    if (deed.kind === 'delete' && deed.by === 'person') for (const [made, ids] of alive) if (ids.has(deed.id)) dead.add(made);
    if (deed.kind === 'delete' || deed.kind === 'merge') for (const ids of alive.values()) ids.delete(deed.id);
    if (deed.by !== 'tandem' || deed.kind !== 'create' || !deed.externalId?.startsWith(own)) continue;
    const made = `${deed.type} ${deed.externalId}`;
    const before = alive.get(made) ?? new Set<string>();
    alive.set(made, before);
    if (before.size > 0 && !excused(after, deed, named(deed.externalId)))
      say('No duplicate', `${deed.id} was created for ${made} although ${[...before].join(', ')} lives`);
    before.add(deed.id);
    const again = site.plans.some((plan) => plan.target === deed.type && plan.onTargetDeleted === 'recreate');
    if (dead.has(made) && !again && !schedule.acts.some(({ do: what }) => what === 'relink'))
      say('No resurrection', `${deed.id} was created for ${made}, whose target somebody had deleted`);
    matched(after, deed, say);
    const sourceId = deed.externalId.split(':').at(-1) ?? '';
    if (!site.source.rows.has(sourceId) && !site.source.deeds.some(({ id }) => id === sourceId))
      say('One world', `${deed.id} was created for ${made}, which is no record of ${site.name}`);
  }
  for (const deed of site.source.deeds)
    if (deed.by === 'tandem' && deed.kind === 'create') say('No duplicate', `a source record was created: ${deed.id}`);
  if (schedule.sharedCrm || sites.length === 1)
    for (const deed of site.target.deeds) {
      const owner = sites.some((each) => deed.externalId?.startsWith(`${prefixOf(each)}:`) ?? true);
      if (!owner) say('One world', `${deed.id} belongs to nobody: ${deed.externalId}`);
    }
  const linked = new Map<string, string>();
  for (const link of site.store.links.rows.values()) {
    if (link.targetId === null || link.ended !== null) continue;
    const key = `${link.targetType} ${link.targetId}`;
    const other = linked.get(key);
    if (other !== undefined) say('No duplicate', `${key} is the target of ${other} and of ${link._id}`);
    linked.set(key, link._id);
  }
}

const prefixOf = (site: Aftermath['site']): string =>
  site.installation
    .externalId({ source: { system: 'powerOffice', type: '' }, target: { system: 'crm', type: '' } }, '')
    .replace(/::$/, '');

/** With neither key nor external id a late twin is named, and the link blocked, instead of prevented. */
function excused({ schedule }: Aftermath, _deed: Deed, named: boolean): boolean {
  const { externalId, uniqueExternalId, idempotencyKey } = schedule.target;
  return !(externalId && uniqueExternalId) && !idempotencyKey && named;
}

function matched(after: Aftermath, deed: Deed, say: Say): void {
  const { site, people, schedule } = after;
  // A system whose clock goes back lists what is new among what is old: only a full comparison finds it.
  if (schedule.acts.some(({ do: what }) => what === 'clock')) return;
  const sourceId = deed.externalId?.split(':').at(-1) ?? '';
  const seenMs = isTroubled(after) ? SEEN_MS.troubled : SEEN_MS.calm;
  for (const plan of site.plans) {
    if (plan.relation !== 'match' && plan.relation !== 'merge-or-create') continue;
    if (plan.relation === 'match') say('No duplicate', `${deed.id} was created by a flow that only matches`);
    const twins = people.twins.filter((each) => each.site === site && each.sourceId === sourceId && each.at < deed.at - seenMs);
    const free = twins.filter(({ id }) => site.target.rows.has(id) && !site.store.links.targets.has(id));
    if (free.length === 1 && twins.length === 1)
      say('No duplicate', `${deed.id} was created for ${sourceId} although ${free[0]?.id} matches it`);
  }
}
