/**
 * What callers of the library and of the HTTP interface are given: plain shapes of their own, never the store's
 * documents. The schemas describe the interface, and the types follow from them.
 */
import { z } from 'zod';
import type { Value } from '../flows/values.ts';
import { STATUSES } from '../workflows/core/state.ts';

const instant = z.iso.datetime({ offset: true });
const nullable = <T extends z.ZodType>(schema: T): z.ZodNullable<T> => schema.nullable();

/** A mapped value as a system gave it; no value is null. */
export const valueSchema: z.ZodType<Value, Value> = z
  .union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.unknown())])
  .meta({ id: 'Value', description: 'A mapped value as a system gave it; no value is null.' }) as unknown as z.ZodType<
  Value,
  Value
>;

const valuesSchema = z.record(z.string(), valueSchema);

export const statusSchema = z.enum(STATUSES).meta({ id: 'Status', description: 'How a link stands.' });
export const sideSchema = z.enum(['source', 'target']).meta({ id: 'Side', description: 'One end of a link.' });

/** Why a link is blocked or waits, with the system's own text and what to do. */
export const blockSchema = z
  .object({
    code: z.string().describe('The system’s status code, or a code of the registry of reasons.'),
    side: sideSchema,
    properties: z.array(z.string()),
    text: z.string().describe('The system’s own text. It may quote names.'),
    meaning: z.string(),
    advice: z.string(),
    since: instant,
  })
  .meta({ id: 'Block', description: 'Why a link is blocked or waits, and what a person can do.' });

const linkShape = {
  flow: z.string(),
  sourceId: z.string(),
  targetId: nullable(z.string()),
  status: statusSchema,
  statusSince: instant,
  ended: nullable(z.string()).describe('Why the link ended; null while it lives.'),
  block: nullable(blockSchema),
  conflicts: z.array(z.string()).describe('Source properties on which a person has to decide.'),
  last: nullable(z.object({ what: z.string(), at: instant })).describe('What happened last, in words without values.'),
  revision: z.int(),
};

/** A link as lists show it. */
export const linkSchema = z.object(linkShape).meta({ id: 'Link', description: 'A linked pair of records.' });
export type Link = z.infer<typeof linkSchema>;

/** A change that Tandem applied to a record. */
export const changeSchema = z
  .object({
    id: z.string().describe('Names the change for good; `restore` takes it.'),
    flow: z.string(),
    sourceId: z.string(),
    at: instant,
    side: sideSchema.describe('The side that was written.'),
    property: z.string(),
    why: z.string(),
    before: valueSchema,
    after: valueSchema,
    unanswered: z
      .boolean()
      .describe(
        'Sent, and never answered, or never seen after it: whether the record ever showed it is not known. It is no event of the stream.',
      ),
  })
  .meta({ id: 'Change', description: 'A change that Tandem applied to one property of a record.' });
export type Change = z.infer<typeof changeSchema>;

const recordSchema = z.object({
  id: nullable(z.string()),
  type: z.string(),
  system: z.string(),
  changedAt: nullable(z.string()).describe('The record’s last-changed stamp as the system wrote it.'),
  values: valuesSchema.describe('The mapped values as last seen.'),
  base: valuesSchema.describe('The values on which the link last agreed.'),
});

/** A link with both records as last seen, and its latest changes. */
export const linkDetailsSchema = z
  .object({
    ...linkShape,
    source: recordSchema,
    target: recordSchema,
    history: z.array(changeSchema).describe('Newest first.'),
    workflowId: z.string(),
  })
  .meta({ id: 'LinkDetails', description: 'A link, both records as last seen, and its latest changes.' });
export type LinkDetails = z.infer<typeof linkDetailsSchema>;

/** A page of a list; `next` asks for the page after it. */
export const pageOf = <T extends z.ZodType>(
  item: T,
  id: string,
): z.ZodObject<{ items: z.ZodArray<T>; next: z.ZodNullable<z.ZodString> }> =>
  z
    .object({ items: z.array(item), next: nullable(z.string()).describe('The cursor of the next page; null on the last.') })
    .meta({ id, description: 'A page of a list.' });
export interface PageOf<T> {
  readonly items: T[];
  readonly next: string | null;
}

/** How a link stands after a request to bring it into step. */
export const syncResultSchema = z
  .object({
    flow: z.string(),
    sourceId: z.string(),
    status: z.enum([...STATUSES, 'asked']).describe('`asked` where nobody waited, or it is not done yet.'),
    ended: nullable(z.string()),
  })
  .meta({ id: 'SyncResult', description: 'How a link stands after a request to bring it into step.' });
export type SyncResult = z.infer<typeof syncResultSchema>;

/** A property on which both sides were edited. */
export const conflictSchema = z
  .object({ flow: z.string(), sourceId: z.string(), property: z.string(), source: valueSchema, target: valueSchema })
  .meta({ id: 'Conflict', description: 'A property on which both sides were edited, with the values of either.' });
export type Conflict = z.infer<typeof conflictSchema>;

/** What the brake held back of a flow. */
export const heldChangesSchema = z
  .object({
    links: z.int().describe('How many links were held back.'),
    would: z
      .record(z.string(), z.int())
      .describe('How many would do what: `end`, `delete`, `recreate`, `blank`, or the property that would become equal.'),
    missing: z
      .int()
      .describe(
        'How many records a list of ids lacks that was not believed: their links read them now, and end where they are gone.',
      ),
  })
  .meta({ id: 'HeldChanges', description: 'What the brake held back of a flow.' });
export type HeldChanges = z.infer<typeof heldChangesSchema>;

/** Something that happened to a link, numbered in the order in which it was committed. */
export const changeEventSchema = z
  .object({
    seq: z.int().describe('Grows by one with each event; the cursor of the stream.'),
    id: z.string().describe('The same for good, should an event come twice.'),
    kind: z.enum(['changed', 'status']),
    at: instant,
    flow: z.string(),
    sourceId: z.string(),
    targetId: nullable(z.string()),
    status: statusSchema,
    ended: nullable(z.string()),
    code: nullable(z.string()).describe('Why it is blocked or waits, for an event of kind `status`.'),
    side: nullable(sideSchema).describe('The side that was written, for an event of kind `changed`.'),
    property: nullable(z.string()),
    why: nullable(z.string()),
    before: valueSchema,
    after: valueSchema,
  })
  .meta({ id: 'ChangeEvent', description: 'Something that happened to a link: a property was written, or its status changed.' });
export type ChangeEvent = z.infer<typeof changeEventSchema>;

const feedStatusSchema = z.object({
  feed: z.string(),
  looks: z.int(),
  lagSeconds: nullable(z.number()).describe('Seconds since the last look; null before the first.'),
  sweptAt: nullable(instant),
  unstamped: nullable(z.object({ fields: z.array(z.string()), hours: z.number() })).describe(
    'Properties whose edits no look finds, and how old such an edit may be before a full comparison does (h).',
  ),
  notBelieved: z
    .array(
      z.object({
        flow: z.string(),
        missing: z.int().describe('Records of the flow that the list of ids lacks.'),
        all: z.int(),
        since: instant,
        sentence: z.string(),
        advice: z.string(),
      }),
    )
    .describe('Lists that lack very many records: nothing was ended; each stands until it is settled.'),
  setAside: z
    .object({
      count: z.int(),
      first: z.array(
        z.object({
          id: nullable(z.string()).describe('Null where its row shows none.'),
          kind: z.enum(['unreadable', 'undelivered']),
          why: z.string().describe('In a text that may quote values.'),
          since: instant,
        }),
      ),
    })
    .describe('Records that cannot be read, or whose links take no message for now; they are read again at each look.'),
  trouble: nullable(z.string()).describe('What stands in the way now, in the system’s own words.'),
});

const flowStatusSchema = z.object({
  flow: z.string(),
  pairs: z.partialRecord(statusSchema, z.int()),
  lastSync: nullable(instant),
  blocked: z.array(
    z.object({
      code: z.string(),
      reason: z.string().describe('The system’s own text. It may quote names.'),
      count: z.int(),
      example: z.string(),
      meaning: z.string(),
      advice: z.string(),
    }),
  ),
});

/** Who stands in the way of the whole installation, in the words of the logs and of `doctor`. */
export const troubleSchema = z
  .object({
    code: z.string().describe('A code of the registry of reasons.'),
    what: z.string().describe('Who stands in the way.'),
    sentence: z.string(),
    why: nullable(z.string()).describe('In the other’s own words. They may quote names.'),
    since: nullable(instant),
    meaning: z.string(),
    advice: z.string(),
  })
  .meta({ id: 'Trouble', description: 'Something that stands in the way of the whole installation, and what a person can do.' });

const viewSchema = z
  .object({
    name: z.string(),
    query: z.string().describe('As Temporal’s list of workflows takes it.'),
    url: z.string(),
  })
  .meta({ id: 'View', description: 'A list of links in the Temporal Web UI.' });
export type View = z.infer<typeof viewSchema>;

/** The whole installation at a glance. */
export const statusReportSchema = z
  .object({
    installation: z.string(),
    views: z.array(viewSchema).describe('Lists in the Temporal Web UI: all pairs, blocked ones, conflicts, each flow’s.'),
    troubles: z.array(troubleSchema).describe('What stands in the way now; systems as their feeds last found them.'),
    flows: z.array(flowStatusSchema),
    refused: z.array(z.object({ section: z.string(), why: z.array(z.string()) })),
    feeds: z.array(feedStatusSchema),
    paused: z.array(z.string()).describe('Flows and systems that a person paused.'),
    leftOver: z
      .array(z.object({ flow: z.string(), links: z.int() }))
      .describe('Flows that are no longer configured and not removed either: nothing is carried, their workflows are open.'),
    systems: z.array(
      z.object({
        system: z.string(),
        address: nullable(z.string()),
        clockOffsetMs: nullable(z.tuple([z.number(), z.number()])).describe('Its clock less ours, between these two.'),
        note: nullable(z.string()),
      }),
    ),
  })
  .meta({ id: 'StatusReport', description: 'The whole installation at a glance.' });
export type StatusReport = z.infer<typeof statusReportSchema>;

const removedShape = {
  closed: z.int().describe('How many workflows were closed.'),
  links: z.int().describe('How many links the store had.'),
  data: z.enum(['kept', 'deleted']),
};

/** What was done to take a flow away. */
export const removedFlowSchema = z
  .object({ flow: z.string(), ...removedShape, feeds: z.array(z.string()).describe('Feeds that no flow uses any more.') })
  .meta({ id: 'RemovedFlow', description: 'A flow was taken away: its workflows are closed, no system was touched.' });
export type RemovedFlow = z.infer<typeof removedFlowSchema>;

/** What was done to take an installation away. */
export interface RemovedInstallation {
  readonly installation: string;
  readonly closed: number;
  readonly links: number;
  readonly data: 'kept' | 'deleted';
}
