import type { Refused } from '../flows/dataflow/bind.ts';
import { troubleOf, troubleSaid, type Trouble } from '../flows/faults.ts';
import { feedsOf, SYSTEMS, type Flow } from '../flows/flow.ts';
import { feedKey, systemTitle } from '../flows/names.ts';
import { reasonOf } from '../flows/reasons.ts';
import type { CursorDocument, LinkDocument, NotBelieved, SystemDocument } from '../store/documents.ts';
import type { Store } from '../store/store.ts';
import type { StandingCount } from '../store/census.ts';
import { clockInWords } from '../worker/clockWatch.ts';
import type { Health } from '../worker/health.ts';
import { notRun } from '../worker/readFlows.ts';
import { Unreachable } from './errors.ts';
import type { StatusReport, View } from './model.ts';
import { leftOver } from './remove.ts';

/** So many blocked links are looked at for their reasons. */
const BLOCKED = 1000;
/** So many records that are set aside are named, of each feed. */
const SET_ASIDE = 10;

/** What a report is made of, besides the store. */
interface Reported {
  readonly installation: string;
  readonly flows: readonly Flow[];
  readonly refused: readonly Refused[];
  readonly servers: Health;
  /** Where the Temporal Web UI lists the links. */
  readonly views?: readonly View[];
  /** Links that no worker carries on; asked where Temporal answers. */
  readonly tending?: (() => Promise<readonly Trouble[]>) | undefined;
}

/** The whole installation at a glance, from the store alone. */
export async function statusReport(store: Store, reported: Reported): Promise<StatusReport> {
  const { installation, flows, refused, servers, views = [], tending = () => Promise.resolve([]) } = reported;
  const found = (await servers.look()).flatMap(({ of, trouble }) => (trouble ? [{ of, trouble }] : []));
  const down = found.find(({ of }) => of === 'store')?.trouble;
  if (down) throw new Unreachable(down);
  const counts = await store.census.counts();
  const blocked = await store.links.list({ status: 'blocked' }, { limit: BLOCKED });
  const cursors = await store.cursors.all();
  return {
    installation,
    views: [...views],
    troubles: [
      ...found.map(({ trouble }) => trouble),
      ...(found.some(({ of }) => of === 'temporal') ? [] : await tending()),
      ...systemTroubles(cursors),
      ...(await outages(store)),
      ...(await clockTroubles(store, installation)),
    ],
    flows: flows.map(({ name }) => {
      const mine = counts.filter((each) => each.flow === name);
      const last = mine.map((each) => each.last.getTime()).sort((a, b) => b - a)[0];
      return {
        flow: name,
        pairs: sumsBy(mine, ({ status }) => status),
        lastSync: last === undefined ? null : new Date(last).toISOString(),
        blocked: reasonsOf(blocked.filter((each) => each.flow === name)),
      };
    }),
    feeds: await Promise.all(
      feedsOf(flows).map((feed) =>
        feedReport(
          store,
          feed,
          cursors.find(({ _id }) => _id === feed),
        ),
      ),
    ),
    refused: notRun(refused).map(({ section, why }) => ({ section, why: [...why] })),
    paused: [...(await store.limits.paused())],
    leftOver: await leftOver(store, flows, counts),
    systems: (await store.systems.all()).map((each) => ({
      system: each._id,
      address: each.identity ?? null,
      clockOffsetMs: each.clock && each.clock.by !== 'nothing' ? [each.clock.lo, each.clock.hi] : null,
      note: unconditionedInWords(each),
    })),
  };
}

/** How far a feed was read, and what stands in its way. */
async function feedReport(store: Store, feed: string, cursor?: CursorDocument): Promise<StatusReport['feeds'][number]> {
  return {
    feed,
    looks: cursor?.looks ?? 0,
    lagSeconds: cursor?.lookedAt ? Math.max(0, Math.round((Date.now() - cursor.lookedAt) / 1000)) : null,
    sweptAt: cursor?.sweptAt ? new Date(cursor.sweptAt).toISOString() : null,
    unstamped: cursor?.unstamped ? { fields: [...cursor.unstamped.fields], hours: cursor.unstamped.hours } : null,
    notBelieved: (cursor?.notBelieved ?? []).map((each) => notBelieved(feed, each)),
    setAside: await setAsideOf(store, feed),
    trouble: cursor?.trouble?.text ?? null,
  };
}

/** A system that takes no condition with a write leaves a window, which nobody should have to find out. */
function unconditionedInWords({ test, conditional }: SystemDocument): string | null {
  if (test !== 'missing' && conditional !== 'none') return null;
  const what = test === 'missing' ? 'takes no JSON Patch test' : 'takes no condition with a write';
  return `${what}: a read comes before each write, and an edit within that moment can be overwritten`;
}

/** How many links there are by what they have in common. */
function sumsBy<T extends Pick<StandingCount, 'count'>>(rows: readonly T[], key: (row: T) => string): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const row of rows) sums[key(row)] = (sums[key(row)] ?? 0) + row.count;
  return sums;
}

async function setAsideOf(store: Store, feed: string): Promise<StatusReport['feeds'][number]['setAside']> {
  const [count, first] = await Promise.all([store.setAside.count(feed), store.setAside.ofFeed(feed, SET_ASIDE)]);
  return {
    count,
    first: first.map(({ id, kind, why, since }) => ({ id, kind, why, since: new Date(since).toISOString() })),
  };
}

function notBelieved(
  feed: string,
  { flow, missing, all, since }: NotBelieved,
): StatusReport['feeds'][number]['notBelieved'][number] {
  return {
    flow,
    missing,
    all,
    since: new Date(since).toISOString(),
    sentence: `the list of ${feed} lacks ${missing} of ${all} records of ${flow}; not believed, nothing was ended`,
    advice: `if they are really gone: \`tandem approve ${flow}\``,
  };
}

/** Systems that their feeds could not use when they last looked, each once; asks no system. */
export function systemTroubles(cursors: readonly CursorDocument[]): Trouble[] {
  return SYSTEMS.flatMap((system) => {
    const mine = cursors.flatMap(({ _id, trouble }) => (_id.startsWith(feedKey(system, '')) && trouble?.fault ? [trouble] : []));
    const latest = mine.toSorted((a, b) => b.at - a.at)[0];
    if (latest?.fault === undefined) return [];
    const since = new Date(Math.min(...mine.map((each) => each.since ?? each.at)));
    return [troubleOf({ title: systemTitle(system), fault: latest.fault }, { why: latest.text, since })];
  });
}

/** Systems that say of very many records that they are gone: nothing of it is believed. */
async function outages(store: Store): Promise<Trouble[]> {
  const found: Trouble[] = [];
  for (const system of SYSTEMS) {
    const { since } = await store.limits.missed(system, null);
    const what = systemTitle(system);
    const sentence = `${what} says of very many records that they are gone; none of it is believed`;
    if (since !== null) found.push(troubleSaid('outage', { what, sentence, since }));
  }
  return found;
}

/** Workers of the installation whose clock disagrees with most of the others'. */
async function clockTroubles(store: Store, installation: string): Promise<Trouble[]> {
  return (await store.workers.all()).flatMap(({ _id, installation: whose, apart }) =>
    apart === null || whose !== installation
      ? []
      : [
          troubleSaid('clock', {
            what: `worker ${_id}`,
            sentence: `worker ${_id}: ${clockInWords(apart)}`,
            since: apart.since,
          }),
        ],
  );
}

/** Every reason that blocks some, in the system's own words, with how many and one of them. */
function reasonsOf(links: readonly LinkDocument[]): StatusReport['flows'][number]['blocked'] {
  const reasons = new Map<string, StatusReport['flows'][number]['blocked'][number]>();
  for (const { block, sourceId } of links) {
    const code = block?.code ?? 'unknown';
    const reason = block?.text || code;
    const known = reasons.get(reason);
    const { meaning, advice } = reasonOf(code);
    const count = (known?.count ?? 0) + 1;
    reasons.set(reason, { code, reason, count, example: known?.example ?? sourceId, meaning, advice });
  }
  return [...reasons.values()];
}
