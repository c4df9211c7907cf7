import { z } from 'zod';
import { DATA_TYPES } from '../../flows/convert.ts';

const name = z.string().min(1);

const fieldSchema = z.strictObject({
  name,
  type: z.enum(DATA_TYPES).default('string'),
  writable: z.boolean().default(true),
  maxLength: z.int().positive().optional(),
  /** The type whose id this field holds. */
  refers: name.optional(),
});

const pagingSchema = z.discriminatedUnion('style', [
  z.strictObject({ style: z.literal('cursor'), limit: name, size: z.int().positive(), cursor: name, next: name }),
  z.strictObject({ style: z.literal('offset'), limit: name, size: z.int().positive(), offset: name }),
  z.strictObject({ style: z.literal('page'), limit: name, size: z.int().positive(), page: name, first: z.int().default(1) }),
]);

/** A CRM as data. Everything below `features` that a CRM lacks is left out; Tandem then does without it. See docs/crm-profile.md. */
export const profileSchema = z.strictObject({
  name,
  /** Put before every path, after the base address. */
  basePath: z.string().default(''),
  auth: z.strictObject({ header: name.default('Authorization'), scheme: z.string().default('Bearer') }).prefault({}),
  types: z
    .record(
      name,
      z.strictObject({
        path: name.startsWith('/'),
        fields: z.array(fieldSchema),
        /** Lists of objects whose elements may be mapped one by one. */
        lists: z.array(name).default([]),
      }),
    )
    .refine((types) => Object.keys(types).length > 0, 'at least one type'),
  record: z
    .strictObject({
      id: name.default('id'),
      /** The last-changed stamp. */
      changed: name.default('updatedAt'),
      /** The creation stamp: where it equals the last-changed stamp, nobody has edited the record. */
      created: name.optional(),
      /** A number that grows by one with each change. */
      version: name.optional(),
      externalId: name.optional(),
      /** Where the record stands in an answer of one record, and in what is sent. */
      envelope: name.optional(),
      /** Below which key the flow's properties stand. */
      values: name.optional(),
    })
    .prefault({}),
  list: z.strictObject({
    /** Where the records stand in a list's answer; the answer itself where left out. */
    items: name.optional(),
    paging: pagingSchema,
    /** The change filter, and whether the list is sorted by stamp. */
    changes: z.strictObject({ since: name, inclusive: z.boolean(), sorted: z.boolean() }).optional(),
    /** The filter by external id. */
    externalId: name.optional(),
  }),
  /** `version`: the ETag is the quoted version; `header`: it is read from single records alone. */
  ifMatch: z.enum(['version', 'header']).optional(),
  idempotencyKey: name.optional(),
  update: z
    .strictObject({
      method: z.enum(['PATCH', 'PUT', 'POST']).default('PATCH'),
      contentType: name.default('application/merge-patch+json'),
      /** `merge`: what is sent is changed, the rest stays; `replace`: the whole record is sent back as read. */
      style: z.enum(['merge', 'replace']).default('merge'),
    })
    .prefault({}),
  /** How long a write may stay invisible to reads (ms). */
  lagMs: z.int().nonnegative().default(500),
});

export type Profile = z.infer<typeof profileSchema>;

/** The profile that is built in. */
export const DEFAULT_PROFILE: Profile = profileSchema.parse({
  name: 'default',
  types: {
    Contact: {
      path: '/contacts',
      fields: [{ name: 'givenName' }, { name: 'familyName' }, { name: 'email' }, { name: 'phone' }, { name: 'title' }],
    },
    Company: { path: '/companies', fields: [{ name: 'name' }] },
    Activity: { path: '/activities', fields: [{ name: 'subject' }, { name: 'ownerId' }, { name: 'startsAt' }] },
  },
  record: { created: 'createdAt', version: 'version', externalId: 'externalId' },
  list: {
    items: 'items',
    paging: { style: 'cursor', limit: 'limit', size: 200, cursor: 'cursor', next: 'nextCursor' },
    changes: { since: 'updatedSince', inclusive: true, sorted: true },
    externalId: 'externalId',
  },
  ifMatch: 'version',
  idempotencyKey: 'Idempotency-Key',
});
