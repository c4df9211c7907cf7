import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { suggest } from '../flows/validate.ts';
import { TandemError } from '../flows/tandemError.ts';
import { step } from '../client/progress.ts';
import { readCrm } from '../connectors/crm/readCrm.ts';
import type { RealCrm } from './crmServer.ts';
import { DATA, type StackFile } from './file.ts';
import { fetchCrm, REAL_CRMS, type RealCrmName } from './realCrm.ts';
import { logIn } from './servers.ts';

const STAND_IN = 'stand-in';

/** A CRM of one's own that runs already: its address. */
export type OwnCrm = `http://${string}` | `https://${string}`;
export const isOwnCrm = (crm: string | undefined): crm is OwnCrm => /^https?:\/\//.test(crm ?? '');

/** The CRM of `--crm`, or of the start whose data are kept; undefined for the stand-in. Throws TandemError. */
export function chosenCrm(asked: string | undefined, kept: StackFile | null): RealCrmName | OwnCrm | undefined {
  const known = (name: string | undefined): RealCrmName | OwnCrm | undefined =>
    isOwnCrm(name) ? name : REAL_CRMS.find((each) => each === name);
  const name = known(asked);
  if (asked !== undefined && asked !== STAND_IN && name === undefined)
    throw new TandemError(
      `--crm ${asked}: there is no such CRM: ${suggest(asked, [STAND_IN, ...REAL_CRMS])}; one of your own is named by its address, http://…`,
    );
  if (!kept) return name;
  const before = known(kept.crm);
  if (asked !== undefined && name !== before)
    throw new TandemError({
      what: `what .tandem/data keeps was synced with ${before ?? 'the stand-in'}, not with ${name ?? 'the stand-in'}`,
      next: `begin anew with \`npm start -- --fresh --crm ${asked}\``,
    });
  return before;
}

/**
 * The environment of a CRM of one's own: its keys stay in the shell's, and its profile is the one that is named there.
 * Throws TandemError where one is missing.
 */
export async function ownCrmEnv(url: OwnCrm, withWorker: boolean): Promise<Record<string, string>> {
  // Without a worker there may be no profile yet.
  const lacking = withWorker ? (await readCrm(process.env['CRM_PROFILE'])).missing(process.env) : [];
  if (lacking.length > 0) throw new TandemError(lacking, { kind: 'configuration' });
  return { CRM_URL: url };
}

/** Fetches and starts a real CRM on its port; its data lie beside those of the other servers. */
export function bringUpCrm(
  name: RealCrmName,
  port: number,
  started: (child: ChildProcess, crm: RealCrm) => void,
): Promise<unknown> {
  return step(
    name,
    async (say) => {
      say(
        name === 'directus'
          ? 'fetching Directus, where it is not there yet (500 MB, minutes)'
          : `fetching ${name}, where it is not there yet`,
      );
      return (await fetchCrm(name))({ port, folder: join(DATA, name), log: logIn(DATA, name) });
    },
    (crm) => {
      started(crm.child, crm);
      return `${name} at ${crm.address}`;
    },
  );
}

/** Where a person looks at the CRM. */
export const screenOf = (name: RealCrmName, { screen }: RealCrm): string =>
  `${name.padEnd(25)} ${screen.url} (${screen.user}, ${screen.password})`;
