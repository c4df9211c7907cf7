import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import { z } from 'zod';

/** What a stand-in can be told to do wrong, for so many matching calls. */
export const faultSchema = z.strictObject({
  method: z.string().optional(),
  /** A regular expression that the path must match. */
  path: z.string().optional(),
  kind: z.enum(['status', 'drop-before', 'drop-after', 'truncate', 'html', 'slow', 'empty']),
  /** For `status`. */
  status: z.int().min(400).max(599).default(500),
  detail: z.string().default('an injected fault'),
  retryAfter: z.number().optional(),
  /** For `slow` (ms). */
  delay: z.number().default(1000),
  times: z.int().positive().default(1),
  /** Share of matching calls that are hit. */
  chance: z.number().min(0).max(1).default(1),
});
export type Fault = z.infer<typeof faultSchema>;

/** A call as it arrived, for tests and measurements. */
export interface CallSeen {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  status: number;
}

type Env = { Bindings: HttpBindings };

function drop(context: Context<Env>): Response {
  context.env.outgoing.destroy();
  return new Response(null, { headers: { 'x-hono-already-sent': 'true' } });
}

/** Injects faults and counts calls. */
export class Disturbance {
  readonly faults: Fault[] = [];
  readonly calls: CallSeen[] = [];
  #keep = 200_000;

  readonly middleware: MiddlewareHandler<Env> = async (context, next) => {
    const { method, path } = context.req;
    if (path.startsWith('/_sandbox')) return next();
    const seen: CallSeen = { at: Date.now(), method, path, query: new URL(context.req.url).search, status: 0 };
    this.calls.push(seen);
    if (this.calls.length > this.#keep) this.calls.splice(0, this.#keep / 2);
    const fault = this.#next(method, path);
    if (fault?.kind === 'drop-before') return drop(context);
    if (fault?.kind === 'slow') await sleep(fault.delay);
    if (fault?.kind === 'status') {
      seen.status = fault.status;
      const headers = {
        'content-type': 'application/problem+json',
        ...(fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) }),
      };
      return new Response(JSON.stringify({ title: 'Injected', status: fault.status, detail: fault.detail }), {
        status: fault.status,
        headers,
      });
    }
    if (fault?.kind === 'html') return context.html('<html><body>We will be back soon.</body></html>');
    if (fault?.kind === 'empty')
      return path.toLowerCase().startsWith('/v2') ? context.body(null, 204) : context.json({ items: [], nextCursor: null });
    await next();
    seen.status = context.res.status;
    if (fault?.kind === 'drop-after') {
      context.res = drop(context);
      return;
    }
    // An answer without a body has nothing to cut.
    if (fault?.kind === 'truncate' && context.res.status !== 204) {
      const text = await context.res.clone().text();
      context.res = new Response(text.slice(0, Math.floor(text.length / 2)), {
        status: context.res.status,
        headers: { 'content-type': 'application/json' },
      });
    }
  };

  #next(method: string, path: string): Fault | undefined {
    const at = this.faults.findIndex(
      (fault) =>
        (fault.method === undefined || fault.method === method) &&
        (fault.path === undefined || new RegExp(fault.path).test(path)),
    );
    const fault = this.faults[at];
    if (!fault || Math.random() >= fault.chance) return undefined;
    fault.times -= 1;
    if (fault.times <= 0) this.faults.splice(at, 1);
    return fault;
  }
}
