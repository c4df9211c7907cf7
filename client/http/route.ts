import type { z } from 'zod';
import type { Tandem } from '../types.ts';
import type { Caller, Right } from './tokens.ts';

/** What a handler is given: the checked parts of the request, and who asks. */
export interface Asked<P, Q, B> {
  readonly tandem: Tandem;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly caller: Caller;
  /** The request's Idempotency-Key. */
  readonly requestKey: string | null;
}

/** One row of the table of routes: from it come the server, the description and the readable page. */
export interface Route {
  readonly method: 'get' | 'post';
  /** As OpenAPI writes it: `/v1/links/{flow}/{sourceId}`. */
  readonly path: string;
  readonly tag: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly right: Right;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly answer: z.ZodType;
  /** Also as server-sent events, where the caller accepts them. */
  readonly stream?: boolean;
  /** Status codes besides 200, 400, 401, 403, 500 and 503, which any route may answer. */
  readonly refusals: readonly number[];
  handle(asked: Asked<never, never, never>): Promise<unknown>;
}

type Output<T> = T extends z.ZodType ? z.infer<T> : Record<string, never>;

/** A row whose handler is checked against its schemas. */
export function route<
  A extends z.ZodType,
  P extends z.ZodObject | undefined = undefined,
  Q extends z.ZodObject | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(
  row: Omit<Route, 'params' | 'query' | 'body' | 'answer' | 'handle'> & {
    readonly params?: P;
    readonly query?: Q;
    readonly body?: B;
    readonly answer: A;
    handle(asked: Asked<Output<P>, Output<Q>, Output<B>>): Promise<z.input<A>>;
  },
): Route {
  return row as unknown as Route;
}
