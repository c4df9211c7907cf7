import type { Section } from './document.ts';
import type { Names } from './sentences.ts';

const TO = ' to ';

/** Every way to part "X to Y" in two. */
export function splitsOf(text: string): Names[] {
  const out: Names[] = [];
  for (let at = text.indexOf(TO); at >= 0; at = text.indexOf(TO, at + 1))
    out.push({ x: text.slice(0, at), y: text.slice(at + TO.length) });
  return out;
}

/** The title's two systems; where " to " stands in it more than once, as most headings have them. */
export function systemsOf(title: string, sections: readonly Section[]): { source: string; target: string } {
  const fitting = ({ x, y }: Names): number =>
    sections.filter(({ from }) => from.startsWith(`${x} `)).length + sections.filter(({ to }) => to.startsWith(`${y} `)).length;
  const splits = splitsOf(title).filter(({ x }) => x.trim() !== '');
  const best = splits.reduce((a, b) => (fitting(b) > fitting(a) ? b : a), splits[0] ?? { x: title, y: '' });
  return { source: best.x, target: best.y };
}

/** Two sections of one heading as one: what either says, once. */
export function union(a: Section, b: Section): Section {
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
