import { createHash } from 'node:crypto';
import { z } from 'zod';
import { readShaped } from './file.ts';
import type { Flow } from './flow.ts';
import { sameValue, type Value } from './values.ts';
import { linkKey, valueKey } from './names.ts';

const side = z.enum(['source', 'target']);

/** One thing that a start does to a record. */
const operationSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('create'), flow: z.string(), sourceId: z.string() }),
  z.strictObject({ do: z.literal('link'), flow: z.string(), sourceId: z.string(), targetId: z.string() }),
  z.strictObject({
    do: z.literal('change'),
    flow: z.string(),
    sourceId: z.string(),
    side,
    property: z.string(),
    before: z.unknown(),
    after: z.unknown(),
  }),
]);
export type Operation = z.infer<typeof operationSchema>;

/** What a start would do, in full: the file that `tandem plan` writes and a start with `--apply-plan` keeps to. */
export const planSchema = z.object({
  version: z.literal(1),
  at: z.string(),
  /** Who both systems were. */
  world: z.record(z.string(), z.string()),
  /** Names the flows and their rules. */
  flows: z.string(),
  operations: z.array(operationSchema),
});
export type Plan = z.infer<typeof planSchema>;

/** Names flows and their rules: with others a plan says nothing. */
export function flowsHash(flows: readonly Flow[]): string {
  return createHash('sha256').update(JSON.stringify(flows)).digest('hex').slice(0, 16);
}

/** Reads a plan. Throws TandemError. */
export const readPlan = (path: string): Promise<Plan> => readShaped('plan', path, planSchema);

/** What a plan allows. */
export class Allowance {
  readonly #creates = new Set<string>();
  readonly #links = new Map<string, string>();
  readonly #changes = new Map<string, Value>();

  constructor(plan: Plan) {
    for (const each of plan.operations) {
      const link = linkKey(each.flow, each.sourceId);
      if (each.do === 'create') this.#creates.add(link);
      else if (each.do === 'link') this.#links.set(link, each.targetId);
      else this.#changes.set(valueKey(link, each.side, each.property), (each.after ?? null) as Value);
    }
  }

  create(flow: string, sourceId: string): boolean {
    return this.#creates.has(linkKey(flow, sourceId));
  }

  /** The existing record that a source is to be linked with. */
  linkOf(flow: string, sourceId: string): string | undefined {
    return this.#links.get(linkKey(flow, sourceId));
  }

  change(wanted: {
    readonly flow: string;
    readonly sourceId: string;
    readonly side: 'source' | 'target';
    readonly property: string;
    readonly value: Value;
  }): boolean {
    const key = valueKey(linkKey(wanted.flow, wanted.sourceId), wanted.side, wanted.property);
    return this.#changes.has(key) && sameValue(this.#changes.get(key), wanted.value);
  }
}
