import { z } from 'zod';
import type { Route } from './route.ts';
import { RIGHTS } from './tokens.ts';

type Json = Record<string, unknown>;

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'The request is malformed; every problem is named at once.',
  401: 'No token, or one that nobody holds.',
  403: 'The token lacks the right for this.',
  404: 'There is no such flow, link or record; the nearest name is told.',
  405: 'The path takes another method.',
  409: 'A request with that Idempotency-Key is still running, or the link’s state does not allow this.',
  410: 'The stream keeps no events so old; the answer says from where one can go on.',
  413: 'The body is too large.',
  415: 'The body is not application/json.',
  422: 'The Idempotency-Key was used for another path, query or body.',
  500: 'A defect of Tandem; the log has more under the request id.',
  503: 'Temporal or MongoDB cannot be reached; the answer says which, and since when.',
};

/** What any route may answer. */
const ALWAYS = [400, 401, 403, 405, 500, 503];

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'requestId'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    requestId: { type: 'string', description: 'Names the request in the log.' },
    nearest: { type: 'string', description: 'The name that may have been meant (404).' },
    goOnAfter: { type: 'integer', description: 'From where the stream can be followed (410).' },
    dependency: { type: 'string', description: 'What does not answer (503).' },
    since: { type: 'string', format: 'date-time', description: 'Since when it does not answer (503).' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['at', 'message'],
        properties: { at: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

/** Named schemas stand once, under components. */
type SchemaOf = (schema: z.ZodType, io: 'input' | 'output') => Json;

function collector(): { schemas: Json; schemaOf: SchemaOf } {
  const schemas: Json = { Problem: problemSchema };
  return {
    schemas,
    schemaOf(schema, io) {
      const { $schema: _, $defs, ...own } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' }) as Json;
      for (const [name, definition] of Object.entries(($defs as Json | undefined) ?? {})) schemas[name] ??= tidy(definition);
      const id = own['id'];
      const plain = tidy(own) as Json;
      if (typeof id !== 'string') return plain;
      schemas[id] ??= plain;
      return { $ref: `#/components/schemas/${id}` };
    },
  };
}

/** References lead to components; ids are names of ours, not of JSON Schema. */
function tidy(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(tidy);
  if (node === null || typeof node !== 'object') return node;
  const out: Json = {};
  for (const [key, value] of Object.entries(node as Json)) {
    if (key === 'id' && typeof value === 'string') continue;
    out[key] = key === '$ref' && typeof value === 'string' ? value.replace('#/$defs/', '#/components/schemas/') : tidy(value);
  }
  return out;
}

/** The OpenAPI 3.1 description of a table of routes. `version` is Tandem's own. */
export function describe(routes: readonly Route[], version: string): Json {
  const { schemas, schemaOf } = collector();
  const paths: Record<string, Json> = {};
  for (const row of routes) (paths[row.path] ??= {})[row.method] = operation(row, schemaOf);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tandem',
      version,
      description:
        'Brings linked pairs of records into step on request, shows how they stand, and tells what changed. ' +
        'Tokens come from `npx tandem token new`; without any the interface listens on loopback alone.',
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: `Rights: ${RIGHTS.join(', ')}; each includes those before it.` },
      },
    },
  };
}

function operation(row: Route, schemaOf: SchemaOf): Json {
  const parameters = [
    ...(row.params ? parametersOf('path', row.params, schemaOf) : []),
    ...(row.query ? parametersOf('query', row.query, schemaOf) : []),
    ...(row.method === 'post' ? [IDEMPOTENCY_KEY] : []),
    ...(row.stream ? [LAST_EVENT_ID] : []),
  ];
  const codes = [...new Set([...ALWAYS, ...row.refusals, ...(row.method === 'post' ? [409, 413, 415, 422] : [])])].sort(
    (a, b) => a - b,
  );
  const problems = codes.map((code) => [
    String(code),
    {
      description: REFUSALS[code] ?? 'Refused.',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  ]);
  return {
    operationId: row.operationId,
    tags: [row.tag],
    summary: row.summary,
    description: `${row.description ?? row.summary}\n\nNeeds the right \`${row.right}\`.`,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(row.body
      ? {
          requestBody: {
            required: !row.body.safeParse({}).success,
            content: { 'application/json': { schema: schemaOf(row.body, 'input') } },
          },
        }
      : {}),
    responses: {
      200: {
        description: 'Done.',
        content: {
          'application/json': { schema: schemaOf(row.answer, 'output') },
          ...(row.stream ? { 'text/event-stream': { schema: { type: 'string' } } } : {}),
        },
      },
      ...(Object.fromEntries(problems) as Json),
    },
  };
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key with the same path, query and body gives the same answer for 24 hours and does nothing twice.',
  schema: { type: 'string', minLength: 1, maxLength: 200, pattern: '^[\\x21-\\x7e]+$' },
};

const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  description: 'Where a broken stream goes on: the number of the last event that arrived.',
  schema: { type: 'string', pattern: '^\\d{1,15}$' },
};

function parametersOf(where: 'path' | 'query', shape: z.ZodObject, schemaOf: SchemaOf): Json[] {
  return Object.entries(shape.shape as Record<string, z.ZodType>).map(([name, schema]) => {
    const { description, ...rest } = schemaOf(schema, 'input');
    return {
      name,
      in: where,
      required: where === 'path' || !schema.safeParse(undefined).success,
      ...(typeof description === 'string' ? { description } : {}),
      schema: rest,
    };
  });
}
