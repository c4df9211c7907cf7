import assert from 'node:assert/strict';
import { powerOffice } from '../../connectors/powerOffice/connector.ts';
import type { Connector, Page } from '../../connectors/connector.ts';
import { RateLimiter } from '../../connectors/rateLimiter.ts';
import { makeStore } from '../support/world.ts';
import { failsAs, OPTIONS } from './calls.ts';
import { scripted } from './scripted.ts';

const AT = '2026-01-01T00:00:00.0000000+00:00';
const row = (id: number | null, more: object = {}): object => ({
  Id: id,
  ContactId: 1,
  LastChangedDateTimeOffset: AT,
  Name: 'n',
  ...more,
});

describe('lists of PowerOffice with rows that cannot be read', () => {
  let rows: object[] = [];
  let system: Connector;
  let close: () => Promise<unknown>;
  before(async () => {
    const { store } = await makeStore();
    const service = await scripted(() => ({ status: 200, body: rows }));
    system = powerOffice(
      { url: service.url, applicationKey: 'a', clientKey: 'c', subscriptionKey: 's' },
      {
        throttle: new RateLimiter(store.slots, 'unreadable', { perSecond: 1000 }),
        patchTest: { get: () => 'unknown', settle: () => Promise.resolve() },
      },
    );
    close = () => Promise.all([service.close(), store.close()]);
  });
  after(() => close());
  const pages = async (since: string | null): Promise<Page[]> => {
    const found: Page[] = [];
    for await (const page of system.changed({ type: 'Product', fields: ['Name'], since }, OPTIONS)) found.push(page);
    return found;
  };

  it('a stamp that is null and an id that is missing set their row aside, and no other', async () => {
    rows = [row(1), row(2, { LastChangedDateTimeOffset: null }), row(null), row(3)];
    const [page, ...more] = await pages(null);
    assert.deepEqual(more, []);
    assert.deepEqual(
      page?.records.map(({ id }) => id),
      ['1', '3'],
    );
    assert.deepEqual(
      page?.unreadable?.map(({ id }) => id),
      ['2', undefined],
    );
  });

  it('a list of ids leaves out what shows none, unless no row shows one', async () => {
    const ids = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const page of system.ids({ type: 'Product' }, OPTIONS)) found.push(...page.ids);
      return found;
    };
    rows = [row(1), row(null)];
    assert.deepEqual(await ids(), ['1']);
    rows = [row(null)];
    await failsAs(ids(), 'malformed');
  });

  it('a look-up by content gives no answer where a row cannot be read', async () => {
    rows = [row(2, { LastChangedDateTimeOffset: null })];
    const by = { externalId: 'x', values: { Name: 'n' }, since: 0 };
    await failsAs(system.find({ type: 'Product', fields: ['Name'], by }, OPTIONS), 'malformed');
  });
});
