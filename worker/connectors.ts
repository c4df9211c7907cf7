import { createHash } from 'node:crypto';
import type { Crm } from '../connectors/crm/readCrm.ts';
import { powerOffice, type PatchTest } from '../connectors/powerOffice/connector.ts';
import type { Connector } from '../connectors/connector.ts';
import type { Store } from '../store/store.ts';
import { RateLimiter } from '../connectors/rateLimiter.ts';
import type { SystemName } from '../flows/flow.ts';
import type { Config } from './config.ts';

/** Both systems of a configuration, sharing throttle and capabilities through the store. */
export async function makeConnectors({
  config,
  store,
  crm,
  env,
}: {
  readonly config: Config;
  readonly store: Store;
  readonly crm: Crm;
  readonly env: NodeJS.ProcessEnv;
}): Promise<Record<SystemName, Connector>> {
  const { profileCheck } = await store.systems.get('crm');
  const absentSeen = profileCheck?.hash === crm.hash ? (profileCheck?.absentSeen ?? []) : [];
  let test: 'unknown' | 'works' | 'missing' = (await store.systems.get('powerOffice')).test ?? 'unknown';
  const patchTest: PatchTest = {
    get: () => test,
    async settle(capability) {
      if (test === 'works' || test === capability) return;
      test = capability;
      await store.systems.set('powerOffice', { test: capability });
    },
  };
  // The throttle belongs to the subscription key; the store keeps its fingerprint, not the key.
  const key = `powerOffice:${createHash('sha256').update(config.POWEROFFICE_SUBSCRIPTION_KEY).digest('hex').slice(0, 16)}`;
  const throttle = new RateLimiter(store.slots, key, config.POWEROFFICE_REQUESTS_PER_SECOND);
  const keys = {
    url: config.POWEROFFICE_URL,
    applicationKey: config.POWEROFFICE_APPLICATION_KEY,
    clientKey: config.POWEROFFICE_CLIENT_KEY,
    subscriptionKey: config.POWEROFFICE_SUBSCRIPTION_KEY,
  };
  return {
    powerOffice: powerOffice(keys, throttle, patchTest),
    crm: await crm.connect({ url: config.CRM_URL, env, slots: store.slots, absentSeen }),
  };
}

/** Shares what is known of the systems' clocks with other workers and later runs. Stops with the returned function. */
export async function shareClocks(connectors: Record<SystemName, Connector>, store: Store): Promise<() => Promise<void>> {
  const share = async (): Promise<void> => {
    for (const system of Object.values(connectors)) {
      const { clock } = await store.systems.get(system.name);
      if (clock) system.clock.restore(clock);
      if (system.clock.estimate.by !== 'nothing' && system.clock.estimate.at !== clock?.at)
        await store.systems.set(system.name, { clock: system.clock.estimate });
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
