import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { PowerOfficeClient } from '../../connectors/powerOffice/client.ts';
import { askAll, QUESTIONS } from './questions.ts';
import { RateLimiter } from '../../connectors/rateLimiter.ts';
import { SystemError } from '../../connectors/systemError.ts';
import { powerOffice } from '../../connectors/powerOffice/connector.ts';
import type { Snapshot, Connector } from '../../connectors/connector.ts';
import type { Store } from '../../store/store.ts';
import { KEYS, eventually, makeStore, makeWorld, type World } from '../support/world.ts';

const OPTIONS = { priority: 'feed' } as const;

/**
 * What Tandem relies on in PowerOffice Go, through the connector alone: against the stand-in, and unchanged against a
 * demo account where TANDEM_LIVE_POWEROFFICE_URL and the three TANDEM_LIVE_POWEROFFICE_..._KEY are set. It changes a name,
 * addresses and nothing else, and puts them back.
 */
function contract(
  name: string,
  make: () => Promise<{ system: Connector; client: PowerOfficeClient; close: () => Promise<void> }>,
): void {
  describe(`PowerOffice Go as Tandem needs it: ${name}`, function () {
    let system: Connector;
    let client: PowerOfficeClient;
    let close: () => Promise<void>;
    before(async () => {
      ({ system, client, close } = await make());
    });
    after(() => close());

    const read = async (since: string | null): Promise<Snapshot[]> => {
      const rows: Snapshot[] = [];
      for await (const page of system.changed({ type: 'ContactPerson', fields: ['FirstName', 'LastName'], since }, OPTIONS))
        rows.push(...page.records);
      return rows;
    };

    it('takes the key and tells who we are', async () => {
      assert.match((await system.check()).identity, /^http/);
    });

    it('lists by stamp, strictly greater, and gives nothing after the newest', async () => {
      const rows = await read(null);
      assert.ok(rows.every((row, i) => i === 0 || (rows[i - 1]?.version ?? '') <= row.version));
      assert.deepEqual(await read(rows.at(-1)?.instant ?? null), []);
      const ids = [];
      for await (const page of system.ids({ type: 'ContactPerson' }, OPTIONS)) ids.push(...page.ids);
      assert.deepEqual([...ids].sort(), rows.map((row) => row.id).sort());
    });

    it('writes on a condition, refuses when it does not hold, and shows the change in its feed', async () => {
      const [row] = await read(null);
      assert.ok(row, 'the account has a contact person');
      const firstName = String(row.fields['FirstName']);
      const write = (from: string, to: string): Promise<Snapshot> =>
        system.update(
          {
            type: 'ContactPerson',
            id: row.id,
            set: { FirstName: to },
            condition: { test: { FirstName: from }, version: row.version },
            fields: ['FirstName'],
          },
          OPTIONS,
        );
      const written = await write(firstName, 'Tandemprøve');
      try {
        assert.equal(written.fields['FirstName'], 'Tandemprøve');
        assert.ok(written.version > row.version);
        await assert.rejects(write(firstName, 'Never'), (error) => error instanceof SystemError && error.failure === 'contended');
        await eventually(
          'the change in the feed',
          () => read(row.instant),
          (rows) => rows.some((each) => each.id === row.id),
        );
      } finally {
        await write('Tandemprøve', firstName);
      }
    });

    it('answers what no source confirms, in a table that docs/systems.md can take over', async () => {
      const table = await askAll(client);
      console.log(`\n${table}\n`);
      assert.equal(table.split('\n').length, QUESTIONS.length + 2);
    });
  });
}

describe('what is unproven of PowerOffice Go', () => {
  it('stands in docs/systems.md, each with what Tandem does meanwhile', () => {
    const page = readFileSync(new URL('../../docs/systems.md', import.meta.url), 'utf8');
    const listed = [
      ...(page
        .split('## Unproven')[1]
        ?.split('\n## ')[0]
        ?.matchAll(/^\| ([^|]+?) +\| ([^|]+?) +\|$/gm) ?? []),
    ].slice(2);
    assert.deepEqual(
      listed.map(([, what]) => what),
      QUESTIONS.map(({ what }) => what),
    );
    assert.ok(listed.every(([, , meanwhile]) => (meanwhile ?? '').length > 5));
  });
});

const capability = { get: () => 'unknown' as const, settle: () => Promise.resolve() };

contract('the stand-in', async () => {
  const world: World = await makeWorld({ size: { products: 1, contactPersons: 30, suppliers: 1, supplierPersons: 1 } });
  const { store }: { store: Store } = await makeStore();
  const keys = { url: world.powerOffice.url, ...KEYS };
  const throttle = new RateLimiter(store.slots, 'contract', { perSecond: 10 });
  const system = powerOffice(keys, { throttle, patchTest: capability });
  return {
    system,
    client: new PowerOfficeClient(keys, throttle),
    close: () => Promise.all([world.close(), store.close()]).then(() => {}),
  };
});

const live = (name: string): string => process.env[`TANDEM_LIVE_POWEROFFICE_${name}`] ?? '';
if (live('URL') !== '')
  contract('a live demo account', async () => {
    const { store } = await makeStore();
    const keys = {
      url: live('URL'),
      applicationKey: live('APPLICATION_KEY'),
      clientKey: live('CLIENT_KEY'),
      subscriptionKey: live('SUBSCRIPTION_KEY'),
    };
    const throttle = new RateLimiter(store.slots, 'live', { perSecond: 8 });
    const client = new PowerOfficeClient(keys, throttle);
    return { system: powerOffice(keys, { throttle, patchTest: capability }), client, close: () => store.close() };
  });
