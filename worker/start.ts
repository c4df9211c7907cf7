import type { Logger } from 'pino';
import type { Crm } from '../connectors/crm/readCrm.ts';
import type { Flow } from '../flows/flow.ts';
import { installationNamed, type Installation } from '../flows/installation.ts';
import { flowsHash, readPlan } from '../flows/plan.ts';
import { TandemError } from '../flows/tandemError.ts';
import type { Config } from './config.ts';
import { readAll } from './readAll.ts';
import { refusedInWords } from './readFlows.ts';

/** What a worker starts with, before it has asked anybody. */
export interface Start {
  readonly env: NodeJS.ProcessEnv;
  readonly config: Config;
  readonly installation: Installation;
  readonly crm: Crm;
  readonly flows: readonly Flow[];
  /** What this start keeps to, and where it stands. */
  readonly plan: Awaited<ReturnType<typeof readPlan>> | null;
  readonly planPath: string | undefined;
}

/** Reads configuration, flows and plan; sections of a document that do not run are told. Throws TandemError. */
export async function readStart(env: NodeJS.ProcessEnv, planPath: string | undefined, log: Logger): Promise<Start> {
  const { config, crm, flows, refused } = await readAll(env);
  for (const sentence of refusedInWords(env['TANDEM_FLOWS'] ?? '', refused))
    log.error({ event: 'refused', why: sentence }, `a flow of the document does not run: ${sentence}`);
  const plan = planPath === undefined ? null : await readPlan(planPath);
  if (plan && plan.flows !== flowsHash(flows))
    throw new TandemError({
      where: '--apply-plan',
      what: `the plan ${planPath} was made for other flows`,
      next: 'make it anew with `tandem plan`',
    });
  return { env, config, installation: installationNamed(config.TANDEM_INSTALLATION), crm, flows, plan, planPath };
}
