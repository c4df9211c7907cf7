import type { Connector } from '../../connectors/connector.ts';
import type { Crm } from '../../connectors/crm/readCrm.ts';
import { SYSTEMS, type Flow, type SystemName } from '../../flows/flow.ts';
import { installationNamed } from '../../flows/installation.ts';
import { systemTitle } from '../../flows/names.ts';
import type { Store } from '../../store/store.ts';
import type { Config } from '../../worker/config.ts';
import { makeConnectors } from '../../worker/connectors.ts';
import { clockOffsetInWords } from '../../worker/clockOffset.ts';
import { missingPrivileges } from '../../worker/privileges.ts';
import { profileVerdict } from '../../worker/profileVerdict.ts';
import { systemServer, whyUnusable } from '../../worker/remotes.ts';
import { checkStore, checkTemporal, worldOf } from '../../worker/world.ts';
import { failed, failures, ok, skipped, warning, type DoctorFinding, type Say } from './finding.ts';
import type { OpenTemporal } from './servers.ts';

/** One call to a system may take so long (ms). */
const PATIENCE_MS = 15_000;

/** What the doctor looks at both systems with. */
export interface SystemsGiven {
  readonly env: NodeJS.ProcessEnv;
  readonly config: Config;
  readonly crm: Crm;
  readonly flows: readonly Flow[];
  readonly store: Store | null;
  readonly temporal: OpenTemporal | null;
}

/** Both systems: one call each, what the key may do, the clock; the CRM's profile; whether all belongs together. */
export async function lookAtSystems(given: SystemsGiven, say: Say): Promise<void> {
  const { env, config, crm, flows, store, temporal } = given;
  if (!store) {
    for (const system of SYSTEMS)
      say(skipped(systemTitle(system), 'not asked: calls are counted in MongoDB, so that no quota is overrun'));
    return;
  }
  const over = new AbortController();
  try {
    const connectors = await makeConnectors({ config, store, crm, env, signal: over.signal });
    const identities: Partial<Record<SystemName, string>> = {};
    for (const system of SYSTEMS) {
      const identity = await lookAtSystem(connectors[system], crm, { flows, say });
      if (identity !== null) identities[system] = identity;
    }
    say(await profileFinding(crm, { store, flows }));
    const { powerOffice, crm: crmIdentity } = identities;
    if (powerOffice === undefined || crmIdentity === undefined) return;
    const world = worldOf(installationNamed(config.TANDEM_INSTALLATION), { powerOffice, crm: crmIdentity });
    await checkStore(store, world);
    if (temporal) await checkTemporal(temporal.client, world);
    say(ok('world', 'systems, database and namespace belong together'));
  } catch (error) {
    failures('world', error).forEach(say);
  } finally {
    over.abort();
  }
}

async function lookAtSystem(
  connector: Connector,
  crm: Crm,
  { flows, say }: { readonly flows: readonly Flow[]; readonly say: Say },
): Promise<string | null> {
  const title = systemTitle(connector.name);
  try {
    const { identity, privileges } = await connector.check(AbortSignal.timeout(PATIENCE_MS));
    say(ok(title, `${title} answers and takes the key: ${identity}`));
    if (privileges && connector.name === 'powerOffice') {
      const lacks = missingPrivileges(flows, privileges);
      if (lacks.length === 0) say(ok('privileges', 'the integration may do all that the flows need'));
      for (const sentence of lacks)
        say(failed('privileges', `${title}: ${sentence}`, 'give the integration that privilege in the developer portal'));
    }
    const apart = clockOffsetInWords(connector);
    say(
      apart === null
        ? ok('clock', `${title}'s clock is close to ours`)
        : warning('clock', apart, 'let one of them be set (NTP); Tandem reckons with it meanwhile'),
    );
    return identity;
  } catch (error) {
    failures(title, whyUnusable(systemServer(connector, crm), error)).forEach(say);
    return null;
  }
}

async function profileFinding(
  crm: Crm,
  given: { readonly store: Store; readonly flows: readonly Flow[] },
): Promise<DoctorFinding> {
  const verdict = await profileVerdict(crm, given);
  switch (verdict.state) {
    case 'checked':
      return ok('profile', verdict.sentence);
    case 'refuted':
      return failed('profile', verdict.sentence, 'mend the profile and check it again');
    case 'unchecked':
      return warning('profile', verdict.sentence, 'run `npx tandem profile check` before anything that matters is synced');
  }
}
