import { setTimeout as sleep } from 'node:timers/promises';
import { countActions, countCalls, median, openTimers, quantile } from './figures.ts';
import { note } from './report.ts';
import { crmWrites, until, type Installation } from './stack.ts';

type Link = Awaited<ReturnType<Installation['store']['links']['list']>>[number];

const historyOf = async ({ client }: Installation, link: Link | undefined) =>
  (await client.workflow.getHandle(`link:contactperson-contact:${link?.sourceId}`).fetchHistory()).events ?? [];

/** Edits one after the other: calls, events, actions and delay of each; then what comes where nothing is to do. */
export async function measureChange(installation: Installation, changes: number): Promise<void> {
  const { world, store } = installation;
  const links = await store.links.list({ flow: 'contactperson-contact' }, { limit: changes });
  const before = {
    writes: crmWrites(installation).length,
    reads: countCalls(world.crm.disturbance.calls).reads + countCalls(world.powerOffice.disturbance.calls).reads,
  };
  // A poll may fall between a write and its record in the store, and cost that link a signal: the median counts.
  const sampled = links.slice(0, 9).map((_, n) => n);
  const was = await Promise.all(sampled.map(async (n) => (await historyOf(installation, links[n])).length));
  const delays: number[] = [];
  for (const [i, link] of links.entries()) {
    const [written, at] = [crmWrites(installation).length, Date.now()];
    world.powerOffice.desk.edit('ContactPerson', link.sourceId, { FirstName: `Bench${i}` });
    await until({ what: 'the change', test: () => crmWrites(installation).length > written });
    const arrived = crmWrites(installation).at(-1) ?? 0;
    // The wait for the poll aside: from the list that could show it first.
    const looked =
      world.powerOffice.disturbance.calls.find((call) => call.at >= at && call.path.endsWith('/ContactPersons'))?.at ?? at;
    delays.push(arrived - looked);
    await sleep(20);
  }
  await sleep(1500);
  const calls = crmWrites(installation).length - before.writes;
  const reads =
    countCalls(world.crm.disturbance.calls).reads + countCalls(world.powerOffice.disturbance.calls).reads - before.reads;
  note({
    name: 'API calls for a change, feed pages aside',
    value: (calls + reads) / links.length,
    unit: 'calls',
    target: 'exactly 1',
    met: calls + reads === links.length,
  });
  const changed = await Promise.all(sampled.map(async (n) => (await historyOf(installation, links[n])).slice(was[n])));
  const events = median(changed.map((each) => each.length));
  const actions = median(changed.map(countActions));
  note({ name: 'history events for a change', value: events, unit: 'events', target: 'at most 11', met: events <= 11 });
  note({ name: 'billable actions for a change', value: actions, unit: 'actions', target: '2', met: actions === 2 });
  note({
    name: 'delay of a change, poll aside, median',
    value: median(delays),
    unit: 'ms',
    target: 'under 150',
    met: median(delays) < 150,
  });
  note({
    name: 'delay of a change, poll aside, 99th',
    value: quantile(delays, 0.99),
    unit: 'ms',
    target: 'under 1000',
    met: quantile(delays, 0.99) < 1000,
  });
  await measureQuiet(installation, links.slice(0, 20));
}

/** What idle pairs, echoes and edits of unmapped fields cost: nothing. */
async function measureQuiet(installation: Installation, links: readonly Link[]): Promise<void> {
  const { world } = installation;
  const lengths = async (): Promise<number> =>
    (await Promise.all(links.map(async (link) => (await historyOf(installation, link)).length))).reduce((a, b) => a + b, 0);
  const quiet = { events: await lengths(), writes: crmWrites(installation).length };
  const idle = (await Promise.all(links.map(async (link) => openTimers(await historyOf(installation, link))))).reduce(
    (a, b) => a + b,
    0,
  );
  note({
    name: 'timers that run in 20 idle pairs (without one, no event comes by itself)',
    value: idle,
    unit: 'timers',
    target: '0',
    met: idle === 0,
  });
  for (const link of links) {
    world.powerOffice.desk.edit('ContactPerson', link.sourceId, { Title: 'Umappet' });
    world.crm.desk.edit('Contact', link.targetId ?? '', { notes: 'unmapped' });
  }
  await sleep(3000);
  note({
    name: 'events after an echo and 40 unmapped edits',
    value: (await lengths()) - quiet.events,
    unit: 'events',
    target: '0',
    met: (await lengths()) === quiet.events,
  });
  note({
    name: 'calls after an echo and 40 unmapped edits, lists aside',
    value: crmWrites(installation).length - quiet.writes,
    unit: 'calls',
    target: '0',
    met: crmWrites(installation).length === quiet.writes,
  });
}
