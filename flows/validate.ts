import { z } from 'zod';
import type { Catalogue } from './catalogue.ts';
import { flowsFileSchema, type Flow, type SystemName } from './flow.ts';
import { SIDES, type Side } from './side.ts';

/** Every problem of a flows file, one sentence each. */
export class FlowsError extends Error {
  override readonly name = 'FlowsError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** Edits (insert, delete, replace) between two texts, whatever their case. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min(
          (next[j - 1] ?? 0) + 1,
          (row[j] ?? 0) + 1,
          (row[j - 1] ?? 0) + (a[i - 1]?.toLowerCase() === b[j - 1]?.toLowerCase() ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The candidate nearest to `text`, worded as a suggestion; all candidates where none is near. */
export function suggest(text: string, candidates: readonly string[]): string {
  const ranked = candidates.map((c) => ({ c, d: distance(text, c) })).sort((x, y) => x.d - y.d);
  const best = ranked[0];
  if (best && best.d <= Math.max(2, text.length / 3)) return `did you mean "${best.c}"?`;
  return candidates.length > 0 ? `known are ${candidates.join(', ')}` : 'none is known';
}

function find<T extends { readonly name: string }>(items: readonly T[], name: string): T | undefined {
  return items.find((item) => item.name === name) ?? items.find((item) => item.name.toLowerCase() === name.toLowerCase());
}

/**
 * Checks a parsed flows file against the catalogues of both systems and returns its flows, names spelled as the
 * connectors spell them. Throws FlowsError with every problem at once.
 */
export function validateFlows(file: unknown, catalogues: readonly Catalogue[]): Flow[] {
  const parsed = flowsFileSchema.safeParse(file);
  if (!parsed.success)
    throw new FlowsError(parsed.error.issues.map((issue) => `${z.core.toDotPath(issue.path) || 'the file'}: ${issue.message}`));
  const problems: string[] = [];
  const names = new Set<string>();
  const flows = parsed.data.flows.map((flow): Flow => {
    const say = (text: string): number => problems.push(`flow "${flow.name}": ${text}`);
    if (names.has(flow.name)) say('its name occurs twice; give each flow a name of its own');
    names.add(flow.name);
    const resolve = (side: Side): { type: string; field: (name: string, write: boolean) => string; system: SystemName } => {
      const end = flow[side];
      const catalogue = catalogues.find((c) => c.system.toLowerCase() === end.system.toLowerCase());
      if (!catalogue)
        say(
          `unknown system "${end.system}" as ${side}; ${suggest(
            end.system,
            catalogues.map((c) => c.system),
          )}`,
        );
      const type = catalogue && find(catalogue.types, end.type);
      if (catalogue && !type)
        say(
          `${catalogue.system} has no type "${end.type}"; ${suggest(
            end.type,
            catalogue.types.map((t) => t.name),
          )}`,
        );
      const field = (name: string, write: boolean): string => {
        if (!type) return name;
        const known = find(type.fields, name);
        if (!known)
          say(
            `${type.name} has no property "${name}"; ${suggest(
              name,
              type.fields.map((f) => f.name),
            )}`,
          );
        else if (write && !known.writable) say(`${type.name}.${known.name} cannot be written, so it cannot be kept in step`);
        return known?.name ?? name;
      };
      return { type: type?.name ?? end.type, field, system: catalogue?.system ?? (end.system as SystemName) };
    };
    const at = { source: resolve('source'), target: resolve('target') };
    const properties = flow.properties.map((pair) => ({
      ...pair,
      source: at.source.field(pair.source, true),
      target: at.target.field(pair.target, true),
    }));
    for (const side of SIDES) {
      const seen = new Set<string>();
      for (const pair of properties) {
        if (seen.has(pair[side])) say(`${side} property "${pair[side]}" stands in two pairs; both would write it`);
        seen.add(pair[side]);
      }
    }
    const end = (side: Side): Flow['source'] => ({
      system: at[side].system,
      type: at[side].type,
      scope: flow[side].scope.map((condition) => ({ ...condition, property: at[side].field(condition.property, false) })),
    });
    const create = Object.fromEntries(Object.entries(flow.create).map(([key, value]) => [at.target.field(key, true), value]));
    return { ...flow, source: end('source'), target: end('target'), properties, create };
  });
  for (const [i, flow] of flows.entries())
    for (const other of flows.slice(i + 1))
      if (
        flow.source.type === other.source.type &&
        flow.source.system === other.source.system &&
        flow.target.type === other.target.type
      )
        problems.push(
          `flows "${flow.name}" and "${other.name}" both create a ${flow.target.type} for a ${flow.source.type}: their external ids would collide; unite them`,
        );
  if (problems.length > 0) throw new FlowsError(problems);
  return flows;
}
