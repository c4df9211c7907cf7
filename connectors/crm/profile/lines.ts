/** A place in a JSON text: object keys and list positions from the outside in. */
export type JsonPath = readonly PropertyKey[];

/** A JSON text that says the same key twice, or is no JSON; with its line. */
export class JsonTextError extends Error {
  override readonly name = 'JsonTextError';
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

const TOKEN = /\s+|"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gy;

/** On which line each value of a JSON text stands, so that a message can name it. Throws JsonTextError. */
export function linesOf(text: string): (path: JsonPath) => number {
  const lines = new Map<string, number>([['[]', 1]]);
  const path: (string | number)[] = [];
  const inside: ('{' | '[')[] = [];
  let line = 1;
  let key: string | null = null;
  const place = (): void => {
    lines.set(JSON.stringify(path), line);
  };
  TOKEN.lastIndex = 0;
  for (const [token] of text.matchAll(TOKEN)) {
    const list = inside.at(-1) === '[';
    if (list && !/^[\s,\]]/.test(token)) place();
    if (token.startsWith('"') && inside.at(-1) === '{' && key === null) {
      key = JSON.parse(token) as string;
      path.push(key);
      if (lines.has(JSON.stringify(path))) throw new JsonTextError(line, `"${key}" is said twice`);
      place();
    } else if (token === '{' || token === '[') {
      inside.push(token);
      key = null;
      if (token === '[') path.push(0);
    } else if (token === '}' || token === ']') {
      // An object that ends after a member, and any list, leaves that member's place.
      if (token === ']' || key !== null) path.pop();
      inside.pop();
      key = inside.at(-1) === '{' ? String(path.at(-1)) : null;
    } else if (token === ',') {
      if (list) {
        path[path.length - 1] = Number(path.at(-1)) + 1;
      } else {
        path.pop();
        key = null;
      }
    }
    line += token.split('\n').length - 1;
  }
  return (asked) => {
    for (let length = asked.length; length >= 0; length--) {
      const found = lines.get(JSON.stringify(asked.slice(0, length)));
      if (found !== undefined) return found;
    }
    return 1;
  };
}

/** The value of a JSON text, and on which line each of its values stands. Throws JsonTextError. */
export function readJson(text: string): { value: unknown; lineOf: (path: JsonPath) => number } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    const at = /position (\d+)/.exec(message)?.[1];
    const before = at !== undefined ? text.slice(0, Number(at)) : /end of JSON/.test(message) ? text.trimEnd() : '';
    const line = before.split('\n').length;
    throw new JsonTextError(line, `is not JSON: ${message}`);
  }
  return { value, lineOf: linesOf(text) };
}
