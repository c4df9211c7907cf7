import * as fc from 'fast-check';
import type { Dataflow, PropertyRow, Section } from '../../../flows/dataflow/document.ts';
import { RELATIONS } from '../../../flows/flow.ts';
import { PLAIN_TYPES } from '../../../flows/dataflow/tables.ts';

/** A section written line by line, as the format has it, apart from Tandem's own writer. */
export interface Parts {
  readonly heading?: string;
  readonly body: readonly string[];
  readonly rows?: readonly (readonly string[])[];
  readonly x?: string;
  readonly y?: string;
  readonly system?: string;
}

export const matchTable = (x: string, y: string, rows: readonly (readonly string[])[]): string[] => [
  `A ${x} will merge with a ${y} if one of the following property combinations match:`,
  '',
  '.. list-table::',
  '   :header-rows: 1',
  '',
  `   * - ${x} Property`,
  `     - ${y} Property`,
  ...rows.flatMap(([left, right]) => [`   * - ${left}`, `     - ${right}`]),
  '',
];

export function sectionText({ heading, body, rows = [], x = 'Acme Orders', y = 'Hub Deals', system = 'Hub' }: Parts): string[] {
  const title = heading ?? `${x} to ${y}`;
  return [
    title,
    '-'.repeat(title.length),
    '',
    ...body,
    '',
    `Once a link between a ${x} and a ${y} is established, it will keep in sync between the two systems, regardless of where it is edited.`,
    '',
    `The following properties are synchronized between a ${x} and a ${y}:`,
    '',
    '.. list-table::',
    '   :header-rows: 1',
    '',
    `   * - ${x} Property`,
    `     - ${y} Property`,
    `     - ${system} Data Type`,
    ...rows.flatMap(([a, b, c]) => [`   * - ${a}`, `     - ${b}`, `     - ${c}`]),
    '',
    '',
  ];
}

export function documentText(sections: readonly (readonly string[])[], a = 'Acme', b = 'Hub'): string {
  const title = `${a} to ${b} Dataflow`;
  const rule = '='.repeat(title.length);
  return [
    rule,
    title,
    rule,
    '',
    'Generated: 2026-03-04 05:06:07',
    '',
    'Introduction',
    '------------',
    '',
    'This document describes the dataflow between Acme and Hub.',
    '',
    '',
    ...sections.flat(),
  ].join('\n');
}

const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,8}$/);
const words = fc.array(word, { minLength: 1, maxLength: 3 }).map((each) => each.join(' '));
const path = fc.oneof(
  fc.array(word, { minLength: 1, maxLength: 3 }).map((each) => each.join('.')),
  fc.constantFrom('$original_id', 'ns:P1', 'variants..sku', 'info.addresses.city'),
);
const when = fc.record({
  side: fc.constantFrom('source' as const, 'target' as const),
  property: path,
  value: fc.oneof(fc.constant(''), words, fc.constant('a (b) c')),
});
const row: fc.Arbitrary<PropertyRow> = fc.record({
  source: path,
  target: path,
  type: fc.oneof(fc.constantFrom(...PLAIN_TYPES), fc.constant('x => x.trim().toUpperCase()')),
  when: fc
    .array(when, { maxLength: 2 })
    .map((each) => [...each.filter(({ side }) => side === 'source'), ...each.filter(({ side }) => side === 'target')]),
});

const section = (a: string, b: string): fc.Arbitrary<Section> =>
  fc
    .record({
      x: words,
      y: words,
      relation: fc.constantFrom(...RELATIONS),
      match: fc.uniqueArray(fc.tuple(path, path), { minLength: 1, maxLength: 3, selector: (each) => each.join(' ') }),
      condition: words.map((each) => `If ${each} is open, and paid`),
      list: fc.uniqueArray(words, { minLength: 1, maxLength: 4 }),
      rows: fc.uniqueArray(row, { maxLength: 5, selector: (each) => JSON.stringify(each) }),
    })
    .map(({ x, y, relation, match, condition, list, rows }) => ({
      line: 0,
      from: `${a} ${x}`,
      to: `${b} ${y}`,
      relation,
      match: /match|merge/.test(relation) ? match : [],
      condition: relation.startsWith('conditional') ? condition : null,
      connected: relation.includes('connected') ? { list: [`${a} ${list[0]}`, ...list.slice(1)], into: b } : null,
      properties: rows.toSorted((p, q) => (p.source < q.source ? -1 : p.source > q.source ? 1 : 0)),
    }));

/** Documents of every body and many oddities. */
export const documents: fc.Arbitrary<Omit<Dataflow, 'warnings'>> = fc
  .tuple(words, fc.oneof(words, fc.constant('')))
  .chain(([a, b]) =>
    fc.record({
      source: fc.constant(a),
      target: fc.constant(b),
      generated: fc.constant('2026-03-04 05:06:07'),
      sections: fc.uniqueArray(section(a, b), { maxLength: 4, selector: ({ from, to }) => `${from} to ${to}` }),
    }),
  )
  // Without a section nothing tells which "to" of a title stands between the systems.
  .filter(({ source, target, sections }) => sections.length > 0 || !/\bto\b/.test(`${source} ${target}`));
