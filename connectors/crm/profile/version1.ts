import { z } from 'zod';
import { DATA_TYPES } from '../../../flows/convert.ts';

const name = z.string().min(1);

const pagingSchema = z.discriminatedUnion('style', [
  z.strictObject({ style: z.literal('cursor'), limit: name, size: z.int().positive(), cursor: name, next: name }),
  z.strictObject({ style: z.literal('offset'), limit: name, size: z.int().positive(), offset: name }),
  z.strictObject({ style: z.literal('page'), limit: name, size: z.int().positive(), page: name, first: z.int().default(1) }),
]);

/** The first form of a profile, which names no version. It is read as version 2 says the same. */
export const firstFormSchema = z.strictObject({
  name,
  basePath: z.string().default(''),
  auth: z.strictObject({ header: name.default('Authorization'), scheme: z.string().default('Bearer') }).prefault({}),
  types: z.record(
    name,
    z.strictObject({
      path: name.startsWith('/'),
      fields: z.array(
        z.strictObject({
          name,
          type: z.enum(DATA_TYPES).default('string'),
          writable: z.boolean().default(true),
          maxLength: z.int().positive().optional(),
          refers: name.optional(),
        }),
      ),
      lists: z.array(name).default([]),
    }),
  ),
  record: z
    .strictObject({
      id: name.default('id'),
      changed: name.default('updatedAt'),
      created: name.optional(),
      version: name.optional(),
      externalId: name.optional(),
      envelope: name.optional(),
      values: name.optional(),
    })
    .prefault({}),
  list: z.strictObject({
    items: name.optional(),
    paging: pagingSchema,
    changes: z.strictObject({ since: name, inclusive: z.boolean(), sorted: z.boolean() }).optional(),
    externalId: name.optional(),
  }),
  ifMatch: z.enum(['version', 'header']).optional(),
  idempotencyKey: name.optional(),
  update: z
    .strictObject({
      method: z.enum(['PATCH', 'PUT', 'POST']).default('PATCH'),
      contentType: name.default('application/merge-patch+json'),
      style: z.enum(['merge', 'replace']).default('merge'),
    })
    .prefault({}),
  lagMs: z.int().nonnegative().default(500),
});

/** A profile of the first form in the words of version 2, not yet checked. */
export function fromFirstForm(old: z.infer<typeof firstFormSchema>): object {
  const { list, update, ifMatch, idempotencyKey } = old;
  const { envelope, ...record } = old.record;
  const { paging } = list;
  const turn =
    paging.style === 'cursor'
      ? { [paging.cursor]: '{cursor}' }
      : paging.style === 'offset'
        ? { [paging.offset]: '{offset}' }
        : { [paging.page]: '{page}' };
  const body = envelope === undefined ? '{values}' : { [envelope]: '{values}' };
  const out = envelope === undefined ? {} : { out: envelope };
  return {
    version: 2,
    name: old.name,
    basePath: old.basePath.replace(/\/+$/, ''),
    auth: { kind: 'header', ...old.auth },
    record: { ...record, uniqueExternalId: true },
    stamps: { lagMs: old.lagMs, inclusive: list.changes?.inclusive ?? true, sorted: list.changes?.sorted ? 'yes' : 'no' },
    paging: {
      style: paging.style,
      size: paging.size,
      ...(paging.style === 'cursor' ? { next: paging.next } : {}),
      ...(paging.style === 'page' ? { first: paging.first } : {}),
    },
    condition: ifMatch === undefined ? 'none' : { header: 'If-Match', value: ifMatch === 'version' ? '"{version}"' : '{etag}' },
    operations: {
      list: {
        path: '{path}',
        query: { [paging.limit]: '{size}', ...turn },
        ...(list.items === undefined ? {} : { items: list.items }),
      },
      ...(list.changes ? { changes: { query: { [list.changes.since]: '{since}' } } } : {}),
      ...(list.externalId === undefined || record.externalId === undefined
        ? {}
        : { find: { query: { [list.externalId]: '{externalId}' } } }),
      read: { path: '{path}/{id}', ...out },
      create: {
        path: '{path}',
        body,
        ...out,
        ...(idempotencyKey === undefined ? {} : { headers: { [idempotencyKey]: '{idempotencyKey}' } }),
      },
      update: { path: '{path}/{id}', body, ...out, ...update },
      delete: { path: '{path}/{id}' },
    },
    types: old.types,
  };
}
