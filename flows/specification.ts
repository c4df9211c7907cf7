import type { z } from 'zod';
import type { flowsFileSchema } from './flow.ts';

/** The three flows of the specification; what runs unless TANDEM_FLOWS names another file. */
export const SPECIFICATION: z.input<typeof flowsFileSchema> = {
  flows: [
    {
      name: 'product-company',
      description: 'Every product gets a company; the pair is linked and watched, no value is copied.',
      source: { system: 'powerOffice', type: 'Product' },
      target: { system: 'crm', type: 'Company' },
    },
    {
      name: 'contactperson-contact',
      description: 'Every contact person gets a contact; then names follow both ways.',
      source: { system: 'powerOffice', type: 'ContactPerson' },
      target: { system: 'crm', type: 'Contact' },
      properties: [
        { source: 'firstName', target: 'givenName', type: 'string' },
        { source: 'lastName', target: 'familyName', type: 'string' },
      ],
    },
    {
      name: 'supplierperson-contact',
      description: 'Every supplier that is a person gets a contact; then names follow both ways.',
      source: { system: 'powerOffice', type: 'Supplier', scope: [{ property: 'IsPerson', equals: true }] },
      target: { system: 'crm', type: 'Contact' },
      properties: [
        { source: 'FirstName', target: 'givenName', type: 'string' },
        { source: 'LastName', target: 'familyName', type: 'string' },
      ],
    },
  ],
};
