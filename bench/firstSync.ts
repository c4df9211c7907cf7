import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { forEachLimit } from '../activities/forEachLimit.ts';
import { countCalls, median, spread } from './figures.ts';
import { note, say } from './report.ts';
import { install, mixed, posts, startFloor, startStack, until, type Floor, type Installation, type Stack } from './stack.ts';

async function firstSync(stack: Stack, records: number): Promise<{ ms: number; installation: Installation }> {
  const installation = await install(stack, mixed(records));
  await until({ what: 'the first sync', test: () => posts(installation).length >= installation.pairs });
  const end = Math.max(...posts(installation));
  let start = end;
  await until({
    what: 'the visibility of all links',
    test: async () => (await installation.client.workflow.count("WorkflowType = 'link'")).count >= installation.pairs,
  });
  for await (const run of installation.client.workflow.list({ query: "WorkflowType = 'link'" }))
    start = Math.min(start, run.startTime.getTime());
  return { ms: end - start, installation };
}

async function bareSync(floor: Floor, records: number, round: number): Promise<number> {
  const start = Date.now();
  const ids = Array.from({ length: records }, (_, i) => `bare-${round}-${i}`);
  await forEachLimit(
    ids,
    async (workflowId) => void (await floor.client.workflow.start('bare', { workflowId, taskQueue: 'floor' })),
  );
  return (await floor.ran(records)) - start;
}

/** First syncs in turns with the bare floor; the last one's installation stays open. */
export async function measureFirstSync(stack: Stack, records: number, rounds: number): Promise<Installation> {
  const floor = await startFloor();
  const [ours, bare]: [number[], number[]] = [[], []];
  let last: Installation | null = null;
  for (let round = 0; round < rounds; round++) {
    bare.push(await bareSync(floor, records, round));
    await last?.close();
    const { ms, installation } = await firstSync(stack, records);
    ours.push(ms);
    last = installation;
    say(`round ${round + 1} of ${rounds}: floor ${bare.at(-1)} ms, first sync ${ms} ms`);
  }
  await floor.close();
  const ratio = median(ours.map((ms, i) => ms / (bare[i] ?? 1)));
  note({
    name: `first sync of ${records}, against the floor (spread ±${spread(ours).toFixed(0)} %)`,
    value: ratio,
    unit: 'times',
    target: 'at most 1.3',
    met: ratio <= 1.3,
  });
  if (!last) throw new Error('no round was run');
  return last;
}

/** What a first sync that has just ended asked of both systems. */
export function measureCalls(installation: Installation): void {
  const { world, pairs } = installation;
  const crm = countCalls(world.crm.disturbance.calls);
  const powerOffice = countCalls(world.powerOffice.disturbance.calls);
  note({
    name: 'creating calls a record in the first sync',
    value: crm.writes / pairs,
    unit: 'calls',
    target: 'exactly 1',
    met: crm.writes === pairs,
  });
  note({
    name: 'calls in the first sync beside creates, lists, token and checks',
    value: crm.reads + powerOffice.reads + powerOffice.writes,
    unit: 'calls',
    target: '0',
    met: crm.reads + powerOffice.reads + powerOffice.writes === 0,
  });
}

/** A first sync of very many pairs, and what the worker holds afterwards. */
export async function measureLarge(many: number): Promise<void> {
  const stack = await startStack(say, true);
  try {
    const installation = await install(stack, mixed(many), { TANDEM_POLL_SECONDS: '30' });
    const rss = (): number =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${installation.workers[0]?.child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
    const began = Date.now();
    let said = 0;
    const done = (): boolean => {
      const made = posts(installation).length;
      if (made >= said + many / 10) say(`${(said = made)} of ${many} pairs after ${Math.round((Date.now() - began) / 1000)} s`);
      return made >= installation.pairs;
    };
    await until({ what: `the first sync of ${many}`, test: done, withinMs: Number.POSITIVE_INFINITY, everyMs: 1000 });
    const at = posts(installation);
    await sleep(15_000);
    note({
      name: `first sync of ${many}`,
      value: many / ((Math.max(...at) - Math.min(...at)) / 1000),
      unit: 'pairs/s',
      target: 'stated',
      met: true,
    });
    note({ name: `worker memory with ${many} open pairs`, value: rss(), unit: 'MB', target: 'under 350', met: rss() < 350 });
    await installation.close();
  } finally {
    await stack.stop();
  }
}
