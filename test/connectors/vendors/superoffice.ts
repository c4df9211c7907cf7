import type { Answering } from '../../support/answering.ts';
import { byStamp, isoSeconds, type VendorRow, type VendorRows } from './rows.ts';

const DAY_MS = 86_400_000;
const problem = (status: number, Message: string): ReturnType<Answering> => ({ status, body: { Message } });
interface Step {
  readonly op: string;
  readonly path: string;
  readonly value: unknown;
}

/** SuperOffice's REST API: rows of a list name otherwise than the entity, the change filter knows days, JSON Patch with `test`. */
export const superOffice =
  (rows: VendorRows): Answering =>
  ({ method, body: sent, headers }, url) => {
    if (headers['authorization'] !== 'Bearer s') return problem(401, 'Not authenticated');
    const show = (row: VendorRow): object => ({
      PersonId: Number(row.id),
      Firstname: '',
      Lastname: '',
      Title: '',
      ...row.fields,
      CreatedDate: isoSeconds(row.created),
      UpdatedDate: isoSeconds(row.changed),
    });
    const [, , , , id] = url.pathname.split('/');
    if (id === undefined && method === 'GET') {
      const filter = url.searchParams.get('$filter');
      const day = /^updatedDate afterEqual '(\d{4}-\d\d-\d\d)'$/.exec(filter ?? '')?.[1];
      if (filter !== null && day === undefined) return problem(400, `Cannot parse the restriction ${filter}`);
      const from = day === undefined ? 0 : Math.floor(Date.parse(day) / DAY_MS) * DAY_MS;
      const found = rows.alive.filter(({ changed }) => changed >= from).toSorted(byStamp);
      const [size = 100, at = 0] = ['$top', '$skip'].map((name) => Number(url.searchParams.get(name) ?? 0));
      const next = new URL(url);
      next.searchParams.set('$skip', String(at + size));
      const value = found.slice(at, at + size).map((row) => ({
        PrimaryKey: row.id,
        EntityName: 'person',
        personId: Number(row.id),
        updatedDate: isoSeconds(row.changed),
      }));
      return {
        body: { 'odata.metadata': 'System.Collections', 'odata.nextLink': at + size < found.length ? next.href : null, value },
      };
    }
    if (id === undefined) return { body: show(rows.make(sent as object)) };
    const row = rows.get(id);
    if (!row) return problem(404, `No person ${id}`);
    if (method === 'GET') return { body: show(row) };
    if (method === 'DELETE') {
      rows.remove(row);
      return { status: 204 };
    }
    if (headers['content-type'] !== 'application/json-patch+json') return problem(415, 'Unsupported media type');
    const now = show(row) as Record<string, unknown>;
    const steps = sent as readonly Step[];
    if (steps.some(({ op, path, value }) => op === 'test' && (now[path.slice(1)] || '') !== (value ?? '')))
      return problem(409, 'A test operation failed');
    const set = steps.filter(({ op }) => op === 'replace').map(({ path, value }) => [path.slice(1), value ?? '']);
    return { body: show(rows.edit(row, Object.fromEntries(set) as object)) };
  };
