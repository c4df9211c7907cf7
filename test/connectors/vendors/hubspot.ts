import type { Answering } from '../../support/answering.ts';
import { byStamp, iso, type VendorRow, type VendorRows } from './rows.ts';

const DEFAULTS = ['firstname', 'lastname', 'email'];
const problem = (status: number, message: string): ReturnType<Answering> => ({ status, body: { status: 'error', message } });

/** HubSpot's objects: default properties unless asked, a search by stamp, batch reads, archived records, ids that merge. */
export const hubspot =
  (rows: VendorRows, merged: ReadonlyMap<string, string> = new Map()): Answering =>
  ({ method, body: sent, headers }, url) => {
    if (headers['authorization'] !== 'Bearer s') return problem(401, 'Authentication credentials not found.');
    const show = (row: VendorRow, names: readonly string[]): object => ({
      id: row.id,
      properties: Object.fromEntries([...names, 'hs_object_id'].map((name) => [name, shown(row, name)])),
      createdAt: iso(row.created),
      updatedAt: iso(row.changed),
      archived: row.deleted !== null,
      ...(row.deleted === null ? {} : { archivedAt: iso(row.deleted) }),
    });
    const page = (
      found: readonly VendorRow[],
      names: readonly string[],
      { size, after }: { size: number; after: number },
    ): object => ({
      results: found.slice(after, after + size).map((row) => show(row, names)),
      ...(after + size < found.length ? { paging: { next: { after: String(after + size) } } } : {}),
    });
    const body = (sent ?? {}) as {
      properties?: Record<string, unknown> & string[];
      filterGroups?: { filters: { operator: string; value: string }[] }[];
      inputs?: { id: string }[];
      limit?: number;
      after?: string;
      idProperty?: string;
    };
    const wanted = url.searchParams.get('properties')?.split(',') ?? DEFAULTS;
    const [, , , , type, last, more] = url.pathname.split('/');
    if (type !== 'contacts') return problem(404, `no object ${type}`);
    if (last === 'search') {
      if (Number(body.after ?? 0) + Number(body.limit) > 10_000) return problem(400, 'paging past 10,000 is not supported');
      const [from = 0, to = Infinity] = (body.filterGroups?.[0]?.filters ?? []).map(({ value }) => Number(value));
      const found = rows.alive.filter(({ changed }) => changed >= from && changed <= to).toSorted(byStamp);
      return {
        body: {
          total: found.length,
          ...page(found, body.properties ?? DEFAULTS, { size: body.limit ?? 10, after: Number(body.after ?? 0) }),
        },
      };
    }
    if (last === 'batch' && more === 'read') {
      const found = rows.alive.filter((row) => body.inputs?.some(({ id }) => row.fields[body.idProperty ?? ''] === id));
      return {
        status: found.length === body.inputs?.length ? 200 : 207,
        body: { results: found.map((row) => show(row, body.properties ?? DEFAULTS)) },
      };
    }
    if (last === undefined && method === 'POST') {
      const given: Record<string, unknown> = body.properties ?? {};
      const twin = rows.alive.find(
        (row) => row.fields['tandem_id'] !== undefined && row.fields['tandem_id'] === given['tandem_id'],
      );
      if (twin) return problem(409, `Contact already exists. Existing ID: ${twin.id}`);
      return { status: 201, body: show(rows.make(given), Object.keys(given)) };
    }
    if (last === undefined) {
      const archived = url.searchParams.get('archived') === 'true';
      const found = archived ? [...rows.rows.values()].filter(({ deleted }) => deleted !== null) : rows.alive;
      const [size, after] = ['limit', 'after'].map((name) => Number(url.searchParams.get(name) ?? 0));
      return { body: page(found, wanted, { size: size || 10, after: after ?? 0 }) };
    }
    const row = rows.get(merged.get(last) ?? last);
    if (!row) return method === 'DELETE' ? { status: 204 } : problem(404, 'resource not found');
    if (method === 'GET') return { body: show(row, wanted) };
    if (method === 'PATCH') return { body: show(rows.edit(row, body.properties ?? {}), Object.keys(body.properties ?? {})) };
    rows.remove(row);
    return { status: 204 };
  };

const shown = (row: VendorRow, name: string): unknown =>
  name === 'hs_object_id' ? row.id : row.fields[name] === '' ? null : (row.fields[name] ?? null);
