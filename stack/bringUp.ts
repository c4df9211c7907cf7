import type { ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isProfileName } from '../connectors/crm/profile/shipped.ts';
import { step } from '../client/progress.ts';
import { bringUpCrm, isOwnCrm, type OwnCrm } from './chosenCrm.ts';
import type { RealCrm } from './crmServer.ts';
import { DATA, type StackFile } from './file.ts';
import { startChild } from './process.ts';
import type { RealCrmName } from './realCrm.ts';
import { logIn, startMongo, startTemporal } from './servers.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The local stack as it comes up. */
export interface LocalStack {
  readonly ports: StackFile['ports'];
  /** The address of each server. */
  readonly at: Readonly<Record<keyof StackFile['ports'], string>>;
  /** The real CRM in place of the stand-in; one of somebody's own runs already. */
  readonly chosen: RealCrmName | OwnCrm | undefined;
  real?: RealCrm;
  /** Under which environment worker and commands reach it. */
  env: Record<string, string>;
  /** Takes a child process in: it is noted, and ended with the stack. */
  readonly keep: (name: string, child: ChildProcess) => void;
}

/** What a person has set of the environment; it goes before what the stack would set. */
export function ownEnv(): Record<string, string> {
  const own = ['MONGODB_URI', 'TANDEM_FLOWS', 'TANDEM_BINDINGS', 'CRM_PROFILE'].flatMap((name) => {
    const value = process.env[name];
    if (!value) return [];
    const asIs = name === 'MONGODB_URI' || (name === 'CRM_PROFILE' && isProfileName(value));
    return [[name, asIs ? value : resolve(value)]];
  });
  return Object.fromEntries(own) as Record<string, string>;
}

/** Brings up all servers at once, those apart that the environment names. Rejects with the first that does not come up. */
export async function bringUp(stack: LocalStack): Promise<void> {
  const { at, chosen, ports, keep } = stack;
  const coming = [
    ...(process.env['TEMPORAL_ADDRESS'] === undefined ? [bringUpTemporal(stack)] : []),
    ...(process.env['MONGODB_URI'] === undefined ? [bringUpMongo(stack)] : []),
    step(
      'stand-ins',
      () => startSandbox(stack),
      () =>
        chosen === undefined
          ? `stand-ins: PowerOffice Go at ${at.powerOffice}, CRM at ${at.crm}`
          : `stand-in: PowerOffice Go at ${at.powerOffice}${isOwnCrm(chosen) ? `; CRM at ${chosen}` : ''}`,
    ),
    ...(chosen === undefined || isOwnCrm(chosen)
      ? []
      : [
          bringUpCrm(chosen, ports.crm, (child, crm) => {
            stack.real = crm;
            stack.env = { ...stack.env, ...crm.env, ...ownEnv() };
            keep(chosen, child);
          }),
        ]),
  ];
  for (const result of await Promise.allSettled(coming)) if (result.status === 'rejected') throw result.reason;
}

function bringUpTemporal({ ports, at, keep }: LocalStack): Promise<unknown> {
  const log = logIn(DATA, 'temporal');
  return step(
    'Temporal dev server',
    (say) => startTemporal({ port: ports.temporal, uiPort: ports.ui, file: join(DATA, 'temporal.db'), log, say }),
    (server) => {
      keep('the Temporal server', server.child);
      return `Temporal dev server at ${server.address}, Web UI at ${at.ui}`;
    },
  );
}

function bringUpMongo({ ports, keep }: LocalStack): Promise<unknown> {
  return step(
    'MongoDB server',
    (say) => startMongo({ port: ports.mongo, folder: join(DATA, 'mongo'), log: logIn(DATA, 'mongo'), say }),
    (server) => {
      keep('the MongoDB server', server.child);
      return `MongoDB-protocol server at ${server.address}`;
    },
  );
}

async function startSandbox({ ports, chosen, keep }: LocalStack): Promise<void> {
  const withCrm = chosen === undefined;
  const child = startChild({
    command: process.execPath,
    args: [
      '--import',
      'tsx/esm',
      join(ROOT, 'stack/standIns.ts'),
      join(DATA, 'sandbox'),
      String(ports.powerOffice),
      ...(withCrm ? [String(ports.crm)] : []),
    ],
    env: process.env,
    log: logIn(DATA, 'sandbox'),
  });
  keep('the stand-ins', child);
  for (let tries = 0; ; tries++) {
    try {
      await Promise.all(
        [ports.powerOffice, ...(withCrm ? [ports.crm] : [])].map((port) => fetch(`http://127.0.0.1:${port}/_sandbox/types`)),
      );
      return;
    } catch (error) {
      if (tries > 300 || child.exitCode !== null)
        throw new Error(`the stand-ins did not start; see ${logIn(DATA, 'sandbox')}`, { cause: error });
      await sleep(100);
    }
  }
}
