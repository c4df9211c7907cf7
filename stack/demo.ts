import { DEMO_KEYS } from '../sandbox/demo.ts';

/** The environment under which a worker or a command reaches the local stack. */
export function demoEnv(at: {
  temporal: string;
  ui: string;
  mongo: string;
  powerOffice: string;
  crm: string;
}): Record<string, string> {
  return {
    TEMPORAL_ADDRESS: at.temporal,
    TEMPORAL_NAMESPACE: 'default',
    TEMPORAL_UI_URL: at.ui,
    MONGODB_URI: `${at.mongo}/tandem`,
    POWEROFFICE_URL: `${at.powerOffice}/v2`,
    POWEROFFICE_APPLICATION_KEY: DEMO_KEYS.applicationKey,
    POWEROFFICE_CLIENT_KEY: DEMO_KEYS.clientKey,
    POWEROFFICE_SUBSCRIPTION_KEY: DEMO_KEYS.subscriptionKey,
    CRM_URL: at.crm,
    CRM_TOKEN: DEMO_KEYS.crmToken,
    TANDEM_POLL_SECONDS: '2',
    TANDEM_TAKEOVER_SECONDS: '5',
  };
}

/** That environment for a CRM of somebody's own, whose keys the stand-in's must not take the place of. */
export function withoutKeys(env: Record<string, string>): Record<string, string> {
  const { CRM_TOKEN: _, ...rest } = env;
  return rest;
}
