import { z } from 'zod';
import type { Catalogue } from '../catalogue.ts';
import { DATA_TYPES } from '../convert.ts';
import { conditionSchema, policySchema, referenceSchema, scalarSchema, whenSchema, type Condition } from '../flow.ts';
import { NORMALISERS } from '../normalise.ts';
import type { Side } from '../side.ts';

const text = z.string().min(1);
const typeSchema = z.strictObject({ type: text, scope: z.array(conditionSchema).default([]) });

/** What a document cannot say, for one of its sections. */
const sectionSchema = z.strictObject({
  from: text,
  to: text,
  name: text.optional(),
  description: z.string().optional(),
  policy: policySchema.optional(),
  onSourceDeleted: z.enum(['keep', 'delete']).optional(),
  onTargetDeleted: z.enum(['keep', 'delete', 'recreate']).optional(),
  create: z.record(text, scalarSchema).optional(),
  /** The condition as predicates that a record must all meet. */
  condition: z.array(conditionSchema).min(1).optional(),
  /** What is evened out before the properties of a match are compared. */
  match: z.array(z.strictObject({ source: text, target: text, normalise: z.array(z.enum(NORMALISERS)) })).optional(),
  /** By which property of the source each listed type is referred to. */
  connected: z.array(referenceSchema.extend({ item: text })).optional(),
  /** Rows of the property table, by both properties as the document has them. */
  properties: z
    .array(
      z.strictObject({
        source: text,
        target: text,
        when: z.array(whenSchema).optional(),
        type: z.enum(DATA_TYPES).optional(),
        policy: policySchema.optional(),
        /** Of several rows with the same property on one side: the one that writes it. */
        writer: z.boolean().optional(),
        /** Where one side alone writes although nothing in the document says so. */
        direction: z.enum(['both', 'toTarget', 'toSource']).optional(),
      }),
    )
    .optional(),
});

/** A binding file: what a document leaves to the one who runs it. See docs/dataflow-documents.md. */
export const bindingsSchema = z.strictObject({
  /** Which connector the document's first and second system are. */
  systems: z.strictObject({ A: text.optional(), B: text.optional() }).default({}),
  /** Which record type and scope a data type's name means, on either side. */
  types: z.strictObject({ A: z.record(text, typeSchema).default({}), B: z.record(text, typeSchema).default({}) }).prefault({}),
  /** Predicates for conditions in prose, by their exact text. */
  conditions: z.record(text, z.array(conditionSchema).min(1)).default({}),
  flows: z.array(sectionSchema).default([]),
});
export type Bindings = z.infer<typeof bindingsSchema>;
export type SectionBinding = Bindings['flows'][number];

export const NO_BINDINGS: Bindings = bindingsSchema.parse({});

const letters = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** A word without its plural ending. */
export const singular = (word: string): string =>
  /ies$/i.test(word) ? word.replace(/ies$/i, 'y') : /(ss|us|is)$/i.test(word) ? word : word.replace(/s$/i, '');

/** The record type and scope that a data type's name means in a system; null where none is known. */
export function typeOf({
  name,
  side,
  catalogue,
  bindings,
}: {
  readonly name: string;
  readonly side: Side;
  readonly catalogue: Catalogue | undefined;
  readonly bindings: Bindings;
}): { type: string; scope: Condition[] } | null {
  const bound = bindings.types[side === 'source' ? 'A' : 'B'];
  const key =
    Object.keys(bound).find((each) => each === name) ?? Object.keys(bound).find((each) => letters(each) === letters(name));
  const own = key === undefined ? undefined : bound[key];
  if (own) return { type: own.type, scope: [...own.scope] };
  const plain = letters(name);
  if (plain === '') return null;
  const alias = catalogue?.aliases?.find(({ pattern }) => pattern.test(plain));
  if (alias) return { type: alias.type, scope: [...(alias.scope ?? [])] };
  const found = catalogue?.types.find((each) => singular(letters(each.name)) === singular(plain));
  return found === undefined ? null : { type: found.name, scope: [] };
}

/** A type and scope as a document names them; null where only a binding can say it. */
export function spelling(type: string, scope: readonly Condition[], catalogue: Catalogue | undefined): string | null {
  if (scope.length === 0) return type;
  const meant = JSON.stringify(scope);
  const alias = catalogue?.aliases?.find((each) => each.type === type && JSON.stringify(each.scope ?? []) === meant);
  return alias?.spelling ?? null;
}
