import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';

/** A schema, as far as the tests look into it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly maxLength?: number;
  readonly readOnly?: boolean;
}
type Content = { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> };
export interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

/** The provider's description, as the project keeps it: what requests and answers are held against. */
export const PROVIDER = JSON.parse(
  readFileSync(new URL('../../connectors/powerOffice/description.json', import.meta.url), 'utf8'),
) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
  patchable: Record<string, string[]>;
};

export const OPERATIONS = Object.entries(PROVIDER.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
);

export const schemaOf = (schema: Schema): Schema =>
  schema.$ref === undefined ? schema : (PROVIDER.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {});

/** OpenAPI 3.0 as JSON Schema: an enumeration that may be null says so, and a patch's value is any value. */
function asJsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asJsonSchema);
  if (value === null || typeof value !== 'object') return value;
  const { enum: words, nullable, ...rest } = value as { enum?: unknown[]; nullable?: boolean };
  const plain = Object.fromEntries(Object.entries(rest).map(([name, each]) => [name, asJsonSchema(each)]));
  return {
    ...plain,
    ...(words ? { enum: nullable ? [...words, null] : words } : {}),
    ...(nullable === true && 'type' in plain ? { nullable } : {}),
  };
}

const schemas = asJsonSchema(PROVIDER.components.schemas) as Record<string, { properties?: Record<string, unknown> }>;
// The description calls a patch's value an object, and its own examples have texts, numbers and lists there.
const { Operation } = schemas;
if (Operation?.properties) Operation.properties['value'] = {};

const ajv = new Ajv({ strict: false, allErrors: true });
(formats as unknown as (to: Ajv) => void)(ajv);
ajv.addSchema({ $id: 'provider', components: { schemas } });
const compiled = new Map<string, ValidateFunction>();

function misfit(schema: Schema, value: unknown): string | undefined {
  const text = JSON.stringify(asJsonSchema(schema)).replaceAll('"#/components', '"provider#/components');
  let validate = compiled.get(text);
  if (!validate) compiled.set(text, (validate = ajv.compile(JSON.parse(text) as object)));
  return validate(value) ? undefined : ajv.errorsText(validate.errors);
}

function matching(method: string, address: string): Operation | undefined {
  const parts = address
    .toLowerCase()
    .replace(/^\/v2|\/$/g, '')
    .split('/');
  return OPERATIONS.find(({ path, method: each }) => {
    const template = path.toLowerCase().split('/');
    return (
      each === method &&
      template.length === parts.length &&
      template.every((part, i) => (part.startsWith('{') ? /^\d+$/.test(parts[i] ?? '') : part === parts[i]))
    );
  })?.operation;
}

/** What the description does not have of an answer; empty where it has all of it. */
export function undescribed(
  request: { method: string; path: string },
  answer: { status: number; type: string; body: string },
): string[] {
  const operation = matching(request.method, request.path);
  const what = `${request.method} ${request.path} answered ${answer.status}`;
  const response = operation?.responses[String(answer.status)];
  if (!response) return [`${what}, which the description does not have: ${answer.body.slice(0, 200)}`];
  const { content } = response;
  if (!content) {
    // Where a 2xx has no content the description is silent of what a record's GET or PATCH shows, and a DELETE shows nothing.
    const empty = answer.status === 204 || (answer.status < 300 && request.method === 'DELETE');
    return empty && answer.body !== '' ? [`${what} with a body`] : [];
  }
  const media = content[answer.type.split(';')[0]?.trim() ?? ''];
  if (!media) return [`${what} with ${answer.type}`];
  try {
    const wrong = misfit(media.schema, JSON.parse(answer.body));
    return wrong === undefined ? [] : [`${what}: ${wrong}`];
  } catch {
    return [`${what} with a body that is not JSON: ${answer.body.slice(0, 200)}`];
  }
}

/** What the description does not have of a request's body. */
export function undescribedBody(request: { method: string; path: string }, body: unknown): string | undefined {
  const media = Object.values(matching(request.method, request.path)?.requestBody?.content ?? {})[0];
  return media ? misfit(media.schema, body) : undefined;
}

/** What the description does not have of a request to `/v2`; empty where it has all of it, or is silent of all that (time tracking). */
export function undescribedRequest(method: string, url: URL, body: unknown): string[] {
  if (/^\/v2\/TimeTracking\//i.test(url.pathname)) return [];
  const what = `${method} ${url.pathname}`;
  const operation = matching(method, url.pathname);
  if (!operation) return [`${what} is not in the description`];
  const known = (operation.parameters ?? [])
    .filter((each) => each.in === 'query')
    .flatMap(({ name, schema }) => {
      const inner = schemaOf(schema).properties;
      return inner ? Object.keys(inner) : [name];
    });
  const out = [...url.searchParams.keys()]
    .filter((name) => !known.some((each) => each.toLowerCase() === name.toLowerCase()))
    .map((name) => `${what} has no parameter ${name}`);
  const wrong = body === undefined ? undefined : undescribedBody({ method, path: url.pathname }, body);
  return wrong === undefined ? out : [...out, `${what}: ${wrong} in ${JSON.stringify(body)}`];
}
