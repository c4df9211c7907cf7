import type { PropertyRow, Section } from '../flows/dataflow/document.ts';
import { readDocument } from '../flows/dataflow/read.ts';
import { writeDocument } from '../flows/dataflow/write.ts';
import { note } from './report.ts';

/** A dataflow document of 2,600 lines, as long as they come. */
export function measureReading(): void {
  const row = (i: number): PropertyRow => ({ source: `Property${i}`, target: `property.of.${i}`, type: '"string"', when: [] });
  const sections = Array.from({ length: 25 }, (_, n): Section => ({
    line: 0,
    from: `PowerOffice Go Type${n}`,
    to: `CRM Type${n}`,
    relation: 'merge-or-create',
    match: [['Code', 'code']],
    condition: null,
    connected: null,
    properties: Array.from({ length: 24 }, (_row, i) => row(i)),
  }));
  const text = writeDocument({ source: 'PowerOffice Go', target: 'CRM', generated: '2026-01-01 00:00:00', sections });
  const lines = text.split('\n').length;
  const times = Array.from({ length: 9 }, () => {
    const began = performance.now();
    readDocument(text, 'bench.rst');
    return performance.now() - began;
  });
  note({
    name: `reading a dataflow document of ${lines} lines, the first time`,
    value: times[0] ?? 0,
    unit: 'ms',
    target: 'under 100',
    met: (times[0] ?? 0) < 100,
  });
}
