import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { z } from 'zod';
import { TandemError } from '../flows/tandemError.ts';
import { Disturbance, faultSchema } from './faults.ts';
import type { SandboxRow, Table } from './table.ts';

/** What a person at the system's own screen can do: no key, no throttle, no replica. */
export interface AdminTable {
  readonly tables: readonly Table[];
  /** Type names as people write them, to tables. */
  readonly types: Readonly<Record<string, Table>>;
  create(type: string, values: SandboxRow): SandboxRow;
  edit(type: string, id: string, values: SandboxRow): SandboxRow;
  remove(type: string, id: string): void;
  /** Changes a setting: lag, clock, throttle, features. */
  set(settings: SandboxRow): SandboxRow;
}

/** The part of a stand-in that belongs to the sandbox, not to the system: below /_sandbox, loopback alone. */
export function adminRoutes(desk: AdminTable, disturbance: Disturbance): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  const values = z.record(z.string(), z.unknown());
  app.onError((error, context) =>
    context.json({ error: error.message }, error instanceof TandemError || error instanceof z.ZodError ? 400 : 500),
  );
  app.get('/types', (context) => context.json(Object.keys(desk.types)));
  app.get('/records/:type', (context) => {
    const table = desk.types[context.req.param('type')];
    if (!table)
      throw new TandemError(`there is no type ${context.req.param('type')}; types are ${Object.keys(desk.types).join(', ')}`);
    return context.json(table.rows());
  });
  app.post('/records/:type', async (context) =>
    context.json(desk.create(context.req.param('type'), values.parse(await context.req.json())), 201),
  );
  app.patch('/records/:type/:id{.+}', async (context) =>
    context.json(desk.edit(context.req.param('type'), context.req.param('id'), values.parse(await context.req.json()))),
  );
  app.delete('/records/:type/:id{.+}', (context) => {
    desk.remove(context.req.param('type'), context.req.param('id'));
    return context.body(null, 204);
  });
  app.get('/calls', (context) => context.json(disturbance.calls));
  app.delete('/calls', (context) => {
    disturbance.calls.length = 0;
    return context.body(null, 204);
  });
  app.post('/faults', async (context) => {
    disturbance.faults.push(faultSchema.parse(await context.req.json()));
    return context.body(null, 204);
  });
  app.delete('/faults', (context) => {
    disturbance.faults.length = 0;
    return context.body(null, 204);
  });
  app.post('/settings', async (context) => context.json(desk.set(values.parse(await context.req.json()))));
  return app;
}
