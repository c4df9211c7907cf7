import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { crm as makeCrm, type CrmGiven } from '../../connectors/crm/connector.ts';
import { parseProfile } from '../../connectors/crm/profile/read.ts';
import type { Connector } from '../../connectors/connector.ts';
import { serveOn } from '../../sandbox/serve.ts';
import type { Answering, Got } from '../support/answering.ts';
import { all, OPTIONS } from './calls.ts';

/** A real HTTP server with one function for a CRM, and what it was asked. */
export async function oddCrm(answering: Answering): Promise<{ url: string; got: Got[]; close: () => Promise<void> }> {
  const got: Got[] = [];
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.all('*', async (context) => {
    const text = await context.req.text();
    const target = context.env.incoming.url ?? '';
    let body: unknown = text;
    try {
      body = text === '' ? undefined : JSON.parse(text);
    } catch {
      // A form.
    }
    const one = { method: context.req.method, target, headers: context.req.header(), body };
    got.push(one);
    const answer = answering(one, new URL(context.req.url));
    const status = answer.status ?? 200;
    return new Response(answer.body === undefined ? null : JSON.stringify(answer.body), {
      status,
      headers: { 'content-type': 'application/json', ...answer.headers },
    });
  });
  const server = await serveOn(app, 0);
  return { url: server.url, got, close: () => server.close() };
}

/** The least that a profile says; the rest is given. */
export const profileText = (more: object): string =>
  JSON.stringify({
    version: 2,
    name: 'odd',
    paging: { style: 'none' },
    stamps: { lagMs: 0, inclusive: true, sorted: 'yes' },
    types: { Contact: { path: '/people', fields: [{ name: 'givenName' }, { name: 'familyName' }] } },
    operations: {
      list: { path: '{path}' },
      changes: { query: { since: '{since}' } },
      read: { path: '{path}/{id}' },
      create: { path: '{path}' },
      update: { path: '{path}/{id}' },
      delete: { path: '{path}/{id}' },
    },
    ...more,
  });

/** The connector of such a profile. */
export const connectorOf = (url: string, more: object = {}, given: Partial<CrmGiven> = {}): Connector =>
  makeCrm({
    url,
    profile: parseProfile(profileText(more), 'odd.json'),
    secret: () => Promise.resolve('s'),
    ...given,
  });

/** The usual operations with some of them otherwise. */
export const operationsWith = (more: Record<string, object>): object => {
  const { operations } = JSON.parse(profileText({})) as { operations: Record<string, object> };
  for (const [name, each] of Object.entries(more)) operations[name] = { ...operations[name], ...each };
  return { operations };
};

/** The connector of a profile (`given`: what is given to it besides) does something with an odd server; gives what the server was asked. */
export async function against(
  answering: Parameters<typeof oddCrm>[0],
  profile: object,
  work: (system: Connector) => Promise<unknown>,
): Promise<Got[]> {
  const server = await oddCrm(answering);
  const { given = {}, ...more } = profile as { readonly given?: Partial<CrmGiven> };
  try {
    await work(connectorOf(server.url, more, given));
  } finally {
    await server.close();
  }
  return server.got;
}

export const FIELDS = ['givenName'];
export const day = (n: number): string => `2026-01-${String(n).padStart(2, '0')}T00:00:00.000Z`;
export const ROWS = Array.from({ length: 7 }, (_, i) => ({
  id: String(i + 1),
  updatedAt: day(i + 1),
  givenName: `n${i}`,
  familyName: 'x',
}));

export async function idsOf(system: Connector): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of system.ids({ type: 'Contact' }, OPTIONS)) ids.push(...page.ids);
  return ids;
}
export const changedIds = async (system: Connector, since: string | null): Promise<string[]> =>
  (await all(system.changed({ type: 'Contact', fields: FIELDS, since }, OPTIONS))).map(({ id }) => id);
export const EVERY = ROWS.map(({ id }) => id);
