/** Any JSON, in whose texts `{name}` stands for a value. */
export type Template = string | number | boolean | null | readonly Template[] | { readonly [key: string]: Template };

/** What the names stand for; undefined and null have no value here. */
export type Variables = Readonly<Record<string, unknown>>;

/** `{name}`, `{name|filter}`, and `{{name}}` for the text "{name}" itself. Other braces stand for themselves. */
const VARIABLE = /\{\{(\w+)\}\}|\{([A-Za-z]\w*)(?:\|(\w+))?\}/g;

const FILTERS: Readonly<Record<string, (text: string) => string>> = {
  /** As it is, in a path too. */
  raw: (text) => text,
  /** For a text between single quotes whose quotes are doubled: OData, SQL. */
  quote: (text) => text.replaceAll("'", "''"),
  /** For a text between quotes that takes backslashes: PocketBase, SOQL. */
  escape: (text) => text.replace(/[\\"']/g, (sign) => `\\${sign}`),
  /** A JSON text, quotes included. */
  json: (text) => JSON.stringify(text),
  /** Base64. */
  base64: (text) => Buffer.from(text).toString('base64'),
  /** A number in a JSON body, where it stands alone. */
  number: (text) => String(Number(text)),
};

/** The filters that a template may name. */
export const FILTER_NAMES: readonly string[] = Object.keys(FILTERS);

/** A variable as a template names it. */
export interface Named {
  readonly name: string;
  readonly filter: string | undefined;
}

/** Every variable that a template names. */
export function variablesOf(template: Template | undefined): Named[] {
  if (typeof template === 'string')
    return [...template.matchAll(VARIABLE)].flatMap(([, , name, filter]) => (name === undefined ? [] : [{ name, filter }]));
  if (template === null || typeof template !== 'object') return [];
  return Object.values(template).flatMap((each) => variablesOf(each as Template));
}

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : Array.isArray(value) ? value.map(asText).join(',') : JSON.stringify(value);

/** A text with its variables filled in; undefined where one of them has no value. `encode` is for what is not filtered `raw`. */
export function fillText(
  template: string,
  variables: Variables,
  encode: (text: string, name: string) => string = (text) => text,
): string | undefined {
  let lacks = false;
  const text = template.replaceAll(VARIABLE, (_, ...groups: (string | undefined)[]) => {
    const [literal, name, filter] = groups;
    if (literal !== undefined) return `{${literal}}`;
    const value = variables[name ?? ''];
    if (value === undefined || value === null) lacks = true;
    const shown = FILTERS[filter ?? 'raw']?.(asText(value ?? '')) ?? '';
    return filter === 'raw' ? shown : encode(shown, name ?? '');
  });
  return lacks ? undefined : text;
}

/**
 * A template with its variables filled in. What names a variable without a value is left out, and so is an object or a
 * list that is empty for that reason. A key `...` spreads the object that it stands for.
 */
export function fill(template: Template, variables: Variables): unknown {
  if (typeof template === 'string') {
    const [whole] = template.matchAll(VARIABLE);
    const alone = whole?.[0] === template ? whole : undefined;
    if (alone?.[2] !== undefined && alone[3] === undefined) return variables[alone[2]] ?? undefined;
    const text = fillText(template, variables);
    return alone?.[3] === 'number' && text !== undefined ? Number(text) : text;
  }
  if (template === null || typeof template !== 'object') return template;
  if (Array.isArray(template)) {
    const items = template.map((each: Template) => fill(each, variables)).filter((each) => each !== undefined);
    return items.length === 0 && template.length > 0 ? undefined : items;
  }
  const filled: Record<string, unknown> = {};
  const entries = Object.entries(template);
  let spread = false;
  for (const [key, each] of entries) {
    const value = fill(each as Template, variables);
    if (value === undefined) continue;
    if (key === '...') {
      spread = true;
      Object.assign(filled, value);
    } else filled[key] = value;
  }
  return !spread && entries.length > 0 && Object.keys(filled).length === 0 ? undefined : filled;
}

/** A query with its variables filled in; objects and lists become JSON. A blank is written %20, which every server reads. */
export function fillQuery(template: Readonly<Record<string, Template>>, variables: Variables): string {
  const parts = Object.entries(template).flatMap(([name, each]) => {
    const value = fill(each, variables);
    if (value === undefined || value === null) return [];
    const plain = typeof each === 'string' && Array.isArray(value) ? asText(value) : value;
    const text = typeof plain === 'object' ? JSON.stringify(plain) : asText(plain);
    return [`${encodeURIComponent(name).replaceAll('%24', '$')}=${encodeURIComponent(text)}`];
  });
  return parts.length > 0 ? `?${parts.join('&')}` : '';
}
