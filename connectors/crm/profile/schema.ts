import { z } from 'zod';
import { DATA_TYPES } from '../../../flows/convert.ts';
import { PATTERN } from './pattern.ts';
import type { Template } from './template.ts';

const name = z.string().min(1);
const place = name.describe('A dotted place in an answer: data.items, errors.0.message, @odata.nextLink.');
const count = z.int().positive();
const ms = z.int().nonnegative();
const template: z.ZodType<Template> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(template), z.record(z.string(), template)]),
);
const texts = z.record(name, z.string());

const fieldSchema = z.strictObject({
  name: name.describe('The property as flows name it, and, without `at`, as records do; dotted for a nested one.'),
  at: place.optional().describe('Where it stands in a record, where that is not its name: first_name, name.first.'),
  type: z.enum(DATA_TYPES).default('string'),
  writable: z.boolean().default(true),
  maxLength: count.optional(),
  refers: name.optional().describe('The type whose id this property holds.'),
  noValue: z
    .union([z.null(), z.literal(''), z.literal(false)])
    .optional()
    .describe('How no value of this property is written.'),
});

const recordShape = {
  id: place.describe('The id; of an address the last step is it.'),
  changed: z
    .union([place.transform((path) => [path]), z.array(place).min(1)])
    .describe('The last-changed stamp; of several places the first that is not null counts.'),
  created: place.describe('The creation stamp: where it equals the last-changed stamp, nobody has edited the record.'),
  version: place.describe('A number that grows with each change.'),
  etag: place.describe('Where a record shows its own ETag; else the header of a single record is taken.'),
  externalId: place.describe('The property that carries poweroffice:<Type>:<id>.'),
  uniqueExternalId: z.boolean().describe('Whether the system itself refuses a second record with the same external id.'),
  values: place.describe('Below which key the properties stand.'),
};
const presence = {
  absent: z
    .enum(['error', 'noValue'])
    .describe(
      'What a mapped property means that an answer leaves out. noValue counts only once `tandem profile check` has seen it so.',
    ),
  noValue: z.union([z.null(), z.literal(''), z.literal(false)]).describe('How no value is written.'),
  gone: z
    .array(z.strictObject({ path: place, equals: z.union([z.string(), z.number(), z.boolean()]) }))
    .describe('A record of which one of these holds is deleted, though the system still shows it.'),
  mergedInto: place.describe('Where a record names the one that it was merged into.'),
};
const recordSchema = z.strictObject({
  id: recordShape.id.default('id'),
  changed: recordShape.changed.default(['updatedAt']),
  created: recordShape.created.optional(),
  version: recordShape.version.optional(),
  etag: recordShape.etag.optional(),
  externalId: recordShape.externalId.optional(),
  uniqueExternalId: recordShape.uniqueExternalId.default(false),
  values: recordShape.values.optional(),
  absent: presence.absent.default('error'),
  noValue: presence.noValue.default(null),
  gone: presence.gone.default([]),
  mergedInto: presence.mergedInto.optional(),
});
const recordPart = z.strictObject({ ...recordShape, ...presence }).partial();

const STAMP_FORMATS = ['iso', 'iso-blank', 'seconds', 'ms', 'odata', 'date', 'http'] as const;
const stampFormat = z.union([
  z.enum(STAMP_FORMATS),
  z
    .string()
    .regex(PATTERN, `must be ${STAMP_FORMATS.join(', ')}, or a pattern of YYYY, MM, DD, HH, mm, ss and SSS: DD.MM.YYYY HH:mm:ss`),
]);
const stampShape = {
  format: stampFormat.describe(
    'How records write stamps. odata is /Date(ms)/, http the format of a Date header; else a pattern, DD.MM.YYYY HH:mm:ss.',
  ),
  sinceFormat: stampFormat.describe('How the change filter writes them, where it differs.'),
  zone: name.describe('The zone of stamps that name none: +01:00, or Europe/Oslo.'),
  writeZone: z.boolean().describe('Whether the filter names the zone (Z).'),
  grainMs: count.describe('The grain of the change filter (ms): 1000 for whole seconds, 86400000 for days.'),
  decimals: z.int().min(0).max(7).describe('Decimals of a second in the filter.'),
  inclusive: z.boolean().describe('Whether the filter includes the instant that it names.'),
  sorted: z.enum(['yes', 'no', 'mostly']).describe('Whether changes come oldest first.'),
  lagMs: ms.describe('How long a write may stay invisible to reads.'),
  lookBackMs: ms.describe('How late a change may appear in the list of changes; each look begins so much earlier.'),
};
const stampsSchema = z.strictObject({
  format: stampShape.format.default('iso'),
  sinceFormat: stampShape.sinceFormat.optional(),
  zone: stampShape.zone.default('+00:00'),
  writeZone: stampShape.writeZone.default(true),
  grainMs: stampShape.grainMs.default(1),
  decimals: stampShape.decimals.optional(),
  inclusive: stampShape.inclusive.default(false),
  sorted: stampShape.sorted.default('no'),
  lagMs: stampShape.lagMs.default(500),
  lookBackMs: stampShape.lookBackMs.default(0),
});
const stampsPart = z.strictObject(stampShape).partial();

const pagingShape = {
  style: z
    .enum(['cursor', 'offset', 'page', 'url', 'link', 'none'])
    .describe(
      'cursor: {cursor} in path, query, header or body; url: an address in the answer; link: the Link header, rel="next".',
    ),
  size: count.describe('{size}: records a page.'),
  next: place.describe('Where an answer shows the next cursor or address.'),
  nextHeader: name.describe('The header in which an answer shows the next cursor or address.'),
  more: place.describe('Where an answer says whether there are more; else a page that is not full is the last.'),
  first: z.int().describe('The number of the first page.'),
  cap: count.describe('More records than this are never given to one question.'),
  splitBy: z.enum(['window', 'id']).describe('How a question past the cap is split: by {since} and {until}, or by {afterId}.'),
};
const pagingSchema = z.strictObject({
  style: pagingShape.style,
  size: pagingShape.size.default(100),
  next: pagingShape.next.optional(),
  nextHeader: pagingShape.nextHeader.optional(),
  more: pagingShape.more.optional(),
  first: pagingShape.first.default(1),
  cap: pagingShape.cap.optional(),
  splitBy: pagingShape.splitBy.optional(),
});
const pagingPart = z.strictObject(pagingShape).partial();

const request = {
  method: z.enum(['GET', 'POST', 'PATCH', 'PUT', 'DELETE']).optional(),
  path: name
    .regex(/^[/{]/, 'must begin with / or a variable')
    .optional()
    .describe('After the base address; variables are escaped, {path} aside.'),
  query: z
    .record(name, template)
    .optional()
    .describe('A parameter whose variable has no value is left out; null takes back an inherited one.'),
  headers: texts.optional(),
  body: template
    .optional()
    .describe('JSON; "{values}" stands for the record, "{properties}" for what stands below record.values in it.'),
  contentType: name.optional().describe('application/x-www-form-urlencoded sends the body as a form.'),
};
const listing = {
  ...request,
  items: place.optional().describe('Where the records stand; the answer itself where left out.'),
  paging: pagingPart.optional(),
  record: recordPart.optional().describe('What rows of this list name otherwise than a single record.'),
  thin: z.boolean().optional().describe('Rows lack properties: each is read by itself.'),
};
const answers = {
  answer: z
    .enum(['whole', 'part', 'id', 'none'])
    .optional()
    .describe('whole: every property; part and id are followed by a read, none by a read or a look-up.'),
  out: place.optional().describe('Where the record stands in the answer.'),
  id: place.optional().describe('Where an answer that is no whole record shows the id.'),
};
const operationsSchema = z
  .strictObject({
    list: z.strictObject(listing).describe('All records of a type.'),
    changes: z.strictObject(listing).describe('Records changed since {since}; what it does not say is as in list.'),
    find: z.strictObject(listing).describe('The records that carry {externalId}; what it does not say is as in list.'),
    read: z.strictObject({ ...request, out: answers.out }).describe('One record by {id}.'),
    create: z
      .strictObject({ ...request, ...answers, upserts: z.boolean().optional() })
      .describe('Makes a record. upserts: a record that carries the external id already would be overwritten.'),
    update: z
      .strictObject({
        ...request,
        ...answers,
        style: z.enum(['merge', 'replace', 'jsonPatch']).optional(),
        omit: z.array(place).optional().describe('With replace: what is read and must not be sent, such as id and stamps.'),
      })
      .describe(
        'merge: what is sent is changed; replace: {values} is the whole record as read; jsonPatch: {values} is a list of operations.',
      ),
    delete: z.strictObject(request),
    deleted: z
      .strictObject({
        ...request,
        items: listing.items,
        paging: pagingPart.optional(),
        id: place.optional(),
        at: place.optional(),
      })
      .describe('Ids of the records deleted since {since}, and when.'),
    identity: z
      .strictObject({ ...request, id: place.optional() })
      .describe('One cheap call for the start; id: where it tells whose account this is.'),
  })
  .partial();

const secret = z
  .union([z.strictObject({ env: name }), z.strictObject({ file: name })], {
    error: (issue) =>
      typeof issue.input === 'string'
        ? 'a secret must not stand in a profile: name its variable, {"env": "CRM_TOKEN"}, or its file, {"file": "…"}'
        : 'must be {"env": "NAME"} or {"file": "path"}',
  })
  .describe('A secret, by variable or file; never itself.');
const authSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('header'),
    header: name.default('Authorization'),
    scheme: z.string().default('Bearer').describe('Put before the token; empty for none.'),
    token: secret.default({ env: 'CRM_TOKEN' }),
  }),
  z
    .strictObject({
      kind: z.literal('query'),
      parameter: name.describe('The query parameter that carries the token.'),
      token: secret.default({ env: 'CRM_TOKEN' }),
    })
    .describe('A token in the address, where a system takes it nowhere else.'),
  z.strictObject({
    kind: z.literal('basic'),
    user: secret.default({ env: 'CRM_USER' }),
    password: secret.default({ env: 'CRM_PASSWORD' }),
  }),
  z.strictObject({
    kind: z.literal('oauth2'),
    grant: z.enum(['client_credentials', 'refresh_token']),
    tokenUrl: z.url({ protocol: /^https?$/ }),
    clientId: secret.default({ env: 'CRM_CLIENT_ID' }),
    clientSecret: secret.default({ env: 'CRM_CLIENT_SECRET' }),
    refreshToken: secret.optional().describe('A file is written again where the system gives a new one.'),
    scope: z.string().optional(),
    sendAs: z.enum(['basic', 'post']).default('basic').describe('How client id and secret are sent.'),
    parameters: texts.default({}),
    header: name.default('Authorization'),
    scheme: z.string().default('Bearer'),
  }),
  z
    .strictObject({
      kind: z.literal('login'),
      path: name.regex(/^\//, 'must begin with /').describe('Below CRM_URL, basePath left out.'),
      user: secret.default({ env: 'CRM_USER' }),
      password: secret.default({ env: 'CRM_PASSWORD' }),
      headers: texts.default({}),
      body: template.default({ user: '{user}', password: '{password}' }).describe('{user} and {password} stand for the secrets.'),
      sendAs: z.enum(['json', 'form']).default('json'),
      token: place.optional().describe('Where the answer shows the token.'),
      cookie: name.optional().describe('The cookie that carries the session instead; it goes back as a cookie.'),
      seconds: count.default(1200).describe('How long it is good for; a 401 renews it at any time.'),
      header: name.default('Authorization'),
      scheme: z.string().default('Bearer'),
    })
    .describe('A log-in that is answered with a token, or with a session cookie.'),
]);

const conditionSchema = z
  .union([
    z.literal('none'),
    z.literal('jsonPatchTest'),
    z.strictObject({
      header: name.optional().describe('Without it update and delete name {condition} in their path, query or body.'),
      value: name.describe('A template of {etag}, {version}, {stamp}, {httpStamp}: "\\"{version}\\"".'),
      otherwise: name
        .optional()
        .describe('Sent where nothing to compare with is known: "*" keeps an upsert from making a record.'),
      delete: z.boolean().default(false).describe('Whether deletions carry it too.'),
    }),
  ])
  .describe('What makes a write conditional; "none": a read comes before each write.');

export const OPERATIONS = ['list', 'changes', 'find', 'read', 'create', 'update', 'delete', 'deleted', 'identity'] as const;
const operationName = z.enum(OPERATIONS);

const errorRule = z.strictObject({
  status: z.int().min(200).max(599).optional().describe('Any failure where left out; 200 and the like for errors under success.'),
  at: place.optional().describe('A place in the answer, to be compared.'),
  equals: z
    .union([z.string(), z.number(), z.boolean(), z.null()])
    .optional()
    .describe('null: what is not there is shown as null.'),
  contains: name.optional(),
  operations: z.array(operationName).optional(),
  is: z.enum(['gone', 'taken', 'contended', 'throttled', 'unauthorized', 'unreachable', 'refused']),
});

/** A CRM as data, version 2. What a CRM lacks is left out; Tandem does without it. */
export const profileSchema = z
  .strictObject({
    $schema: z.string().optional(),
    version: z.literal(2),
    name,
    extends: name
      .optional()
      .describe('A shipped profile: what is not said here is as it is there. Types are all said here, operations key by key.'),
    note: z.string().optional().describe('For people.'),
    neverTried: z.boolean().default(false).describe('Never tried on a live account: said at every start.'),
    basePath: z
      .string()
      .regex(/^(\/.*[^/])?$/, 'must begin with / and not end with one')
      .default(''),
    auth: authSchema.default({ kind: 'header', header: 'Authorization', scheme: 'Bearer', token: { env: 'CRM_TOKEN' } }),
    headers: texts.default({}).describe('Sent with every call.'),
    query: texts.default({}).describe('Sent with every call.'),
    operations: operationsSchema.default({}).describe('For every type that does not say otherwise; {path} is the type’s.'),
    record: recordSchema.prefault({}),
    stamps: stampsSchema.prefault({}),
    paging: pagingSchema.prefault({ style: 'none' }),
    condition: conditionSchema.default('none'),
    types: z
      .record(
        name,
        z.strictObject({
          path: name.describe('{path}: its place below the base address.'),
          fields: z.array(fieldSchema),
          lists: z.array(name).default([]).describe('Lists of objects whose elements may be mapped one by one.'),
          parameters: texts.default({}).describe('Variables of its own for templates.'),
          headers: texts.default({}),
          query: texts.default({}),
          operations: operationsSchema.default({}),
          record: recordPart.default({}),
          stamps: stampsPart.default({}),
          condition: conditionSchema.optional(),
        }),
      )
      .refine((types) => Object.keys(types).length > 0, 'at least one type'),
    errors: z.array(errorRule).default([]).describe('How failures are classed, the first that fits; then by status.'),
    errorText: z.array(place).default([]).describe('Where a failure’s text stands.'),
    limits: z
      .array(z.strictObject({ calls: count, perMs: count, operations: z.array(operationName).optional() }))
      .default([])
      .describe('Calls in a window, all workers together.'),
  })
  .describe('A CRM as Tandem speaks to it.');

export type Profile = z.infer<typeof profileSchema>;
export type Secret = z.infer<typeof secret>;
export type Auth = Profile['auth'];
export type OperationName = (typeof OPERATIONS)[number];
export type StampFormat = z.infer<typeof stampFormat>;
export type ErrorRule = z.infer<typeof errorRule>;
