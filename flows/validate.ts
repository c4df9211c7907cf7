import { z } from 'zod';
import type { Catalogue, Field, RecordType } from './catalogue.ts';
import { flowsFileSchema, type Condition, type Flow, type Pair, type SystemName, type flowSchema } from './flow.ts';
import { plainPath, pathSteps } from './path.ts';
import { SIDES, type Side } from './side.ts';
import { TandemError } from './tandemError.ts';

/** What is wrong with a value, one sentence an issue, each with its place. */
export const issuesInWords = (error: z.ZodError): string[] =>
  error.issues.map((issue) => `${z.core.toDotPath(issue.path) || 'the file'}: ${issue.message}`);

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

/** The candidate nearest to `text`; null where none is near. */
export function nearest(text: string, candidates: readonly string[]): string | null {
  const ranked = candidates.map((c) => ({ c, d: distance(text, c) })).sort((x, y) => x.d - y.d);
  const best = ranked[0];
  return best && best.d <= Math.max(2, text.length / 3) ? best.c : null;
}

/** The candidate nearest to `text`, worded as a suggestion; all candidates where none is near. */
export function suggest(text: string, candidates: readonly string[]): string {
  const near = nearest(text, candidates);
  if (near !== null) return `did you mean "${near}"?`;
  return candidates.length > 0 ? `known are ${candidates.join(', ')}` : 'none is known';
}

function find<T extends { readonly name: string }>(items: readonly T[], name: string): T | undefined {
  return items.find((item) => item.name === name) ?? items.find((item) => item.name.toLowerCase() === name.toLowerCase());
}

/** Why a type cannot take part: the connector refuses it for a reason, or nobody knows it. */
function unknownType(catalogue: Catalogue, type: string, use: string): string {
  const refused = Object.entries(catalogue.refused ?? {}).find(([name]) => name.toLowerCase() === type.toLowerCase());
  if (refused) return `${refused[0]} cannot be kept in step${use}: ${refused[1]}`;
  const names = catalogue.types.map((t) => t.name);
  return `${catalogue.system} has no type "${type}"${use}; ${suggest(type, names)}`;
}

export type FlowInput = z.infer<typeof flowSchema>;

/** One side of a flow, its names looked up in the catalogue. Problems go to `say`. */
class End {
  readonly system: SystemName;
  readonly type: string;
  readonly #known: RecordType | undefined;
  readonly #say: (text: string) => void;

  constructor(
    flow: FlowInput,
    {
      side,
      catalogues,
      say,
    }: { readonly side: Side; readonly catalogues: readonly Catalogue[]; readonly say: (text: string) => void },
  ) {
    const end = flow[side];
    const catalogue = catalogues.find((c) => c.system.toLowerCase() === end.system.toLowerCase());
    const names = catalogues.map((c) => c.system);
    if (!catalogue) say(`unknown system "${end.system}" as ${side}; ${suggest(end.system, names)}`);
    this.#known = catalogue && find(catalogue.types, end.type);
    if (catalogue && !this.#known) say(unknownType(catalogue, end.type, ''));
    this.system = catalogue?.system ?? (end.system as SystemName);
    this.type = this.#known?.name ?? end.type;
    this.#say = say;
  }

  lookUp(path: string): Field | undefined {
    return this.#known && find(this.#known.fields, plainPath(path));
  }

  /** The path as the connector spells it. */
  field(path: string, use: 'read' | 'write' | 'create' | 'depend'): string {
    if (!this.#known) return path;
    const field = this.lookUp(path);
    const type = this.#known;
    if (!field) {
      const names = type.fields.map((f) => f.name);
      this.#say(`${type.name} has no property "${path}"; ${suggest(path, names)}`);
      return path;
    }
    const name = `${type.name}.${field.name}`;
    if (field.refused !== undefined) this.#say(`${name} cannot be used: ${field.refused}`);
    const given = use === 'create' && (field.atCreation === true || type.idFields.includes(field.name));
    const writable = field.writable || given;
    const through = type.lists?.find((each) => field.name.startsWith(`${each}.`));
    if (through !== undefined && use !== 'read' && !path.includes('['))
      this.#say(
        `${name} goes through the list "${through}": select one element, ${through}[property="value"]${field.name.slice(through.length)}`,
      );
    if (use !== 'read' && use !== 'depend' && !writable)
      this.#say(
        field.atCreation
          ? `${name} can be given when a record is made, but not changed afterwards, so it cannot be kept in step`
          : `${name} cannot be written, so it cannot be kept in step`,
      );
    else if (use !== 'create' && field.unreadable)
      this.#say(`${name} is shown by no answer, so it can only be given when a record is made`);
    const spelled = field.name.split('.');
    const steps = pathSteps(path);
    const list = steps.findIndex((step) => step.where);
    if (steps.filter((step) => step.where).length > 1) this.#say(`"${path}" selects elements of two lists; one is possible`);
    if (list >= 0 && !type.lists?.includes(spelled.slice(0, list + 1).join('.')))
      this.#say(`${type.name}: ${this.system} cannot address single elements of "${spelled.slice(0, list + 1).join('.')}"`);
    return steps
      .map(({ where }, i) => (spelled[i] ?? '') + (where ? `[${where.property}=${JSON.stringify(where.value)}]` : ''))
      .join('.');
  }

  conditions(conditions: readonly Condition[]): Condition[] {
    return conditions.map((condition) => {
      for (const value of [condition.equals, condition.not, ...(condition.oneOf ?? [])]) this.word(condition.property, value);
      return { ...condition, property: this.field(condition.property, 'read') };
    });
  }

  /** A value for a field that takes certain words alone must be one of them. */
  word(path: string, value: unknown): void {
    const field = this.lookUp(path);
    if (typeof value !== 'string' || value === '' || !field?.words || field.words.includes(value)) return;
    this.#say(`${this.type}.${field.name} never is "${value}"; ${suggest(value, field.words)}`);
  }
}

/** Names a pair writes on a side, unless its direction spares it. */
const writes = (pair: Pair, side: Side): boolean => pair.direction !== (side === 'target' ? 'toSource' : 'toTarget');

type Ends = Readonly<Record<Side, End>>;

/** The pairs, names as the connectors spell them, in an order of their own: a flow is the same however it was written down. */
function checkPairs(pairs: FlowInput['properties'], at: Ends): Pair[] {
  const properties = pairs.map((pair): Pair => {
    const spelled = {
      source: at.source.field(pair.source, writes(pair, 'source') ? 'write' : 'read'),
      target: at.target.field(pair.target, writes(pair, 'target') ? 'write' : 'read'),
    };
    const when = SIDES.flatMap((side) => pair.when.filter((each) => each.side === side)).map((each) => ({
      ...each,
      property: at[each.side].field(each.property, 'depend'),
    }));
    const back = at.source.lookUp(pair.source)?.type ?? pair.type;
    return { ...pair, ...spelled, when, ...(pair.type === 'none' || back === pair.type ? {} : { back }) };
  });
  return properties.sort((a, b) => {
    const [x, y] = [a, b].map((each) => `${each.source}\n${each.target}\n${JSON.stringify(each.when)}`) as [string, string];
    return x < y ? -1 : x > y ? 1 : 0;
  });
}

/** What two pairs would both write. */
function* doubleWriters(properties: readonly Pair[]): Iterable<string> {
  for (const side of SIDES) {
    const opposite = side === 'source' ? 'target' : 'source';
    const seen = new Map<string, Pair>();
    for (const pair of properties.filter((each) => writes(each, side))) {
      const key = JSON.stringify([pair[side], pair.when]);
      const other = seen.get(key);
      if (other)
        yield `${side} property "${pair[side]}" stands in two pairs, with "${other[opposite]}" and "${pair[opposite]}", and both would write it; give all but one the direction "${side === 'source' ? 'toTarget' : 'toSource'}"`;
      seen.set(key, pair);
    }
  }
}

/** Checks one flow; its names come back as the connectors spell them, its problems one sentence each. */
export function validateFlow(flow: FlowInput, catalogues: readonly Catalogue[]): { flow: Flow; problems: readonly string[] } {
  const problems: string[] = [];
  const say = (text: string): void => void problems.push(text);
  const at = {
    source: new End(flow, { side: 'source', catalogues, say }),
    target: new End(flow, { side: 'target', catalogues, say }),
  };
  const properties = checkPairs(flow.properties, at);
  for (const problem of doubleWriters(properties)) say(problem);
  const end = (side: Side): Flow['source'] => ({
    system: at[side].system,
    type: at[side].type,
    scope: at[side].conditions(flow[side].scope),
  });
  const create = Object.fromEntries(
    Object.entries(flow.create).map(([key, value]) => {
      at.target.word(key, value);
      return [at.target.field(key, 'create'), value];
    }),
  );
  const match = flow.match.map((each) => ({
    ...each,
    source: at.source.field(each.source, 'read'),
    target: at.target.field(each.target, 'read'),
  }));
  const catalogue = catalogues.find((c) => c.system === at.source.system);
  const connected = flow.connected.map(({ type, property }) => {
    const known = find(catalogue?.types ?? [], type);
    if (!known && catalogue && catalogue.types.length > 0) say(unknownType(catalogue, type, ' to be connected to'));
    return { type: known?.name ?? type, property: at.source.field(property, 'read') };
  });
  connected.sort((a, b) => (a.type + a.property < b.type + b.property ? -1 : 1));
  const condition = flow.condition && {
    text: flow.condition.text ?? `If the condition of ${flow.name} is met`,
    where: at.source.conditions(flow.condition.where),
  };
  const { condition: _, ...rest } = flow;
  const checked: Flow = {
    ...rest,
    source: end('source'),
    target: end('target'),
    properties,
    match,
    connected,
    ...(condition ? { condition } : {}),
    create,
  };
  return { flow: checked, problems: [...new Set(problems)].map((text) => `flow "${flow.name}": ${text}`) };
}

/** What flows get wrong together. The first flow of each problem is the one that stands. */
export function checkTogether(flows: readonly Flow[]): { flow: string; problem: string }[] {
  const problems: { flow: string; problem: string }[] = [];
  for (const [i, flow] of flows.entries())
    for (const other of flows.slice(i + 1)) {
      if (flow.name === other.name)
        problems.push({
          flow: other.name,
          problem: `flow "${flow.name}": its name occurs twice; give each flow a name of its own`,
        });
      const same =
        flow.source.type === other.source.type &&
        flow.source.system === other.source.system &&
        flow.target.type === other.target.type &&
        flow.target.system === other.target.system;
      // Flows that only link what matches make no external ids.
      if (same && flow.relation !== 'match' && other.relation !== 'match')
        problems.push({
          flow: other.name,
          problem: `flows "${flow.name}" and "${other.name}" both create a ${flow.target.type} for a ${flow.source.type}: their external ids would collide; unite them`,
        });
    }
  return problems;
}

/**
 * Checks a parsed flows file against the catalogues of both systems and returns its flows, names spelled as the
 * connectors spell them. Throws TandemError with every problem at once.
 */
export function validateFlows(file: unknown, catalogues: readonly Catalogue[]): Flow[] {
  const parsed = flowsFileSchema.safeParse(file);
  if (!parsed.success) throw new TandemError(issuesInWords(parsed.error));
  const checked = parsed.data.flows.map((flow) => validateFlow(flow, catalogues));
  const flows = checked.map(({ flow }) => flow);
  const problems = [...checked.flatMap((each) => each.problems), ...checkTogether(flows).map(({ problem }) => problem)];
  if (problems.length > 0) throw new TandemError(problems);
  return flows;
}
