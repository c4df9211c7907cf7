/** The sentences of a section. The article is always "a", and no space is ever collapsed: a blank system leaves two. */
import type { Relation } from '../flow.ts';

export type Key = 'E' | 'W' | 'B' | 'N' | 'I1' | 'I2' | 'M' | 'O' | 'P';

/** X and Y: system name and data type of either side, as in the heading. */
export interface Names {
  readonly x: string;
  readonly y: string;
}

/** Sentences that the names alone determine. */
export const SENTENCES: Readonly<Record<Exclude<Key, 'W' | 'N'>, (names: Names) => string>> = {
  E: ({ x, y }) => `Every ${x} will be synchronized with a ${y}.`,
  B: ({ x, y }) => `Before any synchronization can take place, a link between a ${x} and a ${y} must be established.`,
  I1: ({ x, y }) => `If a matching ${y} already exists, the ${x} will be merged with the existing one.`,
  I2: ({ y }) => `If no matching ${y} is found, a new ${y} will be created.`,
  M: ({ x, y }) => `A ${x} will merge with a ${y} if one of the following property combinations match:`,
  O: ({ x, y }) =>
    `Once a link between a ${x} and a ${y} is established, it will keep in sync between the two systems, regardless of where it is edited.`,
  P: ({ x, y }) => `The following properties are synchronized between a ${x} and a ${y}:`,
};

/** Whatever the names are: by its shape a sentence that fits badly is still recognised. */
const SHAPES: Readonly<Record<Key, RegExp>> = {
  W: /^.+, it {2}will be synchronized with a .*\.$/,
  E: /^Every .* will be synchronized with a .*\.$/,
  B: /^Before any synchronization can take place, a link between a .* and a .* must be established\.$/,
  N: /^A new .* will be created from a .* if it is connected to a .* that is synchronized into .*\.$/,
  I1: /^If a matching .* already exists, the .* will be merged with the existing one\.$/,
  I2: /^If no matching .* is found, a new .* will be created\.$/,
  M: /^A .* will merge with a .* if one of the following property combinations match:$/,
  O: /^Once a link between a .* and a .* is established, it will keep in sync between the two systems, regardless of where it is edited\.$/,
  P: /^The following properties are synchronized between a .* and a .*:$/,
};

const conditionEnd = ({ y }: Names): string => `, it  will be synchronized with a ${y}.`;
const connectedStart = ({ x, y }: Names): string => `A new ${y} will be created from a ${x} if it is connected to a `;
const INTO = ' that is synchronized into ';

export type Sentence =
  | { readonly key: Exclude<Key, 'W' | 'N'> }
  | { readonly key: 'W'; readonly condition: string }
  | { readonly key: 'N'; readonly list: readonly string[]; readonly into: string };

/** The sentence that a line is, for these very names; null where it is none. */
export function sentenceOf(line: string, names: Names): Sentence | null {
  for (const key of Object.keys(SENTENCES) as (keyof typeof SENTENCES)[]) if (line === SENTENCES[key](names)) return { key };
  const end = conditionEnd(names);
  if (line.endsWith(end) && line.length > end.length) return { key: 'W', condition: line.slice(0, -end.length) };
  const start = connectedStart(names);
  const at = line.lastIndexOf(INTO);
  if (!line.startsWith(start) || !line.endsWith('.') || at < start.length) return null;
  const list = itemsOf(line.slice(start.length, at));
  return list.every((item) => item !== '') ? { key: 'N', list, into: line.slice(at + INTO.length, -1) } : null;
}

/** Which sentence a line would be with other names; null where it is like none. */
export function shapeOf(line: string): Key | null {
  return (Object.keys(SHAPES) as Key[]).find((key) => SHAPES[key].test(line)) ?? null;
}

/** How a sentence would have to read. */
export function wordingOf(key: Key, names: Names): string {
  if (key === 'W') return `{condition}${conditionEnd(names)}`;
  if (key === 'N') return `${connectedStart(names)}{list}${INTO}{system}.`;
  return SENTENCES[key](names);
}

export const conditionSentence = (condition: string, names: Names): string => condition + conditionEnd(names);
export const connectedSentence = (list: readonly string[], into: string, names: Names): string =>
  `${connectedStart(names)}${listInWords(list)}${INTO}${into}.`;

/** `Acme Order` · `Acme Order, or Invoice` · `Acme Order, Invoice, or Payment` */
function listInWords(list: readonly string[]): string {
  return list.length < 2 ? (list[0] ?? '') : `${list.slice(0, -1).join(', ')}, or ${list.at(-1)}`;
}

function itemsOf(text: string): string[] {
  const last = text.lastIndexOf(', or ');
  return last < 0 ? [text] : [...text.slice(0, last).split(', '), text.slice(last + 5)];
}

/** The bodies that there are. O, P and the property table follow each. */
export const BODIES: readonly { readonly keys: readonly Key[]; readonly relation: Relation }[] = [
  { keys: ['E'], relation: 'create' },
  { keys: ['E', 'I1', 'I2', 'M'], relation: 'merge-or-create' },
  { keys: ['B', 'M'], relation: 'match' },
  { keys: ['B', 'N'], relation: 'connected' },
  { keys: ['B', 'N', 'M'], relation: 'match-or-connected' },
  { keys: ['W'], relation: 'conditional' },
  { keys: ['W', 'I1', 'I2', 'M'], relation: 'conditional-merge-or-create' },
];
