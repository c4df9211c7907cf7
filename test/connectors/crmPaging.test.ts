import assert from 'node:assert/strict';
import { failsAs } from './calls.ts';
import { against, changedIds, day, EVERY, idsOf, operationsWith, ROWS, type oddCrm } from './oddCrm.ts';

describe('the CRM connector pages as systems of many shapes do', () => {
  it('pages by cursor in query or body, offset, page, address and Link header', async () => {
    const part = (from: number): typeof ROWS => ROWS.slice(from, from + 3);
    const next = (from: number): number | null => (from + 3 < ROWS.length ? from + 3 : null);
    const styles: [string, object, object, Parameters<typeof oddCrm>[0]][] = [
      [
        'cursor in the query',
        { style: 'cursor', next: 'paging.next.after' },
        { list: { query: { after: '{cursor}', limit: '{size}' }, items: 'results' } },
        (_, url) => {
          const from = Number(url.searchParams.get('after') ?? 0);
          return {
            body: { results: part(from), ...(next(from) === null ? {} : { paging: { next: { after: String(next(from)) } } }) },
          };
        },
      ],
      [
        'token in a body',
        { style: 'cursor', next: 'token', more: 'more' },
        { list: { method: 'POST', path: '{path}/search', body: { page: { token: '{cursor}', size: '{size}' } }, items: 'rows' } },
        ({ body }) => {
          const from = Number((body as { page: { token?: string } }).page.token ?? 0);
          return { body: { rows: part(from), token: String(from + 3), more: next(from) !== null } };
        },
      ],
      [
        'offset',
        { style: 'offset' },
        { list: { query: { skip: '{offset}', take: '{size}' } } },
        (_, url) => ({ body: part(Number(url.searchParams.get('skip'))) }),
      ],
      [
        'page',
        { style: 'page', first: 0 },
        { list: { query: { page: '{page}' } } },
        (_, url) => ({ body: part(Number(url.searchParams.get('page')) * 3) }),
      ],
      [
        'address',
        { style: 'url', next: '@odata.nextLink' },
        { list: { items: 'value' } },
        (_, url) => {
          const from = Number(url.searchParams.get('from') ?? 0);
          return {
            body: { value: part(from), ...(next(from) === null ? {} : { '@odata.nextLink': `people?from=${next(from)}` }) },
          };
        },
      ],
      [
        'Link header',
        { style: 'link' },
        {},
        (_, url) => {
          const from = Number(url.searchParams.get('from') ?? 0);
          const link = `<${url.origin}/people?from=0>; rel="first", <${url.origin}/people?from=${next(from)}>; rel="next"`;
          return { body: part(from), headers: next(from) === null ? {} : { link } };
        },
      ],
    ];
    for (const [name, paging, more, answering] of styles) {
      const profile = { ...operationsWith(more as Record<string, object>), paging: { size: 3, ...paging } };
      await against(answering, profile, async (system) => assert.deepEqual(await idsOf(system), EVERY, name));
    }
  });

  it('follows no address to another host, and no page that repeats itself', async () => {
    const profile = (next: string): object => ({
      ...operationsWith({ list: { items: 'value' } }),
      paging: { style: 'url', next },
    });
    await against(
      () => ({ body: { value: ROWS, next: 'https://elsewhere.example/people' } }),
      profile('next'),
      async (system) => assert.match((await failsAs(idsOf(system), 'malformed')).text, /not the CRM's own address/),
    );
    await against(
      () => ({ body: { value: ROWS, next: '/people?x=1' } }),
      profile('next'),
      async (system) => assert.match((await failsAs(idsOf(system), 'malformed')).text, /same page again/),
    );
  });

  it('a cap on results is split by id, or by window', async () => {
    const byId = {
      ...operationsWith({ list: { query: { after: '{cursor}', id_gt: '{afterId}' }, items: 'rows' } }),
      paging: { style: 'cursor', next: 'next', size: 2, cap: 4, splitBy: 'id' },
    };
    await against(
      (_, url) => {
        const rows = ROWS.filter(({ id }) => Number(id) > Number(url.searchParams.get('id_gt') ?? 0));
        const from = Number(url.searchParams.get('after') ?? 0);
        if (from >= 4) return { status: 400, body: { message: 'past the cap' } };
        return { body: { rows: rows.slice(from, from + 2), next: from + 2 < rows.length ? String(from + 2) : null } };
      },
      byId,
      async (system) => assert.deepEqual(await idsOf(system), EVERY),
    );
    const byWindow = {
      ...operationsWith({
        changes: {
          query: { since: '{since}', until: '{until}', after: '{cursor}' },
          items: 'rows',
          paging: { style: 'cursor', next: 'next', cap: 4, splitBy: 'window' },
        },
      }),
      stamps: { inclusive: true, sorted: 'mostly', lagMs: 0 },
    };
    await against(
      (_, url) => {
        const [since, until] = [url.searchParams.get('since') ?? '', url.searchParams.get('until') ?? ''];
        const rows = ROWS.filter(({ updatedAt }) => updatedAt >= since && updatedAt < until).toReversed();
        const from = Number(url.searchParams.get('after') ?? 0);
        if (from >= 4) return { status: 400, body: { message: 'past the cap' } };
        return { body: { rows: rows.slice(from, from + 2), next: from + 2 < rows.length ? String(from + 2) : null } };
      },
      byWindow,
      async (system) => assert.deepEqual(await changedIds(system, day(1)), EVERY),
    );
  });

  it('a filter of whole days, and rows of one day on many pages: every row, and an end', async () => {
    const rows = ROWS.map((row, i) => ({ ...row, updatedAt: `2026-01-0${i < 5 ? 1 : 2}T10:0${i}:00.000Z` }));
    const profile = {
      ...operationsWith({ list: { query: { skip: '{offset}' } }, changes: { query: { since: '{since}' } } }),
      paging: { style: 'offset', size: 2 },
      stamps: { inclusive: true, sorted: 'yes', lagMs: 0, sinceFormat: 'date' },
    };
    const got = await against(
      (_, url) => {
        const since = url.searchParams.get('since');
        const from = Number(url.searchParams.get('skip'));
        return { body: rows.filter(({ updatedAt }) => since === null || updatedAt >= since).slice(from, from + 2) };
      },
      profile,
      async (system) => assert.deepEqual(await changedIds(system, '2026-01-01T12:00:00.000Z'), EVERY),
    );
    assert.ok(got.every(({ target }) => /since=2026-01-0[12](&|$)/.test(target)));
  });
});
