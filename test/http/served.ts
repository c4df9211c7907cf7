import { pino } from 'pino';
import { openTandem, type OpenTandem } from '../../client/connect.ts';
import { newToken } from '../../client/http/tokens.ts';
import { serveTandem } from '../../client/http/serveTandem.ts';
import { rulesOf } from '../../activities/observation.ts';
import type { Flow } from '../../flows/flow.ts';
import type { Value } from '../../flows/values.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import { newRecord } from '../../workflows/linkRecord.ts';

export const TOKENS = { read: newToken('reader', 'read'), steer: newToken('service', 'steer'), admin: newToken('boss', 'admin') };
export const API_TOKENS = Object.values(TOKENS)
  .map(({ entry }) => entry)
  .join(',');

export interface Asking {
  readonly method?: string;
  /** Null sends none; the one that may do everything unless said. */
  readonly token?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

/** Asks an interface as a service does. */
export async function ask(
  url: string,
  { method = 'GET', token = TOKENS.admin.token, body, headers }: Asking = {},
): Promise<Answered> {
  const response = await fetch(url, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: JSON.parse(text) as Record<string, unknown>, headers: response.headers };
}

/** The interface in this process, over real servers and without a worker: what is asked of links stays unanswered. */
export async function served(
  env: Readonly<Record<string, string>>,
  options: Parameters<typeof openTandem>[0] = {},
): Promise<{ readonly base: string; readonly open: OpenTandem; close(): Promise<void> }> {
  const open = await openTandem({ ...options, env });
  const running = await serveTandem(open, { env, log: pino({ level: 'silent' }), port: 0 });
  return {
    base: running.address,
    open,
    async close() {
      await running.close();
      await open.tandem.close();
    },
  };
}

/** A link in step, as a worker would have stored it. */
export function inStep(
  flow: Flow,
  sourceId: string,
  { targetId, values = {} }: { targetId: string; values?: Record<string, Value> },
): LinkRecord {
  const record = newRecord({ flow: flow.name, rules: rulesOf(flow), sourceId, seen: null, now: Date.now() });
  const seen = { version: '1', instant: '2026-01-01T00:00:00Z', values, inScope: true, at: [0, 0] as const };
  return {
    ...record,
    targetId,
    revision: 1,
    status: 'in-step',
    seen: { source: seen, target: seen },
    last: { what: 'made', at: Date.now() },
  };
}
