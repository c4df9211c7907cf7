import { setTimeout as sleep } from 'node:timers/promises';
import { forEachLimit } from '../activities/forEachLimit.ts';
import { median, spread } from './figures.ts';
import { note, say } from './report.ts';
import { contactPersons, crmWrites, install, posts, startFloor, until, type Stack } from './stack.ts';

/** So many at once in the burst. */
const EDITS = 500;

/** Edits of `EDITS` records at once, against as many signals of one activity; both have run once before it counts. */
export async function measureBurst(stack: Stack, rounds: number): Promise<void> {
  const installation = await install(stack, contactPersons(EDITS), { TANDEM_POLL_SECONDS: '2' });
  const { world, store } = installation;
  await until({ what: 'the first sync', test: () => posts(installation).length >= EDITS });
  const floor = await startFloor();
  const ids = Array.from({ length: EDITS }, (_, i) => `poked-${i}`);
  await forEachLimit(
    ids,
    async (workflowId) => void (await floor.client.workflow.start('poked', { workflowId, taskQueue: 'floor' })),
  );
  const links = await store.links.list();
  const ratios: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    await sleep(2000);
    const start = Date.now();
    await forEachLimit(ids, (id) => floor.client.workflow.getHandle(id).signal('poke'));
    const bare = (await floor.ran(EDITS)) - start;
    await sleep(2000);
    const written = crmWrites(installation).length;
    const began = Date.now();
    for (const [i, link] of links.entries())
      world.powerOffice.desk.edit('ContactPerson', link.sourceId, { FirstName: `Burst${round} ${i}` });
    await until({ what: 'all edits', test: () => crmWrites(installation).length >= written + EDITS });
    const looked =
      world.powerOffice.disturbance.calls.find((call) => call.at >= began && call.path.endsWith('/ContactPersons'))?.at ?? began;
    const ours = Math.max(...crmWrites(installation)) - looked;
    if (round > 0) ratios.push(ours / bare);
    say(`${round > 0 ? `round ${round} of ${rounds}` : 'to warm up'}: floor ${bare} ms, ${EDITS} edits ${ours} ms`);
  }
  await floor.close();
  await installation.close();
  note({
    name: `${EDITS} edits at once, against as many bare signals (spread ±${spread(ratios).toFixed(0)} %)`,
    value: median(ratios),
    unit: 'times',
    target: 'within 1.3',
    met: median(ratios) <= 1.3,
  });
}
