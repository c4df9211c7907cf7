import { writeFileSync } from 'node:fs';
import { table } from '../client/cli/table.ts';
import type { Figure } from './figures.ts';

const figures: Figure[] = [];

export const say = (text: string): void => console.log(`  ${text}`);

/** Puts a figure on the table, and says it at once. */
export function note({
  name,
  value,
  unit,
  target,
  met,
}: {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target: string;
  readonly met: boolean;
}): void {
  figures.push({ name, value: Math.round(value * 1000) / 1000, unit, target, met });
  say(`${met ? '✓' : '✗'} ${name}: ${Math.round(value * 100) / 100} ${unit} (${target})`);
}

/** Prints the table of all figures, and writes them to `json`; tells whether every target was met. */
export function report(json: string | undefined): boolean {
  console.log(
    `\n${table(
      ['figure', 'value', 'unit', 'target', 'met'],
      figures.map((each) => [each.name, String(each.value), each.unit, each.target, each.met ? 'yes' : 'NO']),
    )}`,
  );
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`);
  return figures.every((each) => each.met);
}
