import { linkKey } from '../../flows/names.ts';
import { across, SIDES, type Side } from '../../flows/side.ts';
import { isNoValue, sameValue } from '../../flows/values.ts';
import { PAIRS } from './flowPlan.ts';
import type { Deed } from './modelRecord.ts';
import { alike, isTroubled, systemOf, type Aftermath, type Pair, type Say } from './aftermath.ts';

/** An attempt, its retries and the pauses between them (ms). */
const LATELY_MS = 150_000;

/** No lost edit, nothing else touched, nothing invented: every write of one link's records. */
export function heldToEdits(after: Aftermath, pair: Pair, say: Say): void {
  for (const side of SIDES) {
    const ids = side === 'source' ? [pair.sourceId] : targetsOf(after, pair);
    for (const id of ids) {
      const deeds = systemOf(after, side).deeds.filter((deed) => deed.id === id && deed.kind === 'edit');
      for (const deed of deeds) if (deed.by === 'tandem') heldToWrite(after, { pair, side, deed }, say);
      for (const { [side]: property } of PAIRS)
        lostEdits(after, { pair, side, deeds: deeds.filter((deed) => deed.property === property) }, say);
    }
  }
}

/** Every target that the link ever had. */
const targetsOf = ({ site }: Aftermath, { plan, sourceId }: Pair): string[] => {
  const key = linkKey(plan.name, sourceId);
  return [...site.store.links.targets].filter(([, link]) => link === key).map(([id]) => id);
};

/** Records of all flows that share the source: what one of them writes there, the others carry on. */
const kinOf = ({ site }: Aftermath, { sourceId }: Pair, side: Side): string[] =>
  side === 'source'
    ? [sourceId]
    : [...site.store.links.targets].filter(([, link]) => link.endsWith(`:${sourceId}`)).map(([id]) => id);

/** Where a system honours conditions, nothing is overwritten that Tandem had not seen. */
const isGuarded = (after: Aftermath, side: Side): boolean => {
  const { conditional, testWorks } = systemOf(after, side).nature;
  return conditional === 'etag' || (conditional === 'test' && testWorks);
};

interface Write {
  readonly pair: Pair;
  readonly side: Side;
  readonly deed: Deed;
}

function heldToWrite(after: Aftermath, { pair, side, deed }: Write, say: Say): void {
  const where = `${side} ${deed.id}.${deed.property}`;
  const mapped = PAIRS.slice(0, pair.plan.pairs).find((each) => each[side] === deed.property);
  if (!mapped && deed.property !== 'note' && deed.externalId === undefined) return;
  if (!mapped) {
    if (deed.after !== null || deed.before !== null) say('Nothing else touched', `${where} was written`);
    return;
  }
  if (deed.blind && isGuarded(after, side))
    say('No lost edit', `${where}: ${JSON.stringify(deed.before)} was overwritten unseen`);
  if (deed.outOfScope === true && isGuarded(after, side)) say('Nothing else touched', `${where} was written out of scope`);
  const restored = after.schedule.acts.some((act) => act.do === 'restore' || act.do === 'resolve');
  const others = kinOf(after, pair, across(side));
  const theirs = systemOf(after, across(side)).deeds.filter(
    ({ kind, id, property }) => kind === 'edit' && property === mapped[across(side)] && others.includes(id),
  );
  if (!restored && !sameValue(deed.before, deed.after) && !stoodLately(after, theirs, { pair, side, deed }))
    say('No lost edit', `${where}: ${JSON.stringify(deed.after)}, which it was given, stood nowhere on the other side`);
}

/** Whether what was written stood on the other side at some time before, not longer ago than an attempt takes. */
function stoodLately(after: Aftermath, theirs: readonly Deed[], { pair: { plan, sourceId, link }, deed }: Write): boolean {
  // While it is paused no attempt gets on: what was told meanwhile goes out as it was told, once the pause is over.
  const pauses = after.site.pausesOf(plan.name, sourceId).filter(({ until }) => until > deed.at - LATELY_MS && until <= deed.at);
  // Nor where its attempts fail: what it carries was planned before the first.
  const tried = link.tried.filter(({ from, until }) => from <= deed.at && deed.at <= until);
  const since = Math.min(deed.at, ...[...pauses, ...tried].map(({ from }) => from)) - LATELY_MS;
  return theirs.some((each, i) => {
    const until = theirs.slice(i + 1).find(({ id }) => id === each.id)?.at ?? Number.POSITIVE_INFINITY;
    return each.at <= deed.at && until > since && alike(each.after, deed.after, after);
  });
}

/** Edits of one property of one record, in their order. */
interface Edits {
  readonly pair: Pair;
  readonly side: Side;
  readonly deeds: readonly Deed[];
}

/** A person's value that Tandem overwrote either stood on the other side too, or is kept in the history. */
function lostEdits(after: Aftermath, { pair, side, deeds }: Edits, say: Say): void {
  if (!isGuarded(after, side)) return;
  const { site } = after;
  const [first] = deeds;
  const partner = PAIRS.find((each) => each[side] === first?.property)?.[across(side)];
  const otherIds = kinOf(after, pair, across(side));
  const theirs = systemOf(after, across(side)).deeds.filter(
    (deed) => deed.kind === 'edit' && deed.property === partner && otherIds.includes(deed.id),
  );
  for (const [i, deed] of deeds.entries()) {
    if (deed.by !== 'tandem') continue;
    const edit = deeds[i - 1];
    if (!edit || edit.by !== 'person' || isNoValue(edit.after)) continue;
    const value = edit.after;
    const where = `${side} ${deed.id}.${deed.property}`;
    const agreed = theirs.some((each) => alike(each.after, value, after));
    const kept = [...site.store.history.rows.values()].some(
      (change) =>
        change.link.endsWith(`:${pair.sourceId}`) &&
        change.side === side &&
        change.property === deed.property &&
        sameValue(change.before, value),
    );
    if (!agreed && !kept)
      say(
        'No lost edit',
        `${where}: ${JSON.stringify(value)} was overwritten by ${JSON.stringify(deed.after)} and is in no history`,
      );
    const restored = after.schedule.acts.some((act) => act.do === 'restore' || act.do === 'resolve');
    // What a system made of a value whose answer was lost cannot be told from a person's edit; nor can it be told whether an
    // edit came before a write whose answer was lost, or after it.
    const tidies = SIDES.some((each) => systemOf(after, each).nature.tidy !== 'keeps');
    const lies = systemOf(after, side).nature.lies !== null;
    const unsure = (isTroubled(after) && tidies) || ((isTroubled(after) || lies) && deeds[i - 2]?.by === 'tandem');
    // Since Tandem last wrote it: an edit that was not carried yet makes a conflict, whichever came first.
    const since = deeds.slice(0, i).findLast(({ by }) => by === 'tandem')?.at ?? 0;
    // Whoever takes a record out of the bin means the values that it comes with.
    const back = systemOf(after, across(side)).deeds.some(
      ({ kind, id, at }) => kind === 'undelete' && otherIds.includes(id) && at > since,
    );
    // What Tandem brought over from here is no edit, whether its answer came or not; what another flow wrote is one.
    const fromHere = ({ after: brought }: Deed): boolean =>
      deeds.some((each) => alike(each.after, brought, after) || alike(each.before, brought, after));
    const moved = back || theirs.some((each) => (each.by === 'person' || !fromHere(each)) && each.at > since);
    const oneWay = deed.property === 'role' && pair.plan.third === 'toTarget';
    if (
      !restored &&
      !unsure &&
      !moved &&
      !oneWay &&
      !sameValue(value, edit.before) &&
      sameValue(edit.before, deed.after) &&
      !alike(value, deed.after, after)
    )
      say(
        'No lost edit',
        `${where}: ${JSON.stringify(value)} was set back to ${JSON.stringify(deed.after)}, which nobody asked for`,
      );
    const sent = theirs.some((each) => each.by === 'person' && sameValue(each.after, deed.after));
    const readable = (after.schedule.target.lies?.leavesOut ?? 0) === 0;
    if (!sent && !unsure && readable && !restored && !sameValue(value, deed.after) && alike(value, deed.after, after))
      say('No ping-pong', `${where}: ${JSON.stringify(value)} came back as ${JSON.stringify(deed.after)}`);
  }
}
