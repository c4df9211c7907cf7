import assert from 'node:assert/strict';
import { checkProfile, type CheckReport } from '../../connectors/crm/check/check.ts';
import type { Finding } from '../../connectors/crm/check/findings.ts';
import { parseProfile } from '../../connectors/crm/profile/read.ts';
import type { Answering } from '../support/answering.ts';
import { oddCrm, operationsWith, profileText } from './oddCrm.ts';

type Row = Record<string, unknown>;

/** A small CRM, and in what it is odd. */
interface Odd {
  readonly rows?: number;
  /** An update leaves nothing of what it does not name. */
  readonly replaces?: boolean;
  /** Behind the last page there is none. */
  readonly endsBy404?: boolean;
  /** It is asked of no instant that is to come. */
  readonly refusesFuture?: boolean;
  readonly slash?: boolean;
  /** Two rows at most are shown, and how many there are. */
  readonly total?: boolean;
  readonly seconds?: boolean;
  /** A write without this header is answered 428. */
  readonly wants?: string;
}

function smallCrm(odd: Odd): { answering: Answering; rows: Map<string, Row> } {
  const rows = new Map<string, Row>();
  const start = Date.UTC(2026, 0, 1);
  let last = start;
  const stamp = (): unknown => {
    last = Math.max(last + 1, Date.now());
    return odd.seconds ? Math.floor(last / 1000) : new Date(last).toISOString();
  };
  const make = (values: object): Row => {
    const row = { id: `r${rows.size + 1}x${Math.floor(last % 1e6)}`, familyName: null, ...values, updatedAt: stamp() };
    rows.set(row.id, row);
    return row;
  };
  for (let i = 0; i < (odd.rows ?? 0); i++) make({ givenName: `n${i}`, familyName: 'x' });
  const answering: Answering = ({ method, headers, body }, url) => {
    if (odd.slash && !url.pathname.endsWith('/')) return { status: 301, headers: { location: `${url.pathname}/?key=k` } };
    const id = url.pathname.split('/')[2];
    const row = rows.get(id ?? '');
    if (method !== 'GET' && method !== 'POST' && odd.wants && !headers[odd.wants])
      return { status: 428, body: { message: 'no' } };
    if (method === 'POST') return { status: 201, body: make(body as object) };
    if (id !== undefined && id !== '') {
      if (!row) return { status: 404 };
      if (method === 'DELETE') rows.delete(id);
      if (method === 'PATCH') {
        const kept = odd.replaces ? { id, givenName: null, familyName: null } : row;
        rows.set(id, { ...kept, ...(body as object), updatedAt: stamp() });
      }
      return method === 'DELETE' ? { status: 204 } : { body: rows.get(id) };
    }
    const since = url.searchParams.get('since');
    if (since !== null && odd.refusesFuture && Date.parse(since) > Date.now() + 3_600_000) return { status: 400 };
    const found = [...rows.values()]
      .filter((each) => since === null || String(each['updatedAt']) >= since)
      .filter((each) => (url.searchParams.get('ref') ?? each['ref']) === each['ref'])
      .sort((a, b) => (String(a['updatedAt']) < String(b['updatedAt']) ? -1 : 1));
    const size = Number(url.searchParams.get('size') ?? 100);
    const page = Number(url.searchParams.get('page') ?? 1);
    if (odd.total) return { body: { rows: found.slice(0, 2), total: found.length } };
    const shown = found.slice((page - 1) * size, page * size);
    return shown.length === 0 && page > 1 && odd.endsBy404 ? { status: 404 } : { body: shown };
  };
  return { answering, rows };
}

async function check(
  odd: Odd,
  more: object = {},
): Promise<{ report: CheckReport; rows: Map<string, Row>; of: (name: string) => Finding }> {
  const { answering, rows } = smallCrm(odd);
  const server = await oddCrm(answering);
  try {
    const profile = parseProfile(
      profileText({
        paging: { style: 'page', size: 50 },
        ...operationsWith({ list: { query: { page: '{page}', size: '{size}' } } }),
        ...more,
      }),
      'small.json',
    );
    const secret = (): Promise<string> => Promise.resolve('s');
    const report = await checkProfile({ url: server.url, profile, secret, typeName: 'Contact', readOnly: false });
    const of = (name: string): Finding => {
      const found = report.findings.find((each) => each.name === name);
      assert.ok(found, `${name} is not among ${report.findings.map((each) => each.name).join()}`);
      return found;
    };
    return { report, rows, of };
  } finally {
    await server.close();
  }
}
const refuted = ({ findings }: CheckReport): string[] =>
  findings.filter(({ verdict }) => verdict === 'refuted').map(({ name }) => name);
const notSeen = ({ findings }: CheckReport): string[] =>
  findings.filter(({ verdict }) => verdict === 'not seen').map(({ name }) => name);

describe('tandem profile check on systems that nobody has met', () => {
  it('a type without a record is looked at with throwaway ones, which go again', async () => {
    const { report, rows } = await check({ rows: 0 });
    assert.deepEqual([refuted(report), notSeen(report)], [[], []]);
    assert.equal(rows.size, 0);
  });

  it('404 behind the last page is an end, and a refused question of the future refutes no filter', async () => {
    const { report, of } = await check({ rows: 5, endsBy404: true, refusesFuture: true });
    assert.deepEqual(refuted(report), []);
    assert.match(of('filter').seen, /^nothing older than /);
  });

  it('an update that wipes what it does not name is caught', async () => {
    const { report, of, rows } = await check({ rows: 5, replaces: true });
    assert.deepEqual(refuted(report), ['update alone']);
    assert.match(of('update alone').seen, /givenName changed too.*"style": "replace"/);
    assert.equal(rows.size, 5);
    const whole = await check(
      { rows: 5, replaces: true },
      operationsWith({
        update: { style: 'replace', omit: ['id', 'updatedAt'] },
        list: { query: { page: '{page}', size: '{size}' } },
      }),
    );
    assert.deepEqual(refuted(whole.report), []);
  });

  it('an external id that an update wipes is caught', async () => {
    const { of } = await check(
      { rows: 5, replaces: true },
      {
        record: { externalId: 'ref' },
        ...operationsWith({ find: { query: { ref: '{externalId}' } }, list: { query: { page: '{page}', size: '{size}' } } }),
      },
    );
    assert.match(of('update').seen, /ref changed too/);
  });

  it('a slash too few is told with the place that is meant, and without what stands behind it', async () => {
    const { report } = await check({ rows: 5, slash: true });
    assert.match(report.findings[0]?.seen ?? '', /^301: it has moved to \/people\/, and calls are not sent on/);
  });

  it('stamps of another format are told with theirs; what was made before that is removed all the same', async () => {
    const { of, rows } = await check({ rows: 5, seconds: true });
    assert.match(of('rows').seen, /under stamps, say "format": "seconds"/);
    assert.equal(of('create').verdict, 'refuted');
    assert.equal(rows.size, 5);
  });

  it('a list that is said to come in one page, and goes on, is caught', async () => {
    const { of } = await check(
      { rows: 5, total: true },
      { paging: { style: 'none' }, ...operationsWith({ list: { items: 'rows' } }) },
    );
    assert.match(of('paging').seen, /^the answer shows 2 of \d: say how it pages/);
    const unsaid = await check({ rows: 120 }, { paging: { style: 'none' }, ...operationsWith({}) });
    assert.match(unsaid.of('listed').seen, /^it is not among the 100 that are listed: say how the list pages/);
    assert.equal(unsaid.rows.size, 120);
  });

  it('a system that wants a condition is told of', async () => {
    const { of } = await check({ rows: 5, wants: 'if-match' });
    assert.match(of('update').seen, /It wants a condition: say "condition"/);
  });
});
