import type { Dataflow, PropertyRow, Section } from './document.ts';
import { BODIES, conditionSentence, connectedSentence, SENTENCES, type Key, type Names } from './sentences.ts';

const INTRODUCTION = 'This document tells which records of the two systems are kept in step, and how. It was written by Tandem.';

/** Writes a document as the format has it; reading it gives the same document, lines and warnings aside. */
export function writeDocument(document: Omit<Dataflow, 'warnings'>): string {
  const title = `${document.source} to ${document.target} Dataflow`;
  const rule = '='.repeat(title.length);
  const head = [rule, title, rule, '', `Generated: ${document.generated}`, '', 'Introduction', '-'.repeat(12), '', INTRODUCTION];
  return [...head, '', '', ...document.sections.flatMap((section) => [...sectionLines(section, document.target), '', ''])].join(
    '\n',
  );
}

function sectionLines(section: Section, system: string): string[] {
  const names: Names = { x: section.from, y: section.to };
  const heading = `${section.from} to ${section.to}`;
  const body = BODIES.find(({ relation }) => relation === section.relation)?.keys ?? [];
  const sentence = (key: Key): string => {
    if (key === 'W') return conditionSentence(section.condition ?? '', names);
    if (key === 'N') return connectedSentence(section.connected?.list ?? [], section.connected?.into ?? '', names);
    return SENTENCES[key](names);
  };
  const paragraph = (key: Key): string[] => {
    if (key === 'I1') return [sentence('I1')];
    if (key === 'M')
      return [sentence('M'), '', ...tableLines([[`${names.x} Property`, `${names.y} Property`], ...section.match]), ''];
    return [sentence(key), ''];
  };
  const rows = [...section.properties].sort((a, b) => (a.source < b.source ? -1 : a.source > b.source ? 1 : 0));
  return [
    heading,
    '-'.repeat(heading.length),
    '',
    ...body.flatMap(paragraph),
    sentence('O'),
    '',
    sentence('P'),
    '',
    ...tableLines([
      [`${names.x} Property`, `${names.y} Property`, `${system} Data Type`],
      ...rows.map((row) => [cell(row, 'source'), cell(row, 'target'), row.type]),
    ]),
  ];
}

function cell(row: PropertyRow, side: 'source' | 'target'): string {
  const suffixes = row.when.filter((each) => each.side === side);
  return row[side] + suffixes.map(({ value, property }) => ` (Dependant on having ${value} in ${property})`).join('');
}

function tableLines(rows: readonly (readonly string[])[]): string[] {
  return [
    '.. list-table::',
    '   :header-rows: 1',
    '',
    ...rows.flatMap((cells) => cells.map((text, i) => (i === 0 ? '   * - ' : '     - ') + text)),
  ];
}
