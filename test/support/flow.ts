import type { Flow } from '../../flows/flow.ts';

/** A flow without properties, as it is once it was read. */
export const SMALL_FLOW: Flow = {
  name: 'f',
  source: { system: 'powerOffice', type: 'ContactPerson', scope: [] },
  target: { system: 'crm', type: 'Contact', scope: [] },
  relation: 'create',
  match: [],
  connected: [],
  properties: [],
  policy: 'latest',
  onSourceDeleted: 'keep',
  onTargetDeleted: 'keep',
  create: {},
};

/** The same with one property, which goes both ways. */
export const ONE_NAME_FLOW: Flow = {
  ...SMALL_FLOW,
  properties: [{ source: 'FirstName', target: 'givenName', type: 'string', direction: 'both', when: [] }],
};
