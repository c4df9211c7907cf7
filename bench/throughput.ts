import { setTimeout as sleep } from 'node:timers/promises';
import { mostInASecond } from './figures.ts';
import { note } from './report.ts';
import { until, type Installation } from './stack.ts';

/** How much of PowerOffice's limit two workers use together, and that they never go beyond it. */
export async function measureThroughput(installation: Installation, edits: number): Promise<void> {
  const { world, store } = installation;
  await installation.restart(2, { POWEROFFICE_REQUESTS_PER_SECOND: '10', TANDEM_POLL_SECONDS: '3' });
  await until({
    what: 'two workers',
    test: () => installation.workers.every((worker) => worker.lines.some((line) => line.includes('the worker runs'))),
  });
  await sleep(6000);
  const links = await store.links.list({ flow: 'contactperson-contact' }, { limit: edits });
  // The brake holds back what gives very many records one value.
  for (const [i, link] of links.entries()) world.crm.desk.edit('Contact', link.targetId ?? '', { familyName: `Gjennom${i}` });
  const calls = (): { at: number; method: string }[] =>
    world.powerOffice.disturbance.calls.filter((call) => call.path.startsWith('/v2'));
  const already = calls().filter((call) => call.method === 'PATCH').length;
  await until({
    what: 'all writes',
    test: () => calls().filter((call) => call.method === 'PATCH').length >= already + links.length,
  });
  const patches = calls()
    .filter((call) => call.method === 'PATCH')
    .slice(already)
    .map((call) => call.at);
  const [from, to] = [Math.min(...patches), Math.max(...patches)];
  const inside = calls()
    .filter((call) => call.at >= from && call.at <= to)
    .map((call) => call.at);
  const seconds = (to - from) / 1000;
  note({
    name: 'calls used a second towards PowerOffice, limit 10, two workers',
    value: (inside.length - 1) / seconds,
    unit: 'calls/s',
    target: 'at least 9',
    met: (inside.length - 1) / seconds >= 9,
  });
  note({
    name: 'changes among them',
    value: (patches.length - 1) / seconds,
    unit: 'changes/s',
    target: 'at least 8.5',
    met: (patches.length - 1) / seconds >= 8.5,
  });
  note({
    name: 'most calls in any second',
    value: mostInASecond(calls().map((call) => call.at)),
    unit: 'calls',
    target: 'never 11',
    met: mostInASecond(calls().map((call) => call.at)) <= 10,
  });
}
