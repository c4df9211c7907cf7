import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultPayloadConverter } from '@temporalio/common';
import proto from '@temporalio/proto';
import { bundleWorkflowCode, Worker, type InjectedSinks } from '@temporalio/worker';
import type { ReportSinks } from './reporting.ts';

const { History } = proto.temporal.api.history.v1;
type Recorded = ReturnType<typeof History.decode>;

const HISTORIES = fileURLToPath(new URL('.', import.meta.url));

/** The folder of a version's histories and of its workflow code. */
export const folderOf = (version: string): string => `${HISTORIES}${version}`;

/** The versions whose workflows are kept, oldest first. */
export const keptVersions = (): string[] =>
  readdirSync(HISTORIES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'unreleased')
    .map(({ name }) => name)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));

/** Recorded histories by their file's name. */
export function recorded(version = ''): ReadonlyMap<string, Recorded> {
  const root = folderOf(version);
  return new Map(
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.history'))
      .map((name) => [name.slice(0, -'.history'.length), History.decode(readFileSync(`${root}/${name}`))]),
  );
}

const SILENT = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** Bundles workflows so that a replay sees what they ask for. */
export async function bundleForReplay(
  workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules: [fileURLToPath(new URL('./reporting.ts', import.meta.url))],
    logger: SILENT as never,
  });
  return code;
}

/** The workflows of the last version, bundled: where they stand. Bundled once a run, unless two processes ask at once. */
export async function lastVersionBundle(): Promise<string> {
  const file = join(process.env['TANDEM_TEST_FOLDER'] ?? mkdtempSync(join(tmpdir(), 'tandem-last-')), 'last-version.js');
  if (existsSync(file)) return file;
  const workflowsPath = `${folderOf(keptVersions().at(-1) ?? '')}/workflows.js`;
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: SILENT as never });
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, code);
  renameSync(mine, file);
  return file;
}

interface Asked {
  readonly link?: { status?: unknown; ended?: unknown; block?: { code?: unknown } | null };
  readonly assignments?: readonly { property: unknown; value: unknown; expected: unknown }[];
  readonly [name: string]: unknown;
}

/** What an activity is to do, without what it is told besides. */
function essence(activityType: string, args: readonly unknown[]): string {
  const { link, assignments, values, chosen, side, sides, system, type } = (args[0] ?? {}) as Asked;
  const what = { values, chosen, side, sides, system, type };
  const writes = assignments?.map(({ property, value, expected }) => ({ property, value, expected }));
  const becomes = link && {
    status: link.status,
    ended: link.ended,
    ...(activityType === 'storeLink' ? { block: link.block?.code ?? null } : {}),
  };
  return `${activityType} ${JSON.stringify({ ...what, writes, becomes })}`;
}

function askedIn(history: Recorded): string[] {
  return history.events.flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled
      ? [
          essence(
            scheduled.activityType?.name ?? '',
            (scheduled.input?.payloads ?? []).map((each) => defaultPayloadConverter.fromPayload(each)),
          ),
        ]
      : [],
  );
}

/** Replays histories in bundled code; gives those that break, and how. */
export async function breaksOf(code: string, histories: ReadonlyMap<string, Recorded>): Promise<Record<string, string>> {
  const asked = new Map<string, string[]>();
  const sinks: InjectedSinks<ReportSinks> = {
    report: {
      scheduled: {
        fn: ({ workflowId }, activityType, args) =>
          void asked.set(workflowId, [...(asked.get(workflowId) ?? []), essence(activityType, args)]),
        callDuringReplay: true,
      },
    },
  };
  const broken: Record<string, string> = {};
  const all = [...histories].map(([workflowId, history]) => ({ workflowId, history }));
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: { code }, sinks }, all)) {
    const now = asked.get(workflowId) ?? [];
    const then = askedIn(histories.get(workflowId) as Recorded);
    const at = then.findIndex((each, i) => now[i] !== undefined && now[i] !== each);
    if (error) broken[workflowId] = error.message.split('\n')[0] ?? '';
    else if (at >= 0) broken[workflowId] = `asks ${now[at]} where it asked ${then[at]}`;
  }
  return broken;
}
