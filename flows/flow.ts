import { z } from 'zod';
import { DATA_TYPES } from './convert.ts';
import type { Side } from './side.ts';

/** How a property on which both sides moved apart is settled. `ask` waits for a person. */
export const policySchema = z.enum(['latest', 'source', 'target', 'ask']);
export type Policy = z.infer<typeof policySchema>;

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*$/, 'a flow is named in lower-case letters, digits and dashes')
  .max(80);
const property = z.string().min(1).max(200);
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** One condition on a record: a property that has a value, or another than it. */
export const conditionSchema = z
  .strictObject({ property, equals: scalar.optional(), not: scalar.optional() })
  .refine((c) => (c.equals === undefined) !== (c.not === undefined), 'say either "equals" or "not"');
export type Condition = z.infer<typeof conditionSchema>;

export const SYSTEMS = ['powerOffice', 'crm'] as const;
export type SystemName = (typeof SYSTEMS)[number];

/** One end of a flow: a record type of a system, and which of its records take part (all, unless scope says less). */
export const endSchema = z.strictObject({
  system: z.string().min(1),
  type: z.string().min(1),
  scope: z.array(conditionSchema).default([]),
});

/** A property on either side that is kept equal, with the data type it carries to the target. */
export const pairSchema = z.strictObject({
  source: property,
  target: property,
  type: z.enum(DATA_TYPES).default('string'),
  policy: policySchema.optional(),
});

/** A flow as it stands in a file: what is kept in step, and by which rules. Every key is documented in docs/flows.md. */
export const flowSchema = z.strictObject({
  name,
  description: z.string().max(500).optional(),
  source: endSchema,
  target: endSchema,
  relation: z.enum(['create']).default('create'),
  properties: z.array(pairSchema).default([]),
  policy: policySchema.default('latest'),
  onSourceDeleted: z.enum(['keep', 'delete']).default('keep'),
  onTargetDeleted: z.enum(['keep', 'delete', 'recreate']).default('keep'),
  create: z.record(property, scalar).default({}),
});

/** A flows file. */
export const flowsFileSchema = z.strictObject({ flows: z.array(flowSchema).min(1, 'at least one flow') });

export type End = Omit<z.infer<typeof endSchema>, 'system'> & { system: SystemName };
export type Pair = z.infer<typeof pairSchema>;
/** A flow whose names were checked against both catalogues and are spelled as the connectors spell them. */
export type Flow = Omit<z.infer<typeof flowSchema>, 'source' | 'target'> & { source: End; target: End };

/** The property paths of one side that a flow needs to see: mapped ones and those its scope asks about. */
export function neededFields(flow: Flow, side: Side): string[] {
  const fields = [...flow.properties.map((pair) => pair[side]), ...flow[side].scope.map((condition) => condition.property)];
  return [...new Set(fields)];
}
