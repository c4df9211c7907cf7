import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Config } from './config.ts';

/** Which version of a Temporal worker deployment a worker is. */
export interface DeploymentVersion {
  readonly deploymentName: string;
  readonly buildId: string;
}

/** The version that the environment names; null for a worker without versioning. */
export const deploymentOf = ({ TEMPORAL_DEPLOYMENT_NAME, TEMPORAL_WORKER_BUILD_ID }: Config): DeploymentVersion | null =>
  TEMPORAL_DEPLOYMENT_NAME === undefined || TEMPORAL_WORKER_BUILD_ID === undefined
    ? null
    : { deploymentName: TEMPORAL_DEPLOYMENT_NAME, buildId: TEMPORAL_WORKER_BUILD_ID };

/** Links live longer than any version, so they go over to the current one; `patched()` keeps their histories going. */
export const versioned = (version: DeploymentVersion | null): Pick<WorkerOptions, 'workerDeploymentOptions'> =>
  version === null
    ? {}
    : { workerDeploymentOptions: { useWorkerVersioning: true, version, defaultVersioningBehavior: 'AUTO_UPGRADE' } };

const LOOK_MS = 10_000;
const SAY_AGAIN_MS = 600_000;

/** A worker whose version is not current gets no task: says so, and says when it has become current. */
export async function tellUntilCurrent(
  { workflowService, options: { namespace } }: Client,
  { version, log, signal, lookMs = LOOK_MS }: { version: DeploymentVersion; log: Logger; signal: AbortSignal; lookMs?: number },
): Promise<void> {
  const { deploymentName, buildId } = version;
  const named = { event: 'version', deployment: deploymentName, build: buildId };
  let current: string | null = null;
  let saidAt = -Infinity;
  while (!signal.aborted) {
    const before: string | null = current;
    try {
      const { workerDeploymentInfo } = await workflowService.describeWorkerDeployment({ namespace, deploymentName });
      const { currentDeploymentVersion, rampingDeploymentVersion } = workerDeploymentInfo?.routingConfig ?? {};
      current = currentDeploymentVersion?.buildId ?? '';
      if (current === buildId) {
        if (before !== current) log.info(named, `build ${buildId} of ${deploymentName} is current: it gets all tasks`);
      } else if (rampingDeploymentVersion?.buildId === buildId) {
        if (before !== current)
          log.info(named, `build ${buildId} of ${deploymentName} is being ramped up: it gets some of the tasks`);
      } else if (before !== current || Date.now() > saidAt + SAY_AGAIN_MS) {
        saidAt = Date.now();
        const other = current === '' ? 'no build is' : `build ${current} is`;
        const command = `temporal worker deployment set-current-version --deployment-name ${deploymentName} --build-id ${buildId}`;
        log.warn(
          named,
          `build ${buildId} of ${deploymentName} is not current, ${other}: this worker gets no task until somebody runs \`${command}\``,
        );
      }
    } catch {
      // The server knows the deployment once the worker has asked it for a task; an outage is told elsewhere.
    }
    await sleep(lookMs, undefined, { signal }).catch(() => {});
  }
}
