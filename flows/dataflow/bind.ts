import type { Catalogue } from '../catalogue.ts';
import type { DataType } from '../convert.ts';
import { CONDITIONAL, CONNECTED, flowSchema, MATCHING, type Condition, type Flow, type SystemName, type When } from '../flow.ts';
import { elementPath } from '../path.ts';
import type { Side } from '../side.ts';
import { validateFlow, checkTogether, suggest, type FlowInput } from '../validate.ts';
import { singular, typeOf, type Bindings, type SectionBinding } from './bindings.ts';
import type { Dataflow, PropertyRow, Section } from './document.ts';
import { PLAIN_TYPES } from './tables.ts';

/** A section that cannot run as it stands, and what to do about it. The others run all the same. */
export interface Refused {
  readonly line: number;
  readonly from: string;
  readonly to: string;
  readonly why: readonly string[];
}

const SIDE_KEY = { source: 'A', target: 'B' } as const;

/** The system whose name a document's name for it begins with: `PowerOffice Go` is `powerOffice`. */
function systemNamed(name: string, catalogues: readonly Catalogue[]): SystemName | undefined {
  const words = name.toLowerCase().split(/[^a-z0-9]+/);
  const begins = words.map((_, i) => words.slice(0, i + 1).join(''));
  return catalogues.find(({ system }) => begins.includes(system.toLowerCase()))?.system;
}

/** Turns a document and its bindings into flows. What a document leaves open and no binding says is refused, never guessed. */
export function bindDocument(
  document: Dataflow,
  bindings: Bindings,
  catalogues: readonly Catalogue[],
): { flows: Flow[]; refused: Refused[] } {
  const refused: Refused[] = [];
  const bound: { section: Section; flow: Flow }[] = [];
  const systems = systemsOf(document, bindings, catalogues);
  for (const section of document.sections) {
    const problems: string[] = [];
    const input = new Binder({ document, section, bindings, catalogues, systems, say: (text) => problems.push(text) }).flow();
    const refuse = (why: readonly string[]): void =>
      void refused.push({ line: section.line, from: section.from, to: section.to, why });
    if (problems.length > 0) {
      refuse(problems);
      continue;
    }
    const parsed = flowSchema.safeParse(input);
    if (!parsed.success) {
      refuse(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
      continue;
    }
    const checked = validateFlow(parsed.data, catalogues);
    if (checked.problems.length > 0) refuse(checked.problems);
    else bound.push({ section, flow: checked.flow });
  }
  // Of flows that cannot run together the first one runs.
  let flows = bound;
  for (const { flow: name, problem } of checkTogether(bound.map(({ flow }) => flow))) {
    const last = flows.findLast(({ flow }) => flow.name === name);
    if (!last || flows.length < 2) continue;
    flows = flows.filter((each) => each !== last);
    refused.push({ line: last.section.line, from: last.section.from, to: last.section.to, why: [problem] });
  }
  return { flows: flows.map(({ flow }) => flow), refused: refused.sort((a, b) => a.line - b.line) };
}

type Systems = Readonly<Record<Side, SystemName | { readonly unknown: string }>>;

function systemsOf(document: Dataflow, { systems }: Bindings, catalogues: readonly Catalogue[]): Systems {
  const known = catalogues.map(({ system }) => system);
  const said = (side: Side): SystemName | { unknown: string } | undefined => {
    const name = systems[SIDE_KEY[side]];
    if (name === undefined) return systemNamed(document[side], catalogues);
    const found = known.find((each) => each.toLowerCase() === name.toLowerCase());
    return found ?? { unknown: `the binding file calls the system ${SIDE_KEY[side]} "${name}"; ${suggest(name, known)}` };
  };
  const own = { source: said('source'), target: said('target') };
  const end = (side: Side): SystemName | { unknown: string } => {
    const found = own[side];
    if (found !== undefined) return found;
    const key = SIDE_KEY[side];
    if (document[side].trim() === '')
      return { unknown: `the document leaves system ${key} without a name: say "systems": { "${key}": … } in the binding file` };
    // There are two connectors: where one end is PowerOffice Go, another name is the CRM's.
    const other = own[side === 'source' ? 'target' : 'source'];
    return other === 'powerOffice'
      ? 'crm'
      : {
          unknown: `no connector is called "${document[side]}": say in the binding file which one it is, "systems": { "${key}": … }; ${suggest(document[side], known)}`,
        };
  };
  return { source: end('source'), target: end('target') };
}

interface BinderInput {
  readonly document: Dataflow;
  readonly section: Section;
  readonly bindings: Bindings;
  readonly catalogues: readonly Catalogue[];
  readonly systems: Systems;
  /** Told each thing that keeps the section from running. */
  readonly say: (text: string) => void;
}

/** One section on its way to a flow. */
class Binder {
  readonly #document: Dataflow;
  readonly #section: Section;
  readonly #bindings: Bindings;
  readonly #binding: SectionBinding | undefined;
  readonly #catalogues: readonly Catalogue[];
  readonly #systems: Systems;
  readonly #say: (text: string) => void;

  constructor({ document, section, bindings, catalogues, systems, say }: BinderInput) {
    this.#document = document;
    this.#section = section;
    this.#bindings = bindings;
    this.#binding = bindings.flows.find(({ from, to }) => from === section.from && to === section.to);
    this.#catalogues = catalogues;
    this.#systems = systems;
    this.#say = say;
  }

  flow(): unknown {
    const section = this.#section;
    const source = this.#end('source', section.from);
    const target = this.#end('target', section.to);
    if (!source || !target) return undefined;
    const binding = this.#binding;
    const condition = this.#condition();
    return {
      name: binding?.name ?? `${slug(source.name)}-${slug(target.name)}`,
      ...(binding?.description === undefined ? {} : { description: binding.description }),
      source: source.end,
      target: target.end,
      relation: section.relation,
      match: MATCHING.includes(section.relation)
        ? section.match.map(([left, right]) => ({
            source: left,
            target: right,
            normalise: binding?.match?.find((each) => each.source === left && each.target === right)?.normalise ?? [],
          }))
        : [],
      ...(condition ? { condition } : {}),
      connected: this.#connected(source),
      properties: this.#properties(source.end, target.end),
      ...(binding?.policy ? { policy: binding.policy } : {}),
      ...(binding?.onSourceDeleted ? { onSourceDeleted: binding.onSourceDeleted } : {}),
      ...(binding?.onTargetDeleted ? { onTargetDeleted: binding.onTargetDeleted } : {}),
      ...(binding?.create ? { create: binding.create } : {}),
    } satisfies Partial<Record<keyof FlowInput, unknown>>;
  }

  /** A side's system, and the record type that its data type means. */
  #end(side: Side, heading: string): { name: string; end: { system: SystemName; type: string; scope: Condition[] } } | null {
    const system = this.#systems[side];
    if (typeof system === 'object') {
      this.#say(system.unknown);
      return null;
    }
    const catalogue = this.#catalogues.find((each) => each.system === system);
    // The heading spells the system as it likes: what is left of it is the data type.
    const own = this.#document[side];
    const words = heading.trimStart().split(' ');
    const names = heading.toLowerCase().startsWith(`${own} `.toLowerCase())
      ? [heading.slice(own.length + 1)]
      : words.map((_, i) => words.slice(i).join(' '));
    for (const name of names) {
      const found = typeOf({ name, side, catalogue, bindings: this.#bindings });
      if (found) return { name, end: { system, ...found } };
    }
    this.#say(
      `${system} does not speak the data type of "${heading}"; known are ${catalogue?.types.map((type) => type.name).join(', ')}. Say in the binding file what it means: "types": { "${SIDE_KEY[side]}": { "${names[0] ?? heading}": { "type": … } } }`,
    );
    return null;
  }

  #condition(): { text: string; where: Condition[] } | null {
    const { relation, condition } = this.#section;
    if (!CONDITIONAL.includes(relation) || condition === null) return null;
    const where = this.#binding?.condition ?? this.#bindings.conditions[condition];
    if (where) return { text: condition, where };
    this.#say(`the condition "${condition}" is prose: say in the binding file which records meet it, "conditions": { … }`);
    return null;
  }

  #connected({ name, end }: { name: string; end: { system: SystemName; type: string } }): { type: string; property: string }[] {
    const { relation, connected, from } = this.#section;
    const { system } = end;
    const prefix = from.slice(0, from.length - name.length);
    if (!CONNECTED.includes(relation) || !connected) return [];
    const catalogue = this.#catalogues.find((each) => each.system === system);
    const source = catalogue?.types.find((each) => each.name === end.type);
    return connected.list.flatMap((item) => {
      const bound = this.#binding?.connected?.filter((each) => each.item === item) ?? [];
      if (bound.length > 0) return bound.map(({ type, property }) => ({ type, property }));
      const bare = prefix !== '' && item.startsWith(prefix) ? item.slice(prefix.length) : item;
      const type = typeOf({ name: bare, side: 'source', catalogue, bindings: this.#bindings })?.type;
      const fields = source?.fields.filter((field) => type !== undefined && field.refers?.includes(type)) ?? [];
      const [field] = fields;
      if (type !== undefined && field && fields.length === 1) return [{ type, property: field.name }];
      this.#say(
        type === undefined
          ? `${system} does not speak the data type "${item}", to which a record may be connected; say in the binding file what it means`
          : `it is not known by which property a ${source?.name ?? 'record'} refers to a ${type}: say so in the binding file, "connected": [{ "item": "${item}", "type": "${type}", "property": … }]`,
      );
      return [];
    });
  }

  #properties(source: { system: SystemName; type: string }, target: { system: SystemName; type: string }): unknown[] {
    const rows = this.#section.properties;
    const bindingOf = (row: PropertyRow): NonNullable<SectionBinding['properties']>[number] | undefined =>
      this.#binding?.properties?.find(
        (each) =>
          each.source === row.source &&
          each.target === row.target &&
          (each.when === undefined || JSON.stringify(each.when) === JSON.stringify(row.when)),
      );
    const isWriter = (row: PropertyRow): boolean => bindingOf(row)?.writer === true;
    return rows.map((row) => {
      const bound = bindingOf(row);
      const rivals = (side: Side): PropertyRow[] =>
        rows.filter((each) => each[side] === row[side] && JSON.stringify(each.when) === JSON.stringify(row.when));
      const sources = rivals('target');
      const settled = (each: PropertyRow): boolean => isWriter(each) || bindingOf(each)?.direction !== undefined;
      if (sources.length > 1 && !sources.some(settled) && sources[0] === row)
        this.#say(
          `${sources.map((each) => `"${each.source}"`).join(' and ')} all feed "${row.target}": mark one as the writer in the binding file, "properties": [{ "source": …, "target": "${row.target}", "writer": true }]`,
        );
      const type = bound?.type ?? plainType(row.type);
      if (type === null)
        this.#say(
          row.type === ''
            ? `"${row.source}" and "${row.target}" have no data type: name one in the binding file`
            : `the data type of "${row.source}" and "${row.target}" is an expression, ${row.type}: name a data type in the binding file instead`,
        );
      return {
        source: this.#element(row, 'source', source),
        target: this.#element(row, 'target', target),
        type: type ?? 'none',
        direction: bound?.direction ?? directionOf(row, rows, isWriter),
        when: row.when.filter((each) => this.#listOf(row, each, each.side === 'source' ? source : target) === null),
        ...(bound?.policy ? { policy: bound.policy } : {}),
      };
    });
  }

  /** The list of objects in which a property and the one it depends on both stand; null where it is the record itself. */
  #listOf(row: PropertyRow, when: When, end: { system: SystemName; type: string }): string | null {
    const type = this.#catalogues
      .find((each) => each.system === end.system)
      ?.types.find(({ name }) => name.toLowerCase() === end.type.toLowerCase());
    return type?.lists?.find((list) => row[when.side].startsWith(`${list}.`) && when.property.startsWith(`${list}.`)) ?? null;
  }

  /** The path of the one element that a dependent mapping is for. */
  #element(row: PropertyRow, side: Side, end: { system: SystemName; type: string }): string {
    let path = row[side];
    for (const when of row.when.filter((each) => each.side === side)) {
      const list = this.#listOf(row, when, end);
      if (list !== null)
        path = elementPath({
          list,
          property: when.property.slice(list.length + 1),
          value: when.value,
          rest: row[side].slice(list.length + 1),
        });
    }
    return path;
  }
}

/** Of rows that share a property, only the one that is marked writes it; where none shares one, both sides do. */
export function directionOf(
  row: PropertyRow,
  rows: readonly PropertyRow[],
  isWriter: (row: PropertyRow) => boolean,
): 'both' | 'toTarget' | 'toSource' {
  if (isWriter(row)) return 'both';
  const shared = (side: Side): boolean =>
    rows.some((each) => each !== row && each[side] === row[side] && JSON.stringify(each.when) === JSON.stringify(row.when));
  return shared('target') ? 'toSource' : shared('source') ? 'toTarget' : 'both';
}

function plainType(type: string): DataType | null {
  if (type === 'N/A') return 'none';
  return (PLAIN_TYPES as readonly string[]).includes(type) ? (type.slice(1, -1) as DataType) : null;
}

/** "Suppliers person" becomes "supplierperson". */
function slug(name: string): string {
  return (
    name
      .toLowerCase()
      .normalize('NFD')
      .replace(/[^a-z0-9 ]/g, '')
      .split(' ')
      .map(singular)
      .join('') || 'record'
  );
}
