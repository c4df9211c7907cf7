import { readCrm, type Crm } from '../connectors/crm/readCrm.ts';
import { POWEROFFICE_CATALOGUE } from '../connectors/powerOffice/catalogue.ts';
import type { FlowsFile } from '../flows/flow.ts';
import { problemInWords, TandemError, type TandemProblem } from '../flows/tandemError.ts';
import { validateFlows } from '../flows/validate.ts';
import { readConfig, type Config } from './config.ts';
import { unknownPauses } from './pollSeconds.ts';
import { readFlows, type Flows } from './readFlows.ts';
import { temporalConfig } from './temporal.ts';

/** Configuration and flows, checked together, so that every problem is told at once. Throws TandemError. */
export async function readAll(env: NodeJS.ProcessEnv): Promise<{ config: Config; crm: Crm } & Flows> {
  const problems: TandemProblem[] = [];
  const noted = async <T>(read: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof TandemError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const config = await noted(() => readConfig(env));
  await noted(temporalConfig);
  const crm = await noted(() => configuredCrm(env));
  if (crm) problems.push(...crm.missing(env).map((what) => ({ what })));
  const flows = crm && (await noted(() => flowsWith(crm, env)));
  if (config && crm)
    problems.push(...unknownPauses(config.TANDEM_POLL_SECONDS, [POWEROFFICE_CATALOGUE, crm.catalogue]).map((what) => ({ what })));
  if (!config || !crm || !flows || problems.length > 0) throw new TandemError(problems, { kind: 'configuration' });
  return { config, crm, ...flows };
}

/**
 * The flows that the environment names, or `given` in its place (what a flows file holds, or where it is), checked against
 * both catalogues. Throws TandemError.
 */
export async function readConfiguredFlows(env: NodeJS.ProcessEnv, given?: string | FlowsFile): Promise<Flows> {
  const crm = await configuredCrm(env);
  if (given === undefined) return flowsWith(crm, env);
  if (typeof given === 'string') return flowsWith(crm, { ...env, TANDEM_FLOWS: given });
  const catalogues = [POWEROFFICE_CATALOGUE, crm.catalogue];
  return { flows: validateFlows(given, catalogues), refused: [], document: null, catalogues };
}

/** The problems of a file are told by the name of the variable that names it; what quotes a line of its file stays as it is. */
async function fileOf<T>(where: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    throw new TandemError(
      error.problems.map((each) => (each.quote ? each : { where, what: problemInWords(each) })),
      { kind: 'configuration' },
    );
  }
}

const configuredCrm = (env: NodeJS.ProcessEnv): Promise<Crm> => fileOf('CRM_PROFILE', readCrm(env['CRM_PROFILE'] || undefined));

function flowsWith(crm: Crm, env: NodeJS.ProcessEnv): Promise<Flows> {
  const catalogues = [POWEROFFICE_CATALOGUE, crm.catalogue];
  return fileOf('TANDEM_FLOWS', readFlows(env['TANDEM_FLOWS'] || undefined, catalogues, env['TANDEM_BINDINGS'] || undefined));
}
