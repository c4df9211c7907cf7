/**
 * Records a version: walks every path on a real server, its systems in memory, and keeps the histories and the code of
 * the workflows. `record.ts v0.2.0`; `--code FILE` walks them with workflow code that was kept earlier, `--only NAME`
 * a single one.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { build } from 'esbuild';
import { WORKFLOWS } from '../../flows/names.ts';
import { freePort } from '../../stack/process.ts';
import { logIn, startTemporal } from '../../stack/servers.ts';
import type { link } from '../../workflows/link.ts';
import { begin } from '../workflows/begin.ts';
import { RULES } from '../workflows/links.ts';
import { Stand, standActivities } from '../workflows/stand.ts';
import { PATHS } from './paths.ts';
import { folderOf } from './replay.ts';
import { Walker, type Path } from './walker.ts';

const { History } = proto.temporal.api.history.v1;
const WORKFLOW_FILE = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));

/** Writes the workflows as one file. Temporal's own packages stay outside, so that it goes on fitting the newest of them. */
async function keepCode(version: string, entry: string): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile: join(folderOf(version), 'workflows.js'),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    external: ['@temporalio/*'],
  });
}

class Recorder {
  readonly #version: string;
  readonly #client: Client;
  readonly #stands: Map<string, Stand>;

  constructor(recorder: { version: string; client: Client; stands: Map<string, Stand> }) {
    this.#version = recorder.version;
    this.#client = recorder.client;
    this.#stands = recorder.stands;
  }

  /** Keeps the first run of a workflow, and the last where it rolled over. */
  async #keep(name: string, handle: WorkflowHandle): Promise<void> {
    const first = 'firstExecutionRunId' in handle ? (handle.firstExecutionRunId as string) : undefined;
    const { runId } = await this.#client.workflow.getHandle(handle.workflowId).describe();
    const runs = first === undefined || runId === first ? [runId] : [first, runId];
    for (const [n, run] of runs.entries()) {
      const history = await this.#client.workflow.getHandle(handle.workflowId, run).fetchHistory();
      writeFileSync(
        join(folderOf(this.#version), `${name}${n === 0 ? '' : '-rolled-over'}.history`),
        History.encode(history).finish(),
      );
    }
  }

  async walk(name: string, { rules, prepare, walk }: Path): Promise<void> {
    const workflowId = `link:f:${name}`;
    const stand = new Stand();
    prepare?.(stand);
    this.#stands.set(workflowId, stand);
    const state = begin({
      rules: { ...RULES, ...rules },
      sourceId: name,
      seen: stand.shown('source'),
      now: Date.now(),
    });
    const handle = await this.#client.workflow.start<typeof link>(WORKFLOWS.link, { workflowId, taskQueue: 'q', args: [state] });
    if (stand.next.createRecord === undefined) await handle.executeUpdate('settled');
    await walk(new Walker({ handle, stand, id: name }));
    await this.#keep(name, handle);
  }

  async feed(): Promise<void> {
    const handle = await this.#client.workflow.start(WORKFLOWS.feed, {
      workflowId: 'feed:crm:Contact',
      taskQueue: 'q',
      args: [{ system: 'crm', type: 'Contact', takeoverSeconds: 60 }],
    });
    while ((await this.#client.workflow.getHandle(handle.workflowId).describe()).runId === handle.firstExecutionRunId)
      await new Promise((done) => setTimeout(done, 50));
    await this.#keep('feed', handle);
  }
}

async function record({ version, code, only }: { version: string; code: string; only: string | undefined }): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-record-'));
  const server = await startTemporal({
    port: await freePort(),
    uiPort: await freePort(),
    file: null,
    log: logIn(folder, 'temporal'),
  });
  const connection = await NativeConnection.connect({ address: server.address });
  const client = new Client({ connection: await Connection.connect({ address: server.address }) });
  const stands = new Map<string, Stand>();
  let looks = 0;
  const worker = await Worker.create({
    connection,
    taskQueue: 'q',
    workflowsPath: code,
    activities: {
      ...standActivities((id) => stands.get(id) as Stand),
      // The first watcher hands over at once, the next one watches on.
      watchFeed: () => (looks++ === 0 ? Promise.resolve() : new Promise<void>((done) => setTimeout(done, 5000))),
    },
  });
  const running = worker.run();
  const recorder = new Recorder({ version, client, stands });
  const failed: string[] = [];
  const walks = [
    ...Object.entries(PATHS).map(([name, path]) => [name, () => recorder.walk(name, path)] as const),
    ['feed', () => recorder.feed()] as const,
  ].filter(([name]) => only === undefined || name === only);
  await Promise.all(
    walks.map(([name, walk]) => walk().catch((error: Error) => void failed.push(`${name}: ${error.message.split('\n')[0]}`))),
  );
  worker.shutdown();
  await running;
  await connection.close();
  await client.connection.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
  return failed;
}

const { values, positionals } = parseArgs({
  options: { code: { type: 'string' }, only: { type: 'string' } },
  allowPositionals: true,
});
const [version] = positionals;
if (version === undefined || !/^(v\d+\.\d+\.\d+|unreleased)$/.test(version)) {
  console.error('record: name the version, like v0.2.0, or unreleased');
  process.exit(2);
}
Runtime.install({ logger: new DefaultLogger('ERROR') });
mkdirSync(folderOf(version), { recursive: true });
// The code of what is not released is the present one.
if (values.code === undefined && version !== 'unreleased') await keepCode(version, WORKFLOW_FILE);
const failed = await record({
  version,
  code: values.code === undefined ? WORKFLOW_FILE : resolve(values.code),
  only: values.only,
});
for (const each of failed) console.error(`not recorded: ${each}`);
process.exit(failed.length > 0 ? 1 : 0);
