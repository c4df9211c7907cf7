import { Hono } from 'hono';
import type { HttpBindings } from '@hono/node-server';

interface Row {
  readonly id: number;
  readonly foreignId: string | null;
  readonly modified: string;
  readonly attributes: Record<string, unknown>;
}

/**
 * A CRM as examples/crm-profile.json describes it, and unlike the default profile's: pages by number, an envelope,
 * values below a key, an API key instead of a bearer token, ETags with single records alone.
 */
export function pageCountingCrm(apiKey: string): { app: Hono<{ Bindings: HttpBindings }>; rows: Map<string, Map<number, Row>> } {
  const app = new Hono<{ Bindings: HttpBindings }>().basePath('/api/v1');
  const rows = new Map<string, Map<number, Row>>([
    ['persons', new Map()],
    ['organizations', new Map()],
  ]);
  let lastId = 0;
  let lastMs = 0;
  const now = (): string => new Date((lastMs = Math.max(lastMs + 1, Date.now()))).toISOString();
  const etag = (row: Row): Record<string, string> => ({ etag: `"${row.modified}"` });

  app.use(async (context, next) =>
    context.req.header('x-api-key') === apiKey ? next() : context.json({ error: 'unknown key' }, 401),
  );

  app.get('/:type', (context) => {
    const { foreignId, modifiedSince = '', perPage = '20', page = '1' } = context.req.query();
    const [size, from] = [Number(perPage), Number(perPage) * (Number(page) - 1)];
    const found = [...(rows.get(context.req.param('type'))?.values() ?? [])]
      .filter((row) => row.modified >= modifiedSince && (foreignId === undefined || row.foreignId === foreignId))
      .sort((a, b) => (a.modified < b.modified ? -1 : 1));
    return context.json({ data: found.slice(from, from + size), total: found.length });
  });

  app.post('/:type', async (context) => {
    const { data } = await context.req.json<{ data: Partial<Row> }>();
    const row = { id: ++lastId, foreignId: data.foreignId ?? null, modified: now(), attributes: data.attributes ?? {} };
    rows.get(context.req.param('type'))?.set(row.id, row);
    return context.json({ data: row }, 201, etag(row));
  });

  app.get('/:type/:id', (context) => {
    const row = rows.get(context.req.param('type'))?.get(Number(context.req.param('id')));
    return row ? context.json({ data: row }, 200, etag(row)) : context.json({ error: 'not found' }, 404);
  });

  app.patch('/:type/:id', async (context) => {
    const table = rows.get(context.req.param('type'));
    const row = table?.get(Number(context.req.param('id')));
    if (!row) return context.json({ error: 'not found' }, 404);
    if (context.req.header('if-match') !== `"${row.modified}"`) return context.json({ error: 'edited meanwhile' }, 412);
    const { data } = await context.req.json<{ data: Partial<Row> }>();
    const next = { ...row, modified: now(), attributes: { ...row.attributes, ...data.attributes } };
    table?.set(row.id, next);
    return context.json({ data: next }, 200, etag(next));
  });

  return { app, rows };
}
