import { profileSchema, type Profile } from './schema.ts';

/** The profile that is built in. */
export const DEFAULT_PROFILE: Profile = profileSchema.parse({
  version: 2,
  name: 'default',
  types: {
    Contact: {
      path: '/contacts',
      fields: [{ name: 'givenName' }, { name: 'familyName' }, { name: 'email' }, { name: 'phone' }, { name: 'title' }],
    },
    Company: { path: '/companies', fields: [{ name: 'name' }] },
    Activity: { path: '/activities', fields: [{ name: 'subject' }, { name: 'ownerId' }, { name: 'startsAt' }] },
  },
  record: { created: 'createdAt', version: 'version', externalId: 'externalId', uniqueExternalId: true },
  stamps: { inclusive: true, sorted: 'yes' },
  paging: { style: 'cursor', size: 200, next: 'nextCursor' },
  condition: { header: 'If-Match', value: '"{version}"' },
  operations: {
    list: { path: '{path}', query: { limit: '{size}', cursor: '{cursor}' }, items: 'items' },
    changes: { query: { updatedSince: '{since}' } },
    find: { query: { externalId: '{externalId}' } },
    read: { path: '{path}/{id}' },
    create: { path: '{path}', headers: { 'Idempotency-Key': '{idempotencyKey}' } },
    update: { path: '{path}/{id}', contentType: 'application/merge-patch+json' },
    delete: { path: '{path}/{id}' },
  },
});
