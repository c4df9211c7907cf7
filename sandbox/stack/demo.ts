/** Keys of the local stack's stand-ins; they open nothing else. */
export const DEMO_KEYS = {
  applicationKey: 'demo-application',
  clientKey: 'demo-client',
  subscriptionKey: 'demo-subscription',
  crmToken: 'demo-crm-token',
} as const;

/** How much the demo's PowerOffice holds. */
export const DEMO_SIZE = {
  products: 40,
  contactPersons: 60,
  suppliers: 40,
  supplierPersons: 20,
  customers: 12,
  employees: 5,
  projects: 8,
  activities: 6,
} as const;

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
