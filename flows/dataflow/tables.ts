import type { Side } from '../side.ts';
import type { PropertyRow } from './document.ts';
import { LineReader, type Cell } from './lines.ts';
import type { Names } from './sentences.ts';

const DIRECTIVE = '.. list-table::';
const OPTION = '   :header-rows: 1';
const FIRST = '   * -';
const NEXT = '     -';
const PROPERTY = ' Property';
const DATA_TYPE = ' Data Type';
/** Data types that need nobody's interpretation. */
export const PLAIN_TYPES = ['"string"', '"integer"', '"float"', '"boolean"', '"decimal"', '"list"', '"first"', 'N/A'] as const;
const DEPENDANT = ' (Dependant on having ';
const HAVING_IN = ' in ';

/** Whether a line begins a table. */
export const isTable = (line: string): boolean => line === DIRECTIVE;

/** The tables of a section: its matches, and its properties. */
export class TableReader extends LineReader {
  /** Rows of a table, its header first. */
  #table(columns: number): Cell[][] {
    if (!this.skipBlank() || this.line !== DIRECTIVE) this.stop('the table is missing', DIRECTIVE);
    this.at += 1;
    if (this.line?.trimEnd() !== OPTION) this.stop('the table has no header', OPTION);
    this.at += 1;
    if (this.line?.trim() !== '') this.stop('no blank line before the rows', 'a blank line');
    this.skipBlank();
    const rows: Cell[][] = [];
    for (; this.line !== undefined && this.line.trim() !== ''; this.at += 1) {
      const first = this.#cell(FIRST);
      const next = first === null ? this.#cell(NEXT) : null;
      if (first) {
        this.#full(rows.at(-1), columns);
        rows.push([first]);
      } else if (next && rows.length > 0) rows.at(-1)?.push(next);
      else
        this.stop(
          /^\S/.test(this.line) ? 'a cell at column 0' : 'no cell of a table',
          rows.length === 0 ? `${FIRST} {cell}` : `${FIRST} {cell}, or ${NEXT} {cell}`,
        );
    }
    this.#full(rows.at(-1), columns);
    if (rows.length === 0) this.stop('the table has no header row', `${FIRST} {system and data type}${PROPERTY}`);
    return rows;
  }

  #full(row: readonly Cell[] | undefined, columns: number): void {
    if (row && row.length !== columns)
      this.stop(
        `a row of ${row.length} ${row.length === 1 ? 'cell' : 'cells'}`,
        `${columns} cells in each row of this table`,
        row[0]?.line ?? 0,
      );
  }

  #cell(mark: string): Cell | null {
    const line = this.line ?? '';
    if (line !== mark && !line.startsWith(`${mark} `)) return null;
    const whole = line.slice(mark.length + 1);
    const text = whole.trimEnd();
    if (text !== whole) this.warn(this.at, 'spaces at the end of a cell were cut');
    return { text, line: this.at };
  }

  #header(found: Cell | undefined, expected: string): void {
    if (found?.text !== expected) this.stop('the table header differs from the heading', expected, found?.line ?? this.at);
  }

  #filled(cell: Cell | undefined): string {
    if (!cell || cell.text.trim() === '') this.stop('an empty property cell', 'a property', cell?.line ?? this.at);
    return cell.text;
  }

  protected matchTable({ x, y }: Names): [string, string][] {
    const [header, ...rows] = this.#table(2);
    this.#header(header?.[0], x + PROPERTY);
    this.#header(header?.[1], y + PROPERTY);
    if (rows.length === 0) this.stop('the table of property combinations is empty', `${FIRST} {property}`);
    return rows.map(([left, right]) => [this.#filled(left), this.#filled(right)]);
  }

  protected propertyTable({ x, y }: Names): PropertyRow[] {
    const [header, ...rows] = this.#table(3);
    this.#header(header?.[0], x + PROPERTY);
    this.#header(header?.[1], y + PROPERTY);
    const typeHeading = header?.[2];
    // The system's name is spelled as its owner likes; a blank one leaves a space or nothing.
    if (!typeHeading || !` ${typeHeading.text}`.endsWith(DATA_TYPE))
      this.stop('malformed table header', `{system}${DATA_TYPE}`, typeHeading?.line);
    const out: PropertyRow[] = [];
    const seen = new Set<string>();
    const writers = new Map<string, { row: PropertyRow; line: number }>();
    for (const [left, right, third] of rows) {
      const source = this.#dependent(left, 'source');
      const target = this.#dependent(right, 'target');
      const row: PropertyRow = {
        source: source.property,
        target: target.property,
        type: third?.text ?? '',
        when: [...source.when, ...target.when],
      };
      const line = left?.line ?? 0;
      const key = JSON.stringify(row);
      if (seen.has(key)) {
        this.warn(line, `the pair "${row.source}" and "${row.target}" stands twice; kept once`);
        continue;
      }
      seen.add(key);
      if (!(PLAIN_TYPES as readonly string[]).includes(row.type))
        this.warn(
          third?.line ?? line,
          row.type === ''
            ? 'no data type is named: name one in the binding file before this flow is run'
            : `the data type "${row.type}" is an expression: name a data type in the binding file before this flow is run`,
        );
      if (row.when.length > 0)
        this.warn(line, `the mapping depends on ${whenInWords(row)}: it runs only where the system can express that`);
      const other = writers.get(JSON.stringify([row.target, row.when]));
      if (other && other.row.source !== row.source)
        this.warn(
          line,
          `"${other.row.source}" (line ${other.line + 1}) and "${row.source}" both feed "${row.target}": mark one as the writer in the binding file before this flow is run`,
        );
      else writers.set(JSON.stringify([row.target, row.when]), { row, line });
      out.push(row);
    }
    return out;
  }

  /** A property and what it depends on: any number of suffixes, none parted from the next. */
  #dependent(cell: Cell | undefined, side: Side): { property: string; when: PropertyRow['when'] } {
    const text = this.#filled(cell);
    const [property = '', ...suffixes] = text.split(DEPENDANT);
    const when = suffixes.map((suffix) => {
      const inner = suffix.endsWith(')') ? suffix.slice(0, -1) : '';
      const at = inner.lastIndexOf(HAVING_IN);
      if (at < 0 || inner.length === at + HAVING_IN.length)
        this.stop('malformed dependency', `{property}${DEPENDANT}{value}${HAVING_IN}{property})`, cell?.line);
      return { side, property: inner.slice(at + HAVING_IN.length), value: inner.slice(0, at) };
    });
    if (property.trim() === '') this.stop('an empty property cell', 'a property before what it depends on', cell?.line);
    return { property, when };
  }
}

function whenInWords(row: PropertyRow): string {
  return row.when.map(({ property, value }) => `${property} being "${value}"`).join(' and ');
}
