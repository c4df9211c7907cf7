/** A step of a property path: a name, and for a list the element that is meant, by the text of one of its properties. */
export interface PathStep {
  readonly name: string;
  readonly where?: { readonly property: string; readonly value: string };
}

const STEP = /([^.[\]]*)(?:\[([^=\]]+)=("(?:[^"\\]|\\.)*")\])?(?:\.|$)/y;

/** The steps of `Address.City` or `info.addresses[type="home"].city`. */
export function pathSteps(path: string): PathStep[] {
  const steps: PathStep[] = [];
  STEP.lastIndex = 0;
  for (let end = 0; end < path.length; end = STEP.lastIndex) {
    const match = STEP.exec(path);
    if (!match) return path.split('.').map((name) => ({ name }));
    const [whole, name = '', property, value] = match;
    steps.push(
      property === undefined || value === undefined
        ? { name }
        : { name, where: { property, value: JSON.parse(value) as string } },
    );
    if (!whole.endsWith('.')) break;
  }
  return steps;
}

/** The path without the elements it selects, as a catalogue names it. */
export const plainPath = (path: string): string =>
  pathSteps(path)
    .map(({ name }) => name)
    .join('.');

/** The path of the element of `list` whose `property` has that text. */
export const elementPath = ({
  list,
  property,
  value,
  rest,
}: {
  readonly list: string;
  readonly property: string;
  readonly value: string;
  readonly rest: string;
}): string => `${list}[${property}=${JSON.stringify(value)}].${rest}`;
