import assert from 'node:assert/strict';
import type { Page, Snapshot } from '../../connectors/connector.ts';
import { inOrder, type Lister } from '../../connectors/paging.ts';
import { instantKey } from '../../flows/instant.ts';

const stamp = (n: number): string => new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString();
const SIZE = 3;

/** A list in the order of ids, three rows a page; `edits` happen between pages. */
function unsorted(rows: Map<string, number>, edits: (page: number) => void = () => {}): Lister & { pages: number } {
  const shown = (id: string): Snapshot => {
    const instant = stamp(rows.get(id) ?? 0);
    return { id, version: instantKey(instant), instant, fields: {}, at: [0, 0] };
  };
  const lister = {
    pages: 0,
    ordered: false,
    including: (instant: string) => instant,
    page: (_since: string | null, token: string | null) => {
      edits(++lister.pages);
      const from = Number(token ?? 0);
      const ids = [...rows.keys()].sort();
      const next = from + SIZE < ids.length ? String(from + SIZE) : null;
      return Promise.resolve({ rows: ids.slice(from, from + SIZE).map(shown), next });
    },
  };
  return lister;
}

async function allPages(pages: AsyncIterable<Page>): Promise<Page[]> {
  const found: Page[] = [];
  for await (const page of pages) found.push(page);
  return found;
}

const nineRows = (): Map<string, number> => new Map(Array.from({ length: 9 }, (_, i) => [`r${i}`, i]));

describe('a list in no order', () => {
  it('is read twice at most, however much is edited meanwhile, and handed on page by page', async () => {
    const rows = nineRows();
    let n = 100;
    const lister = unsorted(rows, (page) => rows.set(`r${page % 9}`, ++n));
    const pages = await allPages(inOrder(lister, { since: null }));
    assert.equal(lister.pages, 6);
    assert.deepEqual(new Set(pages.flatMap(({ records }) => records.map(({ id }) => id))), new Set(rows.keys()));
  });

  it('moves the cursor at its end alone, to the newest of the first pass: what was edited in the second comes with the next look', async () => {
    const rows = nineRows();
    // In the second pass: the first row after its page was read, and then the last, which is read.
    const lister = unsorted(rows, (page) => {
      if (page === 5) rows.set('r0', 50);
      if (page === 6) rows.set('r8', 60);
    });
    const pages = await allPages(inOrder(lister, { since: null }));
    assert.deepEqual(
      pages.map(({ after }) => after),
      [null, null, null, null, null, stamp(8)],
    );
    assert.ok(rows.get('r0') === 50 && stamp(8) < stamp(50));
  });

  it('a single page is read once', async () => {
    const lister = unsorted(
      new Map([
        ['a', 2],
        ['b', 1],
      ]),
    );
    const pages = await allPages(inOrder(lister, { since: null }));
    assert.equal(lister.pages, 1);
    assert.deepEqual(
      pages.map(({ records, after, position }) => [records.map(({ id }) => id), after, position]),
      [[['b', 'a'], stamp(2), null]],
    );
  });

  it('goes on at any position that a page told', async () => {
    const rows = nineRows();
    const whole = await allPages(inOrder(unsorted(rows), { since: null }));
    for (const [i, { position }] of whole.entries()) {
      if (position === null || position === undefined) continue;
      const lister = unsorted(rows);
      const rest = await allPages(inOrder(lister, { since: null, position }));
      assert.equal(lister.pages, whole.length - i - 1);
      assert.equal(rest.at(-1)?.after, stamp(8));
    }
  });
});
