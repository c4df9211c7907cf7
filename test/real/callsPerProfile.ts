/** Calls to a CRM for a record that is made, for a change that is written, and for a look that finds nothing new. */
export interface CallsPerProfile {
  readonly create: number;
  readonly change: number;
  readonly look: number;
}

/** As measured by test/real/scenario.ts on the servers themselves; the table in docs/crm-profile.md says the same. */
export const CALLS: Readonly<Record<string, CallsPerProfile>> = {
  default: { create: 1, change: 1, look: 1 },
  directus: { create: 1, change: 2, look: 1 },
  pocketbase: { create: 1, change: 2, look: 1 },
  cap: { create: 1, change: 1, look: 1 },
};
