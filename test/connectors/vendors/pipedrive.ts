import type { Answering } from '../../support/answering.ts';
import { byStamp, isoSeconds, type VendorRow, type VendorRows } from './rows.ts';

const problem = (status: number, error: string): ReturnType<Answering> => ({ status, body: { success: false, error } });

/** Pipedrive's version 2: an envelope, cursors, a record that stays for 30 days once it is deleted, no condition. */
export const pipedrive =
  (rows: VendorRows): Answering =>
  ({ method, body: sent, headers }, url) => {
    if (headers['x-api-token'] !== 's') return problem(401, 'unauthorized access');
    const show = (row: VendorRow): object => ({
      first_name: null,
      last_name: null,
      ...row.fields,
      id: Number(row.id),
      add_time: isoSeconds(row.created),
      update_time: isoSeconds(row.changed),
      is_deleted: row.deleted !== null,
    });
    const [, , , , id] = url.pathname.split('/');
    if (id === undefined && method === 'GET') {
      const since = url.searchParams.get('updated_since');
      const sortBy = url.searchParams.get('sort_by');
      if (sortBy !== 'id' && sortBy !== 'update_time') return problem(400, 'validation failed: sort_by');
      const found = rows.alive.filter(({ changed }) => since === null || changed >= Date.parse(since)).toSorted(byStamp);
      const size = Number(url.searchParams.get('limit') ?? 100);
      const at = Number(url.searchParams.get('cursor') ?? 0);
      const next = at + size < found.length ? String(at + size) : null;
      return { body: { success: true, data: found.slice(at, at + size).map(show), additional_data: { next_cursor: next } } };
    }
    if (id === undefined) return { status: 201, body: { success: true, data: show(rows.make(sent as object)) } };
    const row = rows.rows.get(id);
    if (!row) return problem(404, 'Person not found');
    if (method === 'GET') return { body: { success: true, data: show(row) } };
    if (row.deleted !== null) return problem(404, 'Person not found');
    if (method === 'PATCH') return { body: { success: true, data: show(rows.edit(row, sent as object)) } };
    rows.remove(row);
    return { body: { success: true, data: { id: Number(id) } } };
  };
