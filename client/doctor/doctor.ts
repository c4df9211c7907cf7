import type { Flow } from '../../flows/flow.ts';
import { TandemError } from '../../flows/tandemError.ts';
import { installationNamed } from '../../flows/installation.ts';
import { tendingTroubles } from '../../worker/unserved.ts';
import { serversOf } from '../../worker/remotes.ts';
import { temporalConfig } from '../../worker/temporal.ts';
import { readAll, readConfiguredFlows } from '../../worker/readAll.ts';
import { readStoreConfig } from '../../worker/config.ts';
import { statusReport } from '../status.ts';
import { nodeIsSupported, version } from '../version.ts';
import { failed, failures, ok, type DoctorFinding, type Say } from './finding.ts';
import { lookAtInstallation } from './installation.ts';
import { lookAtMongo, lookAtTemporal } from './servers.ts';
import { lookAtSystems } from './systems.ts';

/** What the doctor found. */
export interface Diagnosis {
  readonly version: string;
  readonly findings: readonly DoctorFinding[];
  /** 0: nothing failed; 1: something did; 2: the configuration does not stand. */
  readonly exitCode: 0 | 1 | 2;
}

/** Looks at everything on which an installation relies, and changes nothing. `say` is told each finding as it is made. */
export async function diagnose(env: NodeJS.ProcessEnv, say: Say = () => {}): Promise<Diagnosis> {
  const findings: DoctorFinding[] = [];
  const note: Say = (finding) => {
    findings.push(finding);
    say(finding);
  };
  note(
    nodeIsSupported()
      ? ok('Node', `Node ${process.versions.node}; Tandem ${version()}`)
      : failed(
          'Node',
          `Node ${process.versions.node} is not one that Tandem runs on`,
          'install 20.20 or later of 20, or 22.12 or later',
        ),
  );
  const configured = await readAll(env).catch((error: unknown) => {
    if (!(error instanceof TandemError)) throw error;
    failures('configuration', error).forEach(note);
    return null;
  });
  if (configured)
    note(ok('configuration', `${configured.flows.length} flows: ${configured.flows.map(({ name }) => name).join(', ')}`));
  const flows = configured?.flows ?? (await flowsAlone(env));
  const temporal = await lookAtTemporal(env, note);
  const store = await lookAtMongo(env, flows, note);
  try {
    if (configured) await lookAtSystems({ ...configured, env, store, temporal }, note);
    if (store && temporal && flows) {
      const { MONGODB_URI, TANDEM_INSTALLATION: installation } = readStoreConfig(env);
      const servers = serversOf(temporal.client, store, { temporal: temporalConfig(env).address, mongo: MONGODB_URI });
      const status = await statusReport(store, {
        installation,
        flows,
        refused: configured?.refused ?? [],
        servers,
        tending: () => tendingTroubles(temporal.client, installationNamed(installation)),
      });
      await lookAtInstallation({ store, status, named: [...findings] }, note);
    }
  } catch (error) {
    failures('installation', error).forEach(note);
  } finally {
    await store?.close();
    await temporal?.connection.close();
  }
  const broken = findings.some(({ state }) => state === 'failed');
  return { version: version(), findings, exitCode: configured === null ? 2 : broken ? 1 : 0 };
}

/** The flows where the rest of the configuration does not stand. */
async function flowsAlone(env: NodeJS.ProcessEnv): Promise<readonly Flow[] | null> {
  try {
    return (await readConfiguredFlows(env)).flows;
  } catch {
    return null;
  }
}
