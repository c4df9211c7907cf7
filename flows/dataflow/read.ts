import { TandemError } from '../tandemError.ts';
import type { Connected, Dataflow, DocumentProblem, Section } from './document.ts';
import { RULE, Stop, type Cell } from './lines.ts';
import { BODIES, sentenceOf, shapeOf, wordingOf, type Names, type Sentence } from './sentences.ts';
import { isTable, TableReader } from './tables.ts';
import { splitsOf, systemsOf, union } from './unite.ts';

const TITLE_END = ' Dataflow';
const TO = ' to ';
const GENERATED = /^Generated: (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)$/;
const INTRODUCTION = /^Introduction\.?$/;
const INTRODUCTION_RULE = '-'.repeat(12);

/**
 * Reads a dataflow document. Everything that is odd and yet clear is kept, with a warning where a person should know.
 * Throws TandemError with the first problem of the head and of every section.
 */
export function readDocument(text: string, file: string): Dataflow {
  return new Reader(text).read(file);
}

class Reader extends TableReader {
  read(file: string): Dataflow {
    const problems: DocumentProblem[] = [];
    const sections: Section[] = [];
    try {
      const title = this.#title();
      const generated = this.#generated();
      this.#introduction();
      while (this.skipBlank()) {
        try {
          sections.push(this.#section());
        } catch (error) {
          if (!(error instanceof Stop)) throw error;
          problems.push(error.problem);
          this.toNextHeading();
        }
      }
      const united = this.#unite(sections, problems);
      if (problems.length === 0) {
        const { source, target } = systemsOf(title.text, united);
        this.#warnBlank(target, title.line, united);
        this.warnings.sort((a, b) => a.line - b.line);
        return { source, target, generated, sections: united, warnings: this.warnings };
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

  // The head.

  #title(): Cell {
    this.skipBlank();
    const [over, title, under] = [0, 1, 2].map((more) => this.lines[this.at + more]);
    if (over === undefined || !/^=+$/.test(over))
      this.stop('the document does not begin with a title', 'a line of "=", as long as the title below it');
    this.at += 1;
    const end = title?.endsWith(TITLE_END) ? title.slice(0, -TITLE_END.length) : null;
    if (title === undefined || end === null || end.indexOf(TO) < 1 || title.trimStart() !== title)
      this.stop('malformed title', '{system} to {system} Dataflow');
    if (over.length !== title.length)
      this.stop('the line over the title is not as long as the title', '='.repeat(title.length), this.at - 1);
    this.at += 1;
    if (under !== over) this.stop('the line under the title is not as long as the title', over);
    this.at += 1;
    return { text: end, line: this.at - 2 };
  }

  #generated(): string {
    this.skipBlank();
    const match = GENERATED.exec(this.line ?? '');
    const [, date = '', time = ''] = match ?? [];
    const instant = new Date(`${date}T${time}Z`);
    if (!match || Number.isNaN(instant.getTime()) || instant.toISOString().slice(0, 19) !== `${date}T${time}`)
      this.stop('malformed date', 'Generated: YYYY-MM-DD HH:MM:SS');
    this.at += 1;
    return `${date} ${time}`;
  }

  /** The heading and one paragraph, which is anybody's own. */
  #introduction(): void {
    this.skipBlank();
    if (!INTRODUCTION.test(this.line ?? '')) this.stop('the introduction is missing', 'Introduction');
    this.at += 1;
    if (this.line !== INTRODUCTION_RULE) this.stop('the introduction is not underlined', INTRODUCTION_RULE);
    this.at += 1;
    if (!this.skipBlank() || this.isHeading(this.at)) return;
    for (; this.line !== undefined && this.line.trim() !== '' && !this.isHeading(this.at); this.at += 1)
      if (RULE.test(this.line)) this.stop('an underline without its heading', 'a paragraph of introduction, or a heading');
  }

  #section(): Section {
    const line = this.at + 1;
    const names = this.#heading();
    const sentences: Sentence[] = [];
    let match: [string, string][] = [];
    let condition: string | null = null;
    let connected: Connected | null = null;
    for (;;) {
      const sentence = this.#sentence(names, sentences);
      if (sentence === null) break;
      sentences.push(sentence);
      if (sentence.key === 'M') match = this.matchTable(names);
      if (sentence.key === 'W') {
        condition = sentence.condition;
        this.warn(
          this.at - 1,
          `the condition "${condition}" is prose: bind it to a predicate in the binding file before this flow is run`,
        );
      }
      if (sentence.key === 'N') connected = { list: sentence.list, into: sentence.into };
    }
    const body = BODIES.find(({ keys }) => keys.join() === sentences.map(({ key }) => key).join());
    if (!body) throw new Error('a body was accepted that is none');
    const properties = this.propertyTable(names);
    return { line, from: names.x, to: names.y, relation: body.relation, match, condition, connected, properties };
  }

  /** A heading may hold " to " more than once; the sentences below tell which one parts the names. */
  #heading(): Names {
    const text = this.line ?? '';
    const under = this.lines[this.at + 1];
    if (under === undefined || !RULE.test(under))
      this.stop(
        shapeOf(text) ? 'a sentence where a section should begin' : 'neither a heading nor a sentence',
        'a heading, {system and data type} to {system and data type}, underlined with "-"',
      );
    if (under.length !== text.length)
      this.stop('the line under the heading is not as long as the heading', '-'.repeat(text.length), this.at + 1);
    const splits = splitsOf(text).filter(({ x, y }) => x.trim() !== '' && y.trim() !== '');
    const [first] = splits;
    if (!first) this.stop('malformed heading', '{system and data type} to {system and data type}');
    let names = first;
    if (splits.length > 1) {
      const below: string[] = [];
      for (let at = this.at + 2; at < this.lines.length && !this.isHeading(at); at++) below.push(this.lines[at] ?? '');
      const fitting = (split: Names): number => below.filter((each) => sentenceOf(each, split) !== null).length;
      names = splits.reduce((best, split) => (fitting(split) > fitting(best) ? split : best), first);
    }
    this.at += 2;
    return names;
  }

  /** The next sentence of the body; null once O and P have ended it. */
  #sentence(names: Names, before: readonly Sentence[]): Sentence | null {
    const keys = before.map(({ key }) => key);
    const open = BODIES.filter((body) => keys.every((key, i) => body.keys[i] === key));
    const next = new Set(open.map((body) => body.keys[keys.length] ?? 'O'));
    const wanted = [...next].map((key) => wordingOf(key, names)).join('\n      |       or: ');
    if (!this.skipBlank()) this.stop('the document ends within a section', wanted);
    const line = this.line ?? '';
    const sentence = sentenceOf(line, names);
    if (!sentence) {
      const key = shapeOf(line);
      if (key) this.stop('the names differ from those of the heading', wordingOf(key, names));
      if (isTable(line)) this.stop('a table where a sentence should stand', wanted);
      if (this.isHeading(this.at)) this.stop('the section ends too early', wanted);
      this.stop('unknown sentence', wanted);
    }
    if (!next.has(sentence.key))
      this.stop(keys.length === 0 ? 'a section cannot begin with this sentence' : 'this sentence cannot stand here', wanted);
    this.at += 1;
    if (sentence.key !== 'O') return sentence;
    const last = wordingOf('P', names);
    if (!this.skipBlank()) this.stop('the document ends within a section', last);
    if (this.line !== last)
      this.stop(
        shapeOf(this.line ?? '') === 'P' ? 'the names differ from those of the heading' : 'the sentence on properties is missing',
        last,
      );
    this.at += 1;
    return null;
  }

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
          found: this.lines[section.line - 1] ?? '',
          what: `the heading of line ${first.line} comes again with another relation (${section.relation})`,
          expected: `the relation of line ${first.line} (${first.relation}), or another heading`,
        });
      else {
        this.warn(section.line - 1, `the heading of line ${first.line} comes again: both are one section`);
        known.set(key, union(first, section));
      }
    }
    return [...known.values()];
  }

  #warnBlank(target: string, title: number, sections: readonly Section[]): void {
    const what = 'the second system has no name: say which one it is in the binding file before its flows are run';
    if (target.trim() === '') return this.warn(title, what);
    for (const section of sections) if (section.to.startsWith(' ')) this.warn(section.line - 1, what);
  }
}
