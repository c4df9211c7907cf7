import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Crm } from '../connectors/crm/readCrm.ts';
import { powerOffice, type PatchTest } from '../connectors/powerOffice/connector.ts';
import type { Connector } from '../connectors/connector.ts';
import type { Store } from '../store/store.ts';
import { RateLimiter } from '../connectors/rateLimiter.ts';
import type { SystemError } from '../connectors/systemError.ts';
import { faultInWords } from '../flows/faults.ts';
import type { SystemName } from '../flows/flow.ts';
import { systemTitle } from '../flows/names.ts';
import { reasonOf } from '../flows/reasons.ts';
import type { Config } from './config.ts';

const MISSING_BELIEVED_MS = 7 * 24 * 3600_000;

/** Both systems of a configuration, sharing throttle and capabilities through the store. */
export async function makeConnectors({
  config,
  store,
  crm,
  env,
  log,
  signal,
}: {
  readonly config: Config;
  readonly store: Store;
  readonly crm: Crm;
  readonly env: NodeJS.ProcessEnv;
  readonly log?: Logger;
  /** Aborts when the process stops. */
  readonly signal?: AbortSignal;
}): Promise<Record<SystemName, Connector>> {
  const { profileCheck } = await store.systems.get('crm');
  const absentSeen = profileCheck?.hash === crm.hash ? (profileCheck?.absentSeen ?? []) : [];
  const patchTest = await rememberedPatchTest(store);
  const sharing = {
    installation: config.TANDEM_INSTALLATION,
    warn: (sentence: string) => log?.warn({ event: 'limiter' }, sentence),
    ...(signal ? { until: signal } : {}),
  };
  const tellKey =
    (system: SystemName) =>
    (refusal: SystemError | null): void => {
      const title = systemTitle(system);
      if (!refusal) log?.info({ event: 'key', system }, `${title} takes the key again`);
      else
        log?.error(
          { event: 'key', system, status: refusal.status },
          `${faultInWords(title, 'unauthorized')}: what would call it waits, and one call tries now and then; ${reasonOf('unauthorized').advice}`,
        );
    };
  const throttle = new RateLimiter(store.slots, quotaKey(config), {
    ...sharing,
    perSecond: config.POWEROFFICE_REQUESTS_PER_SECOND,
  });
  const keys = {
    url: config.POWEROFFICE_URL,
    applicationKey: config.POWEROFFICE_APPLICATION_KEY,
    clientKey: config.POWEROFFICE_CLIENT_KEY,
    subscriptionKey: config.POWEROFFICE_SUBSCRIPTION_KEY,
    userAgent: userAgent(config.TANDEM_CONTACT),
  };
  return {
    powerOffice: powerOffice(keys, {
      throttle,
      patchTest,
      writeReferences: config.POWEROFFICE_WRITE_REFERENCES,
      tellKey: tellKey('powerOffice'),
    }),
    crm: await crm.connect({ url: config.CRM_URL, env, slots: store.slots, sharing, tellKey: tellKey('crm'), absentSeen }),
  };
}

/** The throttle belongs to the subscription key; the store keeps its fingerprint, not the key. */
const quotaKey = ({ POWEROFFICE_SUBSCRIPTION_KEY: key }: Pick<Config, 'POWEROFFICE_SUBSCRIPTION_KEY'>): string =>
  `powerOffice:${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;

/**
 * Notes what `status` tells of the systems: which limiter the calls to PowerOffice pass, and how the CRM takes a condition.
 * What PowerOffice takes is found out by its writes (`rememberedPatchTest`).
 */
export async function noteSystems(
  store: Pick<Store, 'systems'>,
  { config, crm }: { readonly config: Pick<Config, 'POWEROFFICE_SUBSCRIPTION_KEY'>; readonly crm: Pick<Connector, 'features'> },
): Promise<void> {
  await store.systems.set('powerOffice', { quota: quotaKey(config) });
  await store.systems.set('crm', { conditional: crm.features().conditional });
}

/** The provider strongly recommends an agent that names the integration and an address to write to. */
const userAgent = (contact: string | undefined): string => `Tandem${contact === undefined ? '' : ` (${contact})`}`;

/**
 * Whether PowerOffice takes JSON Patch `test`, as the store remembers it. That it does is settled by one accepted patch;
 * that it does not is believed for a week, then asked again: a refusal may have had another cause.
 */
export async function rememberedPatchTest(store: Pick<Store, 'systems'>, now: () => number = Date.now): Promise<PatchTest> {
  const known = await store.systems.get('powerOffice');
  let test: 'unknown' | 'works' | 'missing' = known.test ?? 'unknown';
  // A verdict from before it had a date is asked again at once.
  let at = known.testAt ?? 0;
  return {
    get: () => (test === 'missing' && now() - at > MISSING_BELIEVED_MS ? 'unknown' : test),
    async settle(capability) {
      if (test === 'works') return;
      test = capability;
      at = now();
      await store.systems.set('powerOffice', { test, testAt: at });
    },
  };
}

/** Shares what is known of the systems' clocks with other workers and later runs. Stops with the returned function. */
export async function shareClocks(connectors: Record<SystemName, Connector>, store: Store): Promise<() => Promise<void>> {
  const share = async (): Promise<void> => {
    for (const connector of Object.values(connectors)) {
      const { clock } = await store.systems.get(connector.name);
      if (clock) connector.clock.restore(clock);
      if (connector.clock.estimate.by !== 'nothing' && connector.clock.estimate.at !== clock?.at)
        await store.systems.set(connector.name, { clock: connector.clock.estimate });
    }
  };
  await share();
  const timer = setInterval(() => void share().catch(() => {}), 30_000);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await share().catch(() => {});
  };
}
