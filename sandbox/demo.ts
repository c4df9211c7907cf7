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
