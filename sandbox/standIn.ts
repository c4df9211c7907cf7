import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { Disturbance } from './faults.ts';
import { TandemError } from '../flows/tandemError.ts';
import { type AdminTable } from './adminApi.ts';
import type { SandboxRow } from './table.ts';

/** A stand-in for a system: its HTTP face, a desk for people, and what can be made to go wrong. */
export interface StandIn {
  readonly app: Hono<{ Bindings: HttpBindings }>;
  readonly desk: AdminTable;
  readonly disturbance: Disturbance;
  close(): void;
}

/** An app whose Date header goes with the system's own clock, and whose calls can be counted and disturbed. */
export function disturbedApp(clockOffsetMs: () => number): Pick<StandIn, 'app' | 'disturbance'> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  const disturbance = new Disturbance();
  app.use(async (context, next) => {
    await next();
    if (clockOffsetMs() !== 0 && !context.req.path.startsWith('/_sandbox'))
      context.res.headers.set('date', new Date(Date.now() + clockOffsetMs()).toUTCString());
  });
  app.use(disturbance.middleware);
  return { app, disturbance };
}

/** A person's values by the type's own field names, whatever their case. Throws DeskError for a field that cannot be edited. */
export function byCatalogueNames(
  type: string,
  { fields, fixed = [] }: { readonly fields: readonly string[]; readonly fixed?: readonly string[] },
  values: SandboxRow,
): SandboxRow {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const field = fields.find((each) => each.toLowerCase() === name.toLowerCase());
      if (field === undefined || fixed.includes(field))
        throw new TandemError(
          `${type} has no field ${name} that could be edited; fields are ${fields.filter((each) => !fixed.includes(each)).join(', ')}`,
        );
      return [field, value];
    }),
  );
}
