import { z } from 'zod';
import { DATA_TYPES, type DataType } from './convert.ts';
import { feedKey } from './names.ts';
import { NORMALISERS } from './normalise.ts';
import type { Side } from './side.ts';

/** How a property on which both sides moved apart is settled. `ask` waits for a person. */
export const policySchema = z.enum(['latest', 'source', 'target', 'ask']);
export type Policy = z.infer<typeof policySchema>;

/** How a record of the source gets its partner. */
export const RELATIONS = [
  'create',
  'merge-or-create',
  'match',
  'connected',
  'match-or-connected',
  'conditional',
  'conditional-merge-or-create',
] as const;
export type Relation = (typeof RELATIONS)[number];

/** Relations that look for a match first. */
export const MATCHING: readonly Relation[] = ['merge-or-create', 'match', 'match-or-connected', 'conditional-merge-or-create'];
/** Relations that create only for a record that refers to a linked one. */
export const CONNECTED: readonly Relation[] = ['connected', 'match-or-connected'];
/** Relations for the records that meet a condition. */
export const CONDITIONAL: readonly Relation[] = ['conditional', 'conditional-merge-or-create'];

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*$/, 'a flow is named in lower-case letters, digits and dashes')
  .max(80);
const propertyName = z.string().min(1).max(200);
export const scalarSchema = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** One condition on a record: a property that has a value, or another than it, or one of several. */
export const conditionSchema = z
  .strictObject({
    property: propertyName,
    equals: scalarSchema.optional(),
    not: scalarSchema.optional(),
    oneOf: z.array(scalarSchema).min(1).optional(),
  })
  .refine(
    (c) => [c.equals, c.not, c.oneOf].filter((each) => each !== undefined).length === 1,
    'say one of "equals", "not" and "oneOf"',
  );
export type Condition = z.infer<typeof conditionSchema>;

/** Conditions for people: "IsPerson = true and Code ≠ null". */
export const conditionsInWords = (conditions: readonly Condition[]): string =>
  conditions
    .map(({ property, equals, not, oneOf }) =>
      oneOf
        ? `${property} in ${JSON.stringify(oneOf)}`
        : `${property} ${equals === undefined ? '≠' : '='} ${JSON.stringify(equals ?? not)}`,
    )
    .join(' and ');

export const SYSTEMS = ['powerOffice', 'crm'] as const;
export type SystemName = (typeof SYSTEMS)[number];

/** One end of a flow: a record type of a system, and which of its records take part (all, unless scope says less). */
export const endSchema = z.strictObject({
  system: z.string().min(1),
  type: z.string().min(1),
  scope: z.array(conditionSchema).default([]),
});

/** A mapping that holds only while a property of the record has this text ("" for none). */
export const whenSchema = z.strictObject({ side: z.enum(['source', 'target']), property: propertyName, value: z.string() });

/** A property on either side that is kept equal, with the data type it carries to the target. */
export const pairSchema = z.strictObject({
  source: propertyName,
  target: propertyName,
  type: z.enum(DATA_TYPES).default('string'),
  /** `toTarget`: the source alone writes; `toSource`: the target alone does. */
  direction: z.enum(['both', 'toTarget', 'toSource']).default('both'),
  when: z.array(whenSchema).default([]),
  policy: policySchema.optional(),
});

/** One alternative of a match: two properties that must be equal once both were normalised. */
export const alternativeSchema = z.strictObject({
  source: propertyName,
  target: propertyName,
  normalise: z.array(z.enum(NORMALISERS)).default([]),
});

/** A reference: a property of the source that holds the id of a record of `type` in the same system. */
export const referenceSchema = z.strictObject({ type: z.string().min(1), property: propertyName });

/** A flow as it stands in a file: what is kept in step, and by which rules. Every key is documented in docs/flows.md. */
export const flowSchema = z
  .strictObject({
    name,
    description: z.string().max(500).optional(),
    source: endSchema,
    target: endSchema,
    relation: z.enum(RELATIONS).default('create'),
    match: z.array(alternativeSchema).default([]),
    condition: z
      .strictObject({
        text: z
          .string()
          .regex(/^\S(.*\S)?$/, 'one line of text')
          .optional(),
        where: z.array(conditionSchema).min(1),
      })
      .optional(),
    connected: z.array(referenceSchema).default([]),
    properties: z.array(pairSchema).default([]),
    policy: policySchema.default('latest'),
    onSourceDeleted: z.enum(['keep', 'delete']).default('keep'),
    onTargetDeleted: z.enum(['keep', 'delete', 'recreate']).default('keep'),
    create: z.record(propertyName, scalarSchema).default({}),
  })
  .superRefine((flow, context) => {
    for (const [key, relations, there] of [
      ['match', MATCHING, flow.match.length > 0],
      ['connected', CONNECTED, flow.connected.length > 0],
      ['condition', CONDITIONAL, flow.condition !== undefined],
    ] as const)
      if (relations.includes(flow.relation) !== there)
        context.addIssue({
          code: 'custom',
          path: [key],
          message: there ? `the relation "${flow.relation}" has no "${key}"` : `the relation "${flow.relation}" needs "${key}"`,
        });
  });

/** A flows file. */
export const flowsFileSchema = z.strictObject({
  flows: z.array(flowSchema).min(1, 'at least one flow'),
  refused: z
    .array(z.never('what could not run cannot be said here'))
    .optional()
    .describe('As `tandem flows --json` prints it: none.'),
});
/** What a flows file holds. */
export type FlowsFile = z.input<typeof flowsFileSchema>;

export type End = Omit<z.infer<typeof endSchema>, 'system'> & { system: SystemName };
export type When = z.infer<typeof whenSchema>;
export type Alternative = z.infer<typeof alternativeSchema>;
/** `back`: the data type that a value takes on its way to the source, where it is another than `type`. */
export type Pair = z.infer<typeof pairSchema> & { back?: DataType };
/** A flow whose names were checked against both catalogues and are spelled as the connectors spell them. */
export type Flow = Omit<z.infer<typeof flowSchema>, 'source' | 'target' | 'properties' | 'condition'> & {
  source: End;
  target: End;
  properties: Pair[];
  condition?: { text: string; where: Condition[] };
};

/** Which records of a side take part: its scope, and on the source the flow's condition. */
export function scopeOf(flow: Flow, side: Side): readonly Condition[] {
  return side === 'source' && flow.condition ? [...flow.source.scope, ...flow.condition.where] : flow[side].scope;
}

/** Whether a person paused the flow, or one of its systems. */
export const isPausedBy = (flow: Flow, names: readonly string[]): boolean =>
  [flow.name, flow.source.system, flow.target.system].some((each) => names.includes(each));

/** Whether target records are looked for, or references followed, before one is created. */
export const isIndexed = (flow: Flow): boolean => flow.match.length > 0 || flow.connected.length > 0;

/** The properties of one side whose values a link needs: mapped ones and those that mappings depend on. */
export function valueFields(flow: Flow, side: Side): string[] {
  const dependent = flow.properties.flatMap((pair) => pair.when.filter((each) => each.side === side));
  return [...new Set([...flow.properties.map((pair) => pair[side]), ...dependent.map((each) => each.property)])];
}

/** The property paths of one side that a flow needs to see. */
export function neededFields(flow: Flow, side: Side): string[] {
  return [
    ...new Set([
      ...valueFields(flow, side),
      ...scopeOf(flow, side).map((condition) => condition.property),
      ...flow.match.map((alternative) => alternative[side]),
      ...(side === 'source' ? flow.connected.map((reference) => reference.property) : []),
    ]),
  ];
}

/** The feeds that flows use, each once. */
export const feedsOf = (flows: readonly Pick<Flow, 'source' | 'target'>[]): string[] => [
  ...new Set(flows.flatMap(({ source, target }) => [source, target].map(({ system, type }) => feedKey(system, type)))),
];
