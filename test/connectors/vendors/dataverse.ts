import type { Answering } from '../../support/answering.ts';
import { byStamp, isoSeconds, type VendorRow, type VendorRows } from './rows.ts';

const problem = (status: number, message: string): ReturnType<Answering> => ({
  status,
  body: { error: { code: '0x80040217', message } },
});

/** Dataverse's Web API: OData rows with ETags, pages by address, a PATCH that makes what is not there unless If-Match forbids it. */
export const dataverse =
  (rows: VendorRows): Answering =>
  ({ method, body: sent, headers }, url) => {
    if (headers['authorization'] !== 'Bearer s') return problem(401, 'HTTP Error 401 - Unauthorized');
    if (url.pathname.endsWith('/WhoAmI')) return { body: { OrganizationId: 'org' } };
    const names = (url.searchParams.get('$select') ?? '').split(',').filter((name) => name !== '');
    const tag = (row: VendorRow): string => `W/"${row.version}"`;
    const show = (row: VendorRow): object => {
      const own: Record<string, unknown> = {
        ...row.fields,
        contactid: row.id,
        createdon: isoSeconds(row.created),
        modifiedon: isoSeconds(row.changed),
      };
      return {
        '@odata.etag': tag(row),
        ...Object.fromEntries(names.map((name) => [name, own[name] ?? null])),
        contactid: row.id,
      };
    };
    const representation = (headers['prefer'] ?? '').includes('return=representation');
    const [, id] = /contacts\(([^)]*)\)$/.exec(url.pathname) ?? [];
    if (id === undefined && method === 'GET') {
      const filter = url.searchParams.get('$filter') ?? '';
      const since = /^modifiedon ge (\S+)$/.exec(filter)?.[1];
      const key = /^tandem_externalid eq '(.*)'$/.exec(filter)?.[1]?.replaceAll("''", "'");
      if (filter !== '' && since === undefined && key === undefined) return problem(400, `Syntax error in ${filter}`);
      const found = rows.alive
        .filter(
          (row) =>
            (since === undefined || row.changed >= Date.parse(since)) &&
            (key === undefined || row.fields['tandem_externalid'] === key),
        )
        .toSorted(byStamp);
      const size = Number(/maxpagesize=(\d+)/.exec(headers['prefer'] ?? '')?.[1] ?? 5000);
      const at = Number(url.searchParams.get('$skiptoken') ?? 0);
      const next = new URL(url);
      next.searchParams.set('$skiptoken', String(at + size));
      return {
        body: {
          ...(at + size < found.length ? { '@odata.nextLink': next.href } : {}),
          value: found.slice(at, at + size).map(show),
        },
      };
    }
    if (id === undefined) {
      const given = sent as Record<string, unknown>;
      if (rows.alive.some((row) => given['tandem_externalid'] && row.fields['tandem_externalid'] === given['tandem_externalid']))
        return problem(412, 'A record with matching key values already exists.');
      const made = rows.make(given);
      return representation ? { status: 201, body: show(made) } : { status: 204 };
    }
    const row = rows.get(id);
    const condition = headers['if-match'];
    if (!row) {
      if (method !== 'PATCH' || condition !== undefined) return problem(404, `Entity 'contact' With Id = ${id} Does Not Exist`);
      return { status: 201, body: show(rows.make(sent as object, id)) };
    }
    if (condition !== undefined && condition !== '*' && condition !== tag(row))
      return problem(412, 'The version of the existing record doesn’t match the RowVersion property provided.');
    if (method === 'GET') return { body: show(row) };
    if (method === 'DELETE') rows.remove(row);
    else {
      const next = rows.edit(row, sent as object);
      if (representation) return { body: show(next) };
    }
    return { status: 204 };
  };
