import type { Flow } from '../flows/flow.ts';
import { linkKey } from '../flows/names.ts';
import { filledId, filledStore } from '../test/store/filled.ts';
import { makeNamespace } from '../test/support/temporal.ts';
import { runTandem } from '../test/support/worker.ts';
import { makeWorld, workerEnv } from '../test/support/world.ts';
import { flowsOfBench } from './compare.ts';
import { quantile } from './figures.ts';
import { note, say } from './report.ts';
import { program, started, until, type Stack } from './stack.ts';

const PAIRS = 50_000;
const CALLERS = 4;
const MEASURED_MS = 6000;

/** Requests a second of a few callers, and how long the slowest hundredth took; `next` names the path for each. */
async function pace(base: string, next: () => string): Promise<{ readonly perSecond: number; readonly slow: number }> {
  const took: number[] = [];
  // What a process keeps in mind for a while is asked once before it counts.
  await (await fetch(`${base}${next()}`)).text();
  const end = performance.now() + MEASURED_MS;
  const caller = async (): Promise<void> => {
    while (performance.now() < end) {
      const began = performance.now();
      const response = await fetch(`${base}${next()}`);
      const body = await response.text();
      if (response.status !== 200) throw new Error(`${response.status} ${body}`);
      took.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return { perSecond: took.length / (MEASURED_MS / 1000), slow: quantile(took, 0.99) };
}

/** What the HTTP interface answers a second where the store holds very many pairs. */
export async function measureRequests(stack: Stack): Promise<void> {
  const uri = `${stack.mongo}/requests`;
  const flows = await flowsOfBench();
  const each = Math.ceil(PAIRS / flows.length);
  say(`putting ${PAIRS} pairs into the store`);
  await (await filledStore(uri, flows, each)).close();
  const world = await makeWorld();
  const temporal = await makeNamespace();
  const env = workerEnv(world, uri, { TEMPORAL_NAMESPACE: temporal.namespace });
  const server = runTandem(['serve', '--port', '0'], env, program());
  started(server.child, 'SIGKILL');
  const address = (): string => /at (http:\/\/[^\s",]+)/.exec(server.lines.join('\n'))?.[1] ?? '';
  await until({ what: 'the address', test: () => address() !== '', withinMs: 60_000 });
  const base = address();
  const status = await pace(base, () => '/v1/status');
  let asked = 0;
  const cursor = (flow: Flow): string => encodeURIComponent(linkKey(flow.name, filledId((asked * 997) % each)));
  const list = await pace(base, () => {
    const flow = flows[(asked += 1) % flows.length] as Flow;
    return asked % 2 === 0 ? `/v1/links?limit=50&cursor=${cursor(flow)}` : `/v1/links?flow=${flow.name}&limit=50`;
  });
  await server.stop();
  await temporal.close();
  await world.close();
  for (const [what, { perSecond, slow }, least] of [
    ['status', status, 10],
    ['list, 50 links a page', list, 10],
  ] as const)
    note({
      name: `${what}, over HTTP at ${PAIRS} pairs, ${CALLERS} callers (99th: ${slow.toFixed(0)} ms)`,
      value: perSecond,
      unit: 'requests/s',
      target: `at least ${least}`,
      met: perSecond >= least,
    });
}
