import type { Side } from '../side.ts';
import { TandemError } from '../tandemError.ts';
import { type Connected, type Dataflow, type DocumentProblem, type PropertyRow, type Section, type Warning } from './document.ts';
import { BODIES, sentenceOf, shapeOf, wordingOf, type Names, type Sentence } from './sentences.ts';

const TITLE_END = ' Dataflow';
const TO = ' to ';
const GENERATED = /^Generated: (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)$/;
const INTRODUCTION = /^Introduction\.?$/;
const INTRODUCTION_RULE = '-'.repeat(12);
const RULE = /^-+$/;
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

/** What stops the reading of a section; the next one is read all the same. */
class Stop extends Error {
  readonly problem: DocumentProblem;
  constructor(problem: DocumentProblem) {
    super(problem.what);
    this.problem = problem;
  }
}

interface Cell {
  readonly text: string;
  readonly line: number;
}

/**
 * Reads a dataflow document. Everything that is odd and yet clear is kept, with a warning where a person should know.
 * Throws TandemError with the first problem of the head and of every section.
 */
export function readDocument(text: string, file: string): Dataflow {
  return new Reader(text).read(file);
}

class Reader {
  readonly #lines: readonly string[];
  readonly #warnings: Warning[] = [];
  /** Index of the line that is read next. */
  #at = 0;

  constructor(text: string) {
    this.#lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  }

  read(file: string): Dataflow {
    const problems: DocumentProblem[] = [];
    const sections: Section[] = [];
    try {
      const title = this.#title();
      const generated = this.#generated();
      this.#introduction();
      while (this.#skipBlank()) {
        try {
          sections.push(this.#section());
        } catch (error) {
          if (!(error instanceof Stop)) throw error;
          problems.push(error.problem);
          this.#toNextHeading();
        }
      }
      const united = this.#unite(sections, problems);
      if (problems.length === 0) {
        const { source, target } = systemsOf(title.text, united);
        this.#warnBlank(target, title.line, united);
        this.#warnings.sort((a, b) => a.line - b.line);
        return { source, target, generated, sections: united, warnings: this.#warnings };
      }
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      problems.push(error.problem);
    }
    problems.sort((a, b) => a.line - b.line);
    throw new TandemError(
      problems.map(({ line, found, what, expected }) => ({
        where: `${file}:${line}`,
        what,
        next: `expected: ${expected}`,
        quote: { line, text: found },
      })),
    );
  }

  // Lines.

  get #line(): string | undefined {
    return this.#lines[this.#at];
  }

  #stop(what: string, expected: string, at = this.#at): never {
    const found = this.#lines[at];
    throw new Stop({ line: Math.min(at + 1, this.#lines.length), found: found ?? '', what, expected });
  }

  #warn(at: number, text: string): void {
    this.#warnings.push({ line: at + 1, text });
  }

  /** Goes to the next line with something on it; false where there is none. */
  #skipBlank(): boolean {
    while (this.#line !== undefined && this.#line.trim() === '') this.#at += 1;
    return this.#line !== undefined;
  }

  #isHeading(at: number): boolean {
    return (this.#lines[at] ?? '').trim() !== '' && !RULE.test(this.#lines[at] ?? '') && RULE.test(this.#lines[at + 1] ?? '');
  }

  #toNextHeading(): void {
    for (this.#at += 1; this.#line !== undefined; this.#at += 1) if (this.#isHeading(this.#at)) return;
  }

  // The head.

  #title(): Cell {
    this.#skipBlank();
    const [over, title, under] = [0, 1, 2].map((more) => this.#lines[this.#at + more]);
    if (over === undefined || !/^=+$/.test(over))
      this.#stop('the document does not begin with a title', 'a line of "=", as long as the title below it');
    this.#at += 1;
    const end = title?.endsWith(TITLE_END) ? title.slice(0, -TITLE_END.length) : null;
    if (title === undefined || end === null || end.indexOf(TO) < 1 || title.trimStart() !== title)
      this.#stop('malformed title', '{system} to {system} Dataflow');
    if (over.length !== title.length)
      this.#stop('the line over the title is not as long as the title', '='.repeat(title.length), this.#at - 1);
    this.#at += 1;
    if (under !== over) this.#stop('the line under the title is not as long as the title', over);
    this.#at += 1;
    return { text: end, line: this.#at - 2 };
  }

  #generated(): string {
    this.#skipBlank();
    const match = GENERATED.exec(this.#line ?? '');
    const [, date = '', time = ''] = match ?? [];
    const instant = new Date(`${date}T${time}Z`);
    if (!match || Number.isNaN(instant.getTime()) || instant.toISOString().slice(0, 19) !== `${date}T${time}`)
      this.#stop('malformed date', 'Generated: YYYY-MM-DD HH:MM:SS');
    this.#at += 1;
    return `${date} ${time}`;
  }

  /** The heading and one paragraph, which is anybody's own. */
  #introduction(): void {
    this.#skipBlank();
    if (!INTRODUCTION.test(this.#line ?? '')) this.#stop('the introduction is missing', 'Introduction');
    this.#at += 1;
    if (this.#line !== INTRODUCTION_RULE) this.#stop('the introduction is not underlined', INTRODUCTION_RULE);
    this.#at += 1;
    if (!this.#skipBlank() || this.#isHeading(this.#at)) return;
    for (; this.#line !== undefined && this.#line.trim() !== '' && !this.#isHeading(this.#at); this.#at += 1)
      if (RULE.test(this.#line)) this.#stop('an underline without its heading', 'a paragraph of introduction, or a heading');
  }

  // A section.

  #section(): Section {
    const line = this.#at + 1;
    const names = this.#heading();
    const sentences: Sentence[] = [];
    let match: [string, string][] = [];
    let condition: string | null = null;
    let connected: Connected | null = null;
    for (;;) {
      const sentence = this.#sentence(names, sentences);
      if (sentence === null) break;
      sentences.push(sentence);
      if (sentence.key === 'M') match = this.#matchTable(names);
      if (sentence.key === 'W') {
        condition = sentence.condition;
        this.#warn(
          this.#at - 1,
          `the condition "${condition}" is prose: bind it to a predicate in the binding file before this flow is run`,
        );
      }
      if (sentence.key === 'N') connected = { list: sentence.list, into: sentence.into };
    }
    const body = BODIES.find(({ keys }) => keys.join() === sentences.map(({ key }) => key).join());
    if (!body) throw new Error('a body was accepted that is none');
    const properties = this.#propertyTable(names);
    return { line, from: names.x, to: names.y, relation: body.relation, match, condition, connected, properties };
  }

  /** A heading may hold " to " more than once; the sentences below tell which one parts the names. */
  #heading(): Names {
    const text = this.#line ?? '';
    const under = this.#lines[this.#at + 1];
    if (under === undefined || !RULE.test(under))
      this.#stop(
        shapeOf(text) ? 'a sentence where a section should begin' : 'neither a heading nor a sentence',
        'a heading, {system and data type} to {system and data type}, underlined with "-"',
      );
    if (under.length !== text.length)
      this.#stop('the line under the heading is not as long as the heading', '-'.repeat(text.length), this.#at + 1);
    const splits = splitsOf(text).filter(({ x, y }) => x.trim() !== '' && y.trim() !== '');
    const [first] = splits;
    if (!first) this.#stop('malformed heading', '{system and data type} to {system and data type}');
    let names = first;
    if (splits.length > 1) {
      const below: string[] = [];
      for (let at = this.#at + 2; at < this.#lines.length && !this.#isHeading(at); at++) below.push(this.#lines[at] ?? '');
      const fitting = (split: Names): number => below.filter((each) => sentenceOf(each, split) !== null).length;
      names = splits.reduce((best, split) => (fitting(split) > fitting(best) ? split : best), first);
    }
    this.#at += 2;
    return names;
  }

  /** The next sentence of the body; null once O and P have ended it. */
  #sentence(names: Names, before: readonly Sentence[]): Sentence | null {
    const keys = before.map(({ key }) => key);
    const open = BODIES.filter((body) => keys.every((key, i) => body.keys[i] === key));
    const next = new Set(open.map((body) => body.keys[keys.length] ?? 'O'));
    const wanted = [...next].map((key) => wordingOf(key, names)).join('\n      |       or: ');
    if (!this.#skipBlank()) this.#stop('the document ends within a section', wanted);
    const line = this.#line ?? '';
    const sentence = sentenceOf(line, names);
    if (!sentence) {
      const key = shapeOf(line);
      if (key) this.#stop('the names differ from those of the heading', wordingOf(key, names));
      if (line === DIRECTIVE) this.#stop('a table where a sentence should stand', wanted);
      if (this.#isHeading(this.#at)) this.#stop('the section ends too early', wanted);
      this.#stop('unknown sentence', wanted);
    }
    if (!next.has(sentence.key))
      this.#stop(keys.length === 0 ? 'a section cannot begin with this sentence' : 'this sentence cannot stand here', wanted);
    this.#at += 1;
    if (sentence.key !== 'O') return sentence;
    const last = wordingOf('P', names);
    if (!this.#skipBlank()) this.#stop('the document ends within a section', last);
    if (this.#line !== last)
      this.#stop(
        shapeOf(this.#line ?? '') === 'P'
          ? 'the names differ from those of the heading'
          : 'the sentence on properties is missing',
        last,
      );
    this.#at += 1;
    return null;
  }

  // Tables.

  /** Rows of a table, its header first. */
  #table(columns: number): Cell[][] {
    if (!this.#skipBlank() || this.#line !== DIRECTIVE) this.#stop('the table is missing', DIRECTIVE);
    this.#at += 1;
    if (this.#line?.trimEnd() !== OPTION) this.#stop('the table has no header', OPTION);
    this.#at += 1;
    if (this.#line?.trim() !== '') this.#stop('no blank line before the rows', 'a blank line');
    this.#skipBlank();
    const rows: Cell[][] = [];
    for (; this.#line !== undefined && this.#line.trim() !== ''; this.#at += 1) {
      const first = this.#cell(FIRST);
      const next = first === null ? this.#cell(NEXT) : null;
      if (first) {
        this.#full(rows.at(-1), columns);
        rows.push([first]);
      } else if (next && rows.length > 0) rows.at(-1)?.push(next);
      else
        this.#stop(
          /^\S/.test(this.#line) ? 'a cell at column 0' : 'no cell of a table',
          rows.length === 0 ? `${FIRST} {cell}` : `${FIRST} {cell}, or ${NEXT} {cell}`,
        );
    }
    this.#full(rows.at(-1), columns);
    if (rows.length === 0) this.#stop('the table has no header row', `${FIRST} {system and data type}${PROPERTY}`);
    return rows;
  }

  #full(row: readonly Cell[] | undefined, columns: number): void {
    if (row && row.length !== columns)
      this.#stop(
        `a row of ${row.length} ${row.length === 1 ? 'cell' : 'cells'}`,
        `${columns} cells in each row of this table`,
        row[0]?.line ?? 0,
      );
  }

  #cell(mark: string): Cell | null {
    const line = this.#line ?? '';
    if (line !== mark && !line.startsWith(`${mark} `)) return null;
    const whole = line.slice(mark.length + 1);
    const text = whole.trimEnd();
    if (text !== whole) this.#warn(this.#at, 'spaces at the end of a cell were cut');
    return { text, line: this.#at };
  }

  #header(found: Cell | undefined, expected: string): void {
    if (found?.text !== expected) this.#stop('the table header differs from the heading', expected, found?.line ?? this.#at);
  }

  #filled(cell: Cell | undefined): string {
    if (!cell || cell.text.trim() === '') this.#stop('an empty property cell', 'a property', cell?.line ?? this.#at);
    return cell.text;
  }

  #matchTable({ x, y }: Names): [string, string][] {
    const [header, ...rows] = this.#table(2);
    this.#header(header?.[0], x + PROPERTY);
    this.#header(header?.[1], y + PROPERTY);
    if (rows.length === 0) this.#stop('the table of property combinations is empty', `${FIRST} {property}`);
    return rows.map(([left, right]) => [this.#filled(left), this.#filled(right)]);
  }

  #propertyTable({ x, y }: Names): PropertyRow[] {
    const [header, ...rows] = this.#table(3);
    this.#header(header?.[0], x + PROPERTY);
    this.#header(header?.[1], y + PROPERTY);
    const typeHeading = header?.[2];
    // The system's name is spelled as its owner likes; a blank one leaves a space or nothing.
    if (!typeHeading || !` ${typeHeading.text}`.endsWith(DATA_TYPE))
      this.#stop('malformed table header', `{system}${DATA_TYPE}`, typeHeading?.line);
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
        this.#warn(line, `the pair "${row.source}" and "${row.target}" stands twice; kept once`);
        continue;
      }
      seen.add(key);
      if (!(PLAIN_TYPES as readonly string[]).includes(row.type))
        this.#warn(
          third?.line ?? line,
          row.type === ''
            ? 'no data type is named: name one in the binding file before this flow is run'
            : `the data type "${row.type}" is an expression: name a data type in the binding file before this flow is run`,
        );
      if (row.when.length > 0)
        this.#warn(line, `the mapping depends on ${whenInWords(row)}: it runs only where the system can express that`);
      const other = writers.get(JSON.stringify([row.target, row.when]));
      if (other && other.row.source !== row.source)
        this.#warn(
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
        this.#stop('malformed dependency', `{property}${DEPENDANT}{value}${HAVING_IN}{property})`, cell?.line);
      return { side, property: inner.slice(at + HAVING_IN.length), value: inner.slice(0, at) };
    });
    if (property.trim() === '') this.#stop('an empty property cell', 'a property before what it depends on', cell?.line);
    return { property, when };
  }

  // The whole.

  /** A heading that comes again with the same relation continues its section. */
  #unite(sections: readonly Section[], problems: DocumentProblem[]): Section[] {
    const known = new Map<string, Section>();
    for (const section of sections) {
      const key = JSON.stringify([section.from, section.to]);
      const first = known.get(key);
      if (!first) known.set(key, section);
      else if (first.relation !== section.relation)
        problems.push({
          line: section.line,
          found: this.#lines[section.line - 1] ?? '',
          what: `the heading of line ${first.line} comes again with another relation (${section.relation})`,
          expected: `the relation of line ${first.line} (${first.relation}), or another heading`,
        });
      else {
        this.#warn(section.line - 1, `the heading of line ${first.line} comes again: both are one section`);
        known.set(key, union(first, section));
      }
    }
    return [...known.values()];
  }

  #warnBlank(target: string, title: number, sections: readonly Section[]): void {
    const what = 'the second system has no name: say which one it is in the binding file before its flows are run';
    if (target.trim() === '') return this.#warn(title, what);
    for (const section of sections) if (section.to.startsWith(' ')) this.#warn(section.line - 1, what);
  }
}

/** Every way to part "X to Y" in two. */
function splitsOf(text: string): Names[] {
  const out: Names[] = [];
  for (let at = text.indexOf(TO); at >= 0; at = text.indexOf(TO, at + 1))
    out.push({ x: text.slice(0, at), y: text.slice(at + TO.length) });
  return out;
}

/** The title's two systems; where " to " stands in it more than once, as most headings have them. */
function systemsOf(title: string, sections: readonly Section[]): { source: string; target: string } {
  const fitting = ({ x, y }: Names): number =>
    sections.filter(({ from }) => from.startsWith(`${x} `)).length + sections.filter(({ to }) => to.startsWith(`${y} `)).length;
  const splits = splitsOf(title).filter(({ x }) => x.trim() !== '');
  const best = splits.reduce((a, b) => (fitting(b) > fitting(a) ? b : a), splits[0] ?? { x: title, y: '' });
  return { source: best.x, target: best.y };
}

function whenInWords(row: PropertyRow): string {
  return row.when.map(({ property, value }) => `${property} being "${value}"`).join(' and ');
}

function union(a: Section, b: Section): Section {
  const apart = <T>(items: readonly T[]): T[] => [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
  return {
    ...a,
    match: apart([...a.match, ...b.match]),
    condition: a.condition === b.condition ? a.condition : `${a.condition}\n${b.condition}`,
    connected:
      a.connected && b.connected
        ? { list: apart([...a.connected.list, ...b.connected.list]), into: a.connected.into }
        : a.connected,
    properties: apart([...a.properties, ...b.properties]).sort((x, y) =>
      x.source < y.source ? -1 : x.source > y.source ? 1 : 0,
    ),
  };
}
