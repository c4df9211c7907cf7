import { feedsOf, SYSTEMS, type Flow } from '../../../flows/flow.ts';
import { feedKey } from '../../../flows/names.ts';
import type { CursorDocument, LinkDocument, SystemDocument } from '../../../store/documents.ts';
import type { Store } from '../../../store/store.ts';
import type { StandingCount } from '../../../store/census.ts';
import type { DependencyState } from '../../../worker/health.ts';
import { isCarried } from './carried.ts';
import type { Family, Sample } from './exposition.ts';

/** So many links that may have an edit to carry are looked at, the oldest first. */
const UNCARRIED = 200;

const age = (since: number, now: number): number => Math.max(0, (now - since) / 1000);

/** Temporal and MongoDB, as this process finds them. */
export const dependencyFamily = (found: readonly DependencyState[]): Family => ({
  name: 'tandem_dependency_up',
  type: 'gauge',
  help: 'Whether Temporal and the store answer this process.',
  samples: found.map(({ of, trouble }) => ({ labels: { dependency: of }, value: trouble === null ? 1 : 0 })),
});

/** The installation as its store tells of it, the same from whatever process; never a label of a pair. */
export async function storeFamilies(store: Store, flows: readonly Flow[], now: number): Promise<Family[]> {
  const cursors = await store.cursors.all();
  const systems = await store.systems.all();
  const mine = feedsOf(flows).map((feed) => ({ feed, cursor: cursors.find(({ _id }) => _id === feed) }));
  return [
    ...(await linkFamilies(store, flows, now)),
    ...feedFamilies(mine, now),
    ...systemFamilies(cursors, systems),
    ...(await quotaFamilies(store, systems, now)),
    {
      name: 'tandem_paused',
      type: 'gauge',
      help: 'Flows and systems that a person paused.',
      samples: [{ value: (await store.limits.paused()).length }],
    },
    {
      name: 'tandem_oldest_unnumbered_change_seconds',
      type: 'gauge',
      help: 'Age of the oldest committed change that the stream of changes does not show yet.',
      samples: [{ value: age((await store.unnumbered.oldest())?.getTime() ?? now, now) }],
    },
  ];
}

async function linkFamilies(store: Store, flows: readonly Flow[], now: number): Promise<Family[]> {
  const counts = await store.census.counts();
  return [
    {
      name: 'tandem_pairs',
      type: 'gauge',
      help: 'Links by flow and status.',
      samples: summed(counts, ({ flow, status }) => ({ flow, status })),
    },
    {
      name: 'tandem_blocked_pairs',
      type: 'gauge',
      help: 'Blocked links by flow and reason.',
      samples: summed(
        counts.filter(({ status }) => status === 'blocked'),
        ({ flow, code }) => ({ flow, reason: code ?? 'unknown' }),
      ),
    },
    {
      name: 'tandem_oldest_change_not_carried_seconds',
      type: 'gauge',
      help: 'Age of the oldest edit or new record that was seen and is not carried yet; 0 where there is none.',
      samples: await oldestNotCarried(store, flows, now),
    },
  ];
}

/** Links that have the same labels are one sample. */
function summed(counts: readonly StandingCount[], labelsOf: (row: StandingCount) => Record<string, string>): Sample[] {
  const samples = new Map<string, { labels: Record<string, string>; value: number }>();
  for (const row of counts) {
    const labels = labelsOf(row);
    const key = JSON.stringify(labels);
    samples.set(key, { labels, value: (samples.get(key)?.value ?? 0) + row.count });
  }
  return [...samples.values()];
}

async function oldestNotCarried(store: Store, flows: readonly Flow[], now: number): Promise<Sample[]> {
  const since = new Map<string, number>(flows.map(({ name }) => [name, now]));
  const note = (flow: string, at: number): void => {
    const known = since.get(flow);
    if (known !== undefined && at < known) since.set(flow, at);
  };
  for (const link of await store.overview.uncarried(UNCARRIED)) {
    const flow = flows.find(({ name }) => name === link.flow);
    if (flow && waitsForNobody(link) && !isCarried(flow, link)) note(link.flow, (link.uncarriedSince ?? new Date()).getTime());
  }
  for (const linking of await store.overview.oldestLinking()) note(linking.flow, linking.since);
  return [...since].map(([flow, at]) => ({ labels: { flow }, value: age(at, now) }));
}

/** Blocked links and conflicts are told by themselves, and what has ended is carried no more. */
const waitsForNobody = ({ status }: Pick<LinkDocument, 'status'>): boolean =>
  status === 'in-step' || status === 'linking' || status === 'paused';

function feedFamilies(
  feeds: readonly { readonly feed: string; readonly cursor: CursorDocument | undefined }[],
  now: number,
): Family[] {
  const each = (value: (cursor: CursorDocument) => number | undefined): Sample[] =>
    feeds.flatMap(({ feed, cursor }) => {
      const found = cursor && value(cursor);
      return found === undefined ? [] : [{ labels: { feed }, value: found }];
    });
  return [
    {
      name: 'tandem_feed_lag_seconds',
      type: 'gauge',
      help: 'Seconds since a feed was last read to its end.',
      samples: each(({ lookedAt }) => (lookedAt > 0 ? age(lookedAt, now) : undefined)),
    },
    {
      name: 'tandem_feed_pause_seconds',
      type: 'gauge',
      help: 'How long the watcher of a feed waits between two looks.',
      samples: each(({ pauseSeconds }) => pauseSeconds),
    },
    {
      name: 'tandem_feed_in_trouble',
      type: 'gauge',
      help: 'Whether something stands in the way of a feed.',
      samples: feeds.map(({ feed, cursor }) => ({ labels: { feed }, value: cursor?.trouble ? 1 : 0 })),
    },
    {
      name: 'tandem_feed_lists_not_believed',
      type: 'gauge',
      help: 'Lists of ids that lacked very many records, and wait for a person.',
      samples: feeds.map(({ feed, cursor }) => ({ labels: { feed }, value: cursor?.notBelieved?.length ?? 0 })),
    },
  ];
}

function systemFamilies(cursors: readonly CursorDocument[], systems: readonly SystemDocument[]): Family[] {
  return [
    {
      name: 'tandem_system_up',
      type: 'gauge',
      help: 'Whether the feeds of a system could use it when they last looked.',
      samples: SYSTEMS.map((system) => {
        const faulty = cursors.some(({ _id, trouble }) => _id.startsWith(feedKey(system, '')) && trouble?.fault !== undefined);
        return { labels: { system }, value: faulty ? 0 : 1 };
      }),
    },
    {
      name: 'tandem_clock_offset_seconds',
      type: 'gauge',
      help: 'The clock of a system less the clocks of the workers.',
      samples: systems.flatMap(({ _id, clock }) =>
        clock && clock.by !== 'nothing' ? [{ labels: { system: _id }, value: (clock.lo + clock.hi) / 2000 }] : [],
      ),
    },
  ];
}

async function quotaFamilies(store: Store, systems: readonly SystemDocument[], now: number): Promise<Family[]> {
  const found: { system: string; taken: number; perSecond: number; backlog: number }[] = [];
  for (const { _id: system, quota } of systems) {
    const used = quota === undefined ? null : await store.slots.used(quota);
    if (used) found.push({ system, taken: used.taken, perSecond: 1000 / used.spacingMs, backlog: age(now, used.next) });
  }
  const samples = (value: (each: (typeof found)[number]) => number): Sample[] =>
    found.map((each) => ({ labels: { system: each.system }, value: value(each) }));
  return [
    {
      name: 'tandem_quota_calls_total',
      type: 'counter',
      help: 'Calls that the limiter of a key let pass, of all workers and installations that share it.',
      samples: samples(({ taken }) => taken),
    },
    {
      name: 'tandem_quota_calls_per_second',
      type: 'gauge',
      help: 'Calls a second that the limiter of a key lets pass at most.',
      samples: samples(({ perSecond }) => perSecond),
    },
    {
      name: 'tandem_quota_backlog_seconds',
      type: 'gauge',
      help: 'How long a call that asks now waits for the limiter of a key.',
      samples: samples(({ backlog }) => backlog),
    },
  ];
}
