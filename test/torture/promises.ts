import { linkKey } from '../../flows/names.ts';
import { isNoValue, sameValue, type Value } from '../../flows/values.ts';
import type { Aftermath } from './aftermath.ts';
import type { Deed } from './modelRecord.ts';
import type { ModelSystem } from './modelSystem.ts';

const MAPPED: Readonly<Record<'source' | 'target', readonly string[]>> = {
  source: ['FirstName', 'LastName'],
  target: ['givenName', 'familyName'],
};

/** More than a Date header's second and a poll's reading can blur (ms). */
const CLEARLY_APART_MS = 2000;

/** Whether two values are one, apart from what either system makes of text. */
function alike(a: Value | undefined, b: Value | undefined, systems: readonly ModelSystem[]): boolean {
  if (sameValue(a, b)) return true;
  if (typeof a !== 'string' || typeof b !== 'string') return false;
  const tidied = (text: string): string[] => {
    const trimmed = systems.some((system) => system.nature.tidy === 'trims') ? text.trim() : text;
    return systems.some((system) => system.nature.tidy === 'cuts')
      ? [trimmed, trimmed.slice(0, 24), text.slice(0, 24), text.slice(0, 24).trim()]
      : [trimmed];
  };
  return tidied(a).some((one) => tidied(b).includes(one));
}

/** Checks every promise against what the model knows of every deed. Gives a sentence for each one broken. */
export function brokenPromises(after: Aftermath): string[] {
  const { schedule, source, target, store, links, restless } = after;
  const broken: string[] = [];
  const say = (promise: string, what: string): number => broken.push(`${promise}: ${what}`);
  const systems = { source, target };

  for (const side of ['source', 'target'] as const) {
    const system = systems[side];
    const conditional = side === 'source' ? schedule.source.testWorks : schedule.target.conditional === 'etag';
    for (const deed of system.deeds) {
      if (deed.by !== 'tandem' || deed.kind !== 'edit') continue;
      if (!MAPPED[side].includes(deed.property)) say('Nothing else touched', `${side} ${deed.id}.${deed.property} was written`);
      if (deed.blind && conditional)
        say('No lost edit', `${side} ${deed.id}.${deed.property}: ${JSON.stringify(deed.before)} was overwritten unseen`);
    }
  }
  for (const [externalId, made] of target.created) {
    // With neither key nor external id a late twin is named, and the link blocked, instead of prevented.
    const named = [...store.links.rows.values()].some(
      (link) => link.block?.code === 'ambiguous' && externalId.endsWith(`:${link.sourceId}`),
    );
    const revenant = schedule.acts.some((act) => act.do === 'freeze' || act.do === 'crash') || schedule.crashes > 0;
    const keyless = !schedule.target.externalId && !schedule.target.idempotencyKey;
    // Two answers may be lost; a third record is never sent.
    if (made.length > 2 || (made.length > 1 && !(keyless && (named || revenant))))
      say('No duplicate', `${made.length} records were created for ${externalId}`);
  }
  for (const deed of source.deeds)
    if (deed.by === 'tandem' && deed.kind === 'create') say('No duplicate', `a source record was created: ${deed.id}`);

  for (const [id, row] of sourceRows(after)) {
    const link = links.get(id);
    const stored = store.links.rows.get(linkKey('f', id));
    const inScope = row?.fields['IsPerson'] === true;
    if (!link || !stored) {
      const everInScope = source.deeds.some((deed) => deed.id === id && deed.kind === 'create');
      if (row && inScope && everInScope) say('Convergence', `source ${id} has no link`);
      continue;
    }
    if (stored.status !== link.state.status || stored.ended !== link.state.ended)
      say('Convergence', `the store says ${stored.status} of ${id}, its workflow ${link.state.status}`);
    if (!row) {
      if (link.open || stored.ended !== 'source gone')
        say('No resurrection', `source ${id} is gone, its link is ${stored.status}`);
      continue;
    }
    const targetId = link.state.target.id;
    const other = targetId === null ? undefined : target.rows.get(targetId);
    if (targetId !== null && !other) {
      if (stored.ended !== 'target gone' && stored.ended !== 'out of scope')
        say('No resurrection', `target ${targetId} is gone, its link is ${stored.status}, ${stored.ended}`);
      continue;
    }
    if (stored.ended === 'source gone' || stored.ended === 'target gone')
      say('Nothing hidden', `${id} and ${targetId} live, their link ended: ${stored.ended}`);
    if (!inScope) {
      if (stored.ended !== 'out of scope') say('Convergence', `${id} is out of scope, its link is ${stored.status}`);
      continue;
    }
    if (stored.status === 'blocked') {
      const values = [...Object.values(row.fields), ...Object.values(other?.fields ?? {})];
      const ambiguous = stored.block?.code === 'ambiguous';
      if (!ambiguous && !values.some((value) => value === '!' || isNoValue(value)))
        say('Nothing hidden', `${id} is blocked (${stored.block?.code}) for no reason`);
      continue;
    }
    if (stored.status !== 'in-step') say('Convergence', `${id} is ${stored.status}`);
    if (!other) {
      say('Convergence', `${id} has no target`);
      continue;
    }
    for (const [i, property] of MAPPED.source.entries()) {
      const partner = MAPPED.target[i] as string;
      const [a, b] = [row.fields[property] ?? null, other.fields[partner] ?? null];
      if (!sameValue(stored.base.source[property], a) || !sameValue(stored.base.target[partner], b))
        say(
          'Convergence',
          `${id}.${property}: ${JSON.stringify(a)} and ${JSON.stringify(b)} are not the base ${JSON.stringify(stored.base.source[property])} and ${JSON.stringify(stored.base.target[partner])}`,
        );
      else if (!alike(a, b, [source, target]))
        say('Convergence', `${id}.${property} is ${JSON.stringify(a)} here and ${JSON.stringify(b)} there`);
      const wrong = wrongWinner(after, id, targetId ?? '', i);
      if (wrong !== null) say('Conflicts go to the later edit', wrong);
      for (const [side, system, record, name] of [
        ['source', source, id, property],
        ['target', target, targetId ?? '', partner],
      ] as const)
        lostEdits(after, side, system, record, name, id, say);
    }
  }
  if (restless.writes > 0) say('No ping-pong', `${restless.writes} writes after everything had settled`);
  if (restless.signals > 0) say('No echo', `${restless.signals} signals after everything had settled`);
  return broken;
}

const CALM_BEFORE_MS = 10_000;

/** Whatever the clocks say: of two edits clearly apart, the later one stands in the end. */
function wrongWinner(after: Aftermath, sourceId: string, targetId: string, i: number): string | null {
  const { schedule, source, target } = after;
  const calm =
    schedule.policy === 'latest' &&
    schedule.faults === 0 &&
    schedule.crashes === 0 &&
    !schedule.acts.some((act) => ['crash', 'freeze', 'scope', 'delete', 'clock', 'blip'].includes(act.do));
  // Without a condition, an edit that the replica does not show yet can be overwritten unseen.
  const unseen = [schedule.source, schedule.target].some(({ conditional, lagMs }) => conditional === 'none' && lagMs > 0);
  if (!calm || unseen || !schedule.source.testWorks) return null;
  const edits = (system: ModelSystem, id: string, property: string): Deed[] =>
    system.deeds.filter((deed) => deed.by === 'person' && deed.kind === 'edit' && deed.id === id && deed.property === property);
  const [mine, theirs] = [
    edits(source, sourceId, MAPPED.source[i] as string),
    edits(target, targetId, MAPPED.target[i] as string),
  ];
  const all = [...source.deeds.filter((deed) => deed.id === sourceId), ...target.deeds.filter((deed) => deed.id === targetId)];
  if (all.some((deed) => deed.kind === 'edit' && (deed.after === '!' || isNoValue(deed.after)))) return null;
  const [a, b] = [mine.at(-1), theirs.at(-1)];
  if (!a || !b || Math.abs(a.at - b.at) < CLEARLY_APART_MS) return null;
  // A record has one stamp: another edit of it, or our write that carries one, lends its instant to this property.
  const since = Math.min(a.at, b.at) - CALM_BEFORE_MS;
  if (all.some((deed) => deed.by === 'person' && deed !== a && deed !== b && deed.at > since)) return null;
  const last = a.at > b.at ? a : b;
  const stands = source.rows.get(sourceId)?.fields[MAPPED.source[i] as string];
  return alike(stands, last.after, [source, target])
    ? null
    : `${sourceId}.${MAPPED.source[i]} is ${JSON.stringify(stands)}, although ${JSON.stringify(last.after)} was edited last`;
}

function sourceRows({ source }: Aftermath): [string, ReturnType<ModelSystem['rows']['get']>][] {
  const ids = source.deeds.filter((deed) => deed.kind === 'create').map((deed) => deed.id);
  return ids.map((id) => [id, source.rows.get(id)]);
}

/** A person's value that Tandem overwrote either stood on the other side too, or is kept in the history. */
function lostEdits(
  after: Aftermath,
  side: 'source' | 'target',
  system: ModelSystem,
  id: string,
  property: string,
  sourceId: string,
  say: (promise: string, what: string) => number,
): void {
  const other = side === 'source' ? after.target : after.source;
  const conditional = side === 'source' ? after.schedule.source.testWorks : after.schedule.target.conditional === 'etag';
  if (!conditional) return;
  const mine = system.deeds.filter((deed) => deed.id === id && deed.property === property && deed.kind === 'edit');
  for (const [i, deed] of mine.entries()) {
    if (deed.by !== 'tandem') continue;
    const edit = mine[i - 1];
    if (!edit || edit.by !== 'person') continue;
    const value = edit.after;
    const theirs = other.deeds.some((each) => each.by === 'person' && sameValue(each.after, deed.after));
    // What a system made of a value whose answer was lost cannot be told from a person's edit.
    const revenant = after.schedule.crashes > 0 || after.schedule.acts.some((act) => act.do === 'freeze' || act.do === 'crash');
    const unsure = after.schedule.faults > 0 || revenant;
    if (!theirs && !unsure && !sameValue(value, deed.after) && alike(value, deed.after, [after.source, after.target]))
      say('No ping-pong', `${side} ${id}.${property}: ${JSON.stringify(value)} came back as ${JSON.stringify(deed.after)}`);
    const partner = MAPPED[side === 'source' ? 'target' : 'source'][MAPPED[side].indexOf(property)];
    const agreed = other.deeds.some(
      (each) => each.kind === 'edit' && each.property === partner && alike(each.after, value, [after.source, after.target]),
    );
    const kept = [...after.store.history.rows.values()].some(
      (change) =>
        change.link === linkKey('f', sourceId) &&
        change.side === side &&
        change.property === property &&
        sameValue(change.before, value),
    );
    if (!agreed && !kept)
      say(
        'No lost edit',
        `${side} ${id}.${property}: ${JSON.stringify(value)} was overwritten by ${JSON.stringify(deed.after)} and is in no history`,
      );
  }
}
