import type { Catalogue } from '../catalogue.ts';
import { systemTitle } from '../names.ts';
import { CONNECTED, type Condition, type Flow, type Pair, type When } from '../flow.ts';
import { plainPath, pathSteps } from '../path.ts';
import type { Side } from '../side.ts';
import { TandemError } from '../tandemError.ts';
import { directionOf } from './bind.ts';
import { bindingsSchema, spelling, type Bindings, type SectionBinding } from './bindings.ts';
import type { Dataflow, PropertyRow, Section } from './document.ts';

/**
 * Flows as a document and the bindings that say the rest; binding what was read back gives the same flows.
 * `generated` is `YYYY-MM-DD HH:MM:SS`. Throws TandemError where flows run between different systems or directions.
 */
export function documentOf(
  flows: readonly Flow[],
  generated: string,
  catalogues: readonly Catalogue[],
): { document: Omit<Dataflow, 'warnings'>; bindings: Bindings } {
  const { systems, titles } = onePairOf(flows);
  const types: Bindings['types'] = { A: {}, B: {} };
  const headings = new Set<string>();
  const sections: Section[] = [];
  const bound: SectionBinding[] = [];
  for (const flow of flows) {
    const nameOf = (side: Side, plain: boolean): string => {
      const { type, scope } = flow[side];
      const catalogue = catalogues.find((each) => each.system === flow[side].system);
      const spelled = plain ? spelling(type, scope, catalogue) : null;
      if (spelled !== null) return spelled;
      const name = `${type} (${flow.name})`;
      types[side === 'source' ? 'A' : 'B'][name] = { type, scope };
      return name;
    };
    const heading = (plain: boolean): { from: string; to: string } => ({
      from: `${titles.source} ${nameOf('source', plain)}`,
      to: `${titles.target} ${nameOf('target', plain)}`,
    });
    const key = ({ from, to }: { from: string; to: string }): string => `${from} to ${to}`;
    let { from, to } = heading(true);
    if (headings.has(key({ from, to }))) ({ from, to } = heading(false));
    headings.add(key({ from, to }));
    const rows = flow.properties.map((pair) => ({ pair, row: rowOf(pair) }));
    sections.push({ from, to, ...sectionOf(flow, titles), properties: rows.map(({ row }) => row) });
    bound.push(bindingOf(flow, { from, to, system: titles.source, rows }));
  }
  return {
    document: { ...titles, generated, sections },
    bindings: bindingsSchema.parse({ systems, types, flows: bound }),
  };
}

/** The two systems of a document, in its order. */
function onePairOf(flows: readonly Flow[]): { systems: Bindings['systems']; titles: Readonly<Record<Side, string>> } {
  const [first] = flows;
  if (!first) throw new TandemError('there is no flow to write');
  const { source, target } = first;
  const other = flows.find((each) => each.source.system !== source.system || each.target.system !== target.system);
  if (other)
    throw new TandemError(
      `a document is for one ordered pair of systems, but "${first.name}" runs from ${source.system} to ${target.system} and "${other.name}" from ${other.source.system} to ${other.target.system}: write them from two flows files`,
    );
  return {
    systems: { A: source.system, B: target.system },
    titles: { source: systemTitle(source.system), target: systemTitle(target.system) },
  };
}

/** What a section says of its flow besides heading and properties. */
function sectionOf(
  { relation, match, condition, connected }: Flow,
  titles: Readonly<Record<Side, string>>,
): Omit<Section, 'from' | 'to' | 'properties'> {
  const types = [...new Set(connected.map(({ type }) => type))];
  return {
    line: 0,
    relation,
    match: match.map(({ source, target }) => [source, target] as const),
    condition: condition?.text ?? null,
    connected: CONNECTED.includes(relation)
      ? { list: types.map((type, i) => (i === 0 ? `${titles.source} ${type}` : type)), into: titles.target }
      : null,
  };
}

function bindingOf(
  flow: Flow,
  { from, to, system, rows }: { from: string; to: string; system: string; rows: readonly { pair: Pair; row: PropertyRow }[] },
): SectionBinding {
  const condition: Condition[] | undefined = flow.condition?.where;
  const match = flow.match.filter((each) => each.normalise.length > 0);
  const properties = rows.flatMap(({ pair, row }) => {
    const shared = (side: Side): boolean =>
      rows.some((each) => each.row !== row && each.row[side] === row[side] && sameWhen(each.row, row));
    const twin = rows.some((each) => each.row !== row && each.row.source === row.source && each.row.target === row.target);
    const writer = pair.direction === 'both' && (shared('source') || shared('target'));
    const said = directionOf(
      row,
      rows.map((each) => each.row),
      () => writer,
    );
    // Several sources of one target must say who writes, even where none of them does both ways.
    const plain = said === pair.direction && !shared('target');
    if (!writer && plain && pair.policy === undefined) return [];
    return [
      {
        source: row.source,
        target: row.target,
        ...(twin || row.when.length > 0 ? { when: [...row.when] } : {}),
        ...(pair.policy ? { policy: pair.policy } : {}),
        ...(writer ? { writer } : plain ? {} : { direction: pair.direction }),
      },
    ];
  });
  const first = flow.connected[0]?.type;
  return {
    from,
    to,
    name: flow.name,
    ...(flow.description === undefined ? {} : { description: flow.description }),
    policy: flow.policy,
    onSourceDeleted: flow.onSourceDeleted,
    onTargetDeleted: flow.onTargetDeleted,
    ...(Object.keys(flow.create).length > 0 ? { create: flow.create } : {}),
    ...(condition ? { condition } : {}),
    ...(match.length > 0 ? { match } : {}),
    ...(flow.connected.length > 0
      ? {
          connected: flow.connected.map((each) => ({
            item: each.type === first ? `${system} ${each.type}` : each.type,
            ...each,
          })),
        }
      : {}),
    ...(properties.length > 0 ? { properties } : {}),
  };
}

const sameWhen = (a: PropertyRow, b: PropertyRow): boolean => JSON.stringify(a.when) === JSON.stringify(b.when);

/** A pair as a row: an element that it selects becomes what the mapping depends on. */
function rowOf(pair: Pair): PropertyRow {
  const selected = (side: Side): When[] => {
    const steps = pathSteps(pair[side]);
    return steps.flatMap(({ where }, i) => {
      const list = steps.slice(0, i + 1).map(({ name }) => name);
      return where ? [{ side, property: [...list, where.property].join('.'), value: where.value }] : [];
    });
  };
  return {
    source: plainPath(pair.source),
    target: plainPath(pair.target),
    type: pair.type === 'none' ? 'N/A' : `"${pair.type}"`,
    // As a document has them: those of the left cell first.
    when: (['source', 'target'] as const).flatMap((side) => [
      ...selected(side),
      ...pair.when.filter((each) => each.side === side),
    ]),
  };
}
