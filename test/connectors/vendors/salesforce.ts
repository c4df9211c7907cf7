import type { Answering } from '../../support/answering.ts';
import { byStamp, iso, type VendorRow, type VendorRows } from './rows.ts';

const ROOT = '/services/data/v62.0';
const PAGE = 3;
const stamp = (at: number): string => iso(at).replace('Z', '+0000');
const problem = (status: number, errorCode: string, message: string): ReturnType<Answering> => ({
  status,
  body: [{ message, errorCode, fields: [] }],
});

/** Salesforce's REST API: queries in SOQL, ids alone after a create, nothing after an update, errors in arrays, deletions by instant. */
export const salesforce =
  (rows: VendorRows, overLimit: () => boolean = () => false): Answering =>
  ({ method, body: sent, headers }, url) => {
    if (headers['authorization'] !== 'Bearer s') return problem(401, 'INVALID_SESSION_ID', 'Session expired or invalid');
    if (overLimit()) return problem(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.');
    const valueOf = (row: VendorRow, name: string): unknown =>
      ({ Id: row.id, SystemModstamp: stamp(row.changed), CreatedDate: stamp(row.created), IsDeleted: false })[name] ??
      row.fields[name] ??
      null;
    const show = (row: VendorRow, names: readonly string[]): object => ({
      attributes: { type: 'Contact', url: `${ROOT}/sobjects/Contact/${row.id}` },
      ...Object.fromEntries(names.map((name) => [name, valueOf(row, name)])),
    });
    if (url.pathname.startsWith(`${ROOT}/query`)) {
      const [text = '', from = '0'] = (
        url.searchParams.get('q') ?? decodeURIComponent(url.pathname.split('/query/')[1] ?? '')
      ).split('~');
      const soql = /^SELECT ([\w,]+) FROM Contact(?: WHERE (\w+) (>=|=) (.+?))?(?: ORDER BY .+)?$/.exec(text);
      if (!soql) return problem(400, 'MALFORMED_QUERY', `unexpected token: ${text}`);
      const [, names = '', field, operator, literal = ''] = soql;
      const found = rows.alive
        .filter((row) =>
          operator === '='
            ? row.fields[field ?? ''] === literal.slice(1, -1).replaceAll(/\\(.)/g, '$1')
            : operator === undefined || row.changed >= Date.parse(literal),
        )
        .toSorted(byStamp);
      const at = Number(from);
      const done = at + PAGE >= found.length;
      return {
        body: {
          totalSize: found.length,
          done,
          ...(done ? {} : { nextRecordsUrl: `${ROOT}/query/${encodeURIComponent(`${text}~${at + PAGE}`)}` }),
          records: found.slice(at, at + PAGE).map((row) => show(row, names.split(','))),
        },
      };
    }
    const [, , , , , , id] = url.pathname.split('/');
    if (id === 'deleted') {
      const from = Date.parse(url.searchParams.get('start') ?? '');
      const gone = [...rows.rows.values()].filter(({ deleted }) => deleted !== null && deleted >= from);
      return { body: { deletedRecords: gone.map((row) => ({ id: row.id, deletedDate: stamp(row.deleted ?? 0) })) } };
    }
    if (id === undefined && method === 'POST') {
      const given = sent as Record<string, unknown>;
      if (!given['LastName']) return problem(400, 'REQUIRED_FIELD_MISSING', 'Required fields are missing: [LastName]');
      if (rows.alive.some((row) => given['Tandem_Id__c'] && row.fields['Tandem_Id__c'] === given['Tandem_Id__c']))
        return problem(400, 'DUPLICATE_VALUE', 'duplicate value found: Tandem_Id__c');
      return { status: 201, body: { id: rows.make(given).id, success: true, errors: [] } };
    }
    const row = rows.get(id ?? '');
    if (!row)
      return rows.rows.has(id ?? '')
        ? problem(404, 'ENTITY_IS_DELETED', 'entity is deleted')
        : problem(404, 'NOT_FOUND', 'Provided external ID field does not exist or is not accessible');
    if (method === 'GET') return { body: show(row, (url.searchParams.get('fields') ?? '').split(',')) };
    if (method === 'PATCH') rows.edit(row, sent as object);
    else rows.remove(row);
    return { status: 204 };
  };
