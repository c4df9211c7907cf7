import assert from 'node:assert/strict';
import { checkProfile, refutedIn } from '../../connectors/crm/check/check.ts';
import { crm as makeCrm } from '../../connectors/crm/connector.ts';
import { readProfile } from '../../connectors/crm/profile/read.ts';
import type { Connector, Snapshot } from '../../connectors/connector.ts';
import { all, failsAs, OPTIONS } from './calls.ts';
import type { Answering } from '../support/answering.ts';
import { oddCrm } from './oddCrm.ts';
import { dataverse } from './vendors/dataverse.ts';
import { hubspot } from './vendors/hubspot.ts';
import { pipedrive } from './vendors/pipedrive.ts';
import { iso, VendorRows } from './vendors/rows.ts';
import { salesforce } from './vendors/salesforce.ts';
import { superOffice } from './vendors/superoffice.ts';

const secret = (): Promise<string> => Promise.resolve('s');

interface Vendor {
  readonly name: string;
  readonly answering: (rows: VendorRows) => Answering;
  readonly grainMs?: number;
  /** First and last name, as the vendor calls them. */
  readonly names: readonly [string, string];
  /** Its external id; null where it has none. */
  readonly externalId: string | null;
}

const VENDORS: readonly Vendor[] = [
  { name: 'hubspot', answering: hubspot, names: ['firstname', 'lastname'], externalId: 'tandem_id' },
  { name: 'salesforce', answering: salesforce, names: ['FirstName', 'LastName'], externalId: 'Tandem_Id__c' },
  { name: 'dataverse', answering: dataverse, grainMs: 1000, names: ['firstname', 'lastname'], externalId: 'tandem_externalid' },
  { name: 'pipedrive', answering: pipedrive, grainMs: 1000, names: ['first_name', 'last_name'], externalId: null },
  { name: 'superoffice', answering: superOffice, grainMs: 1000, names: ['Firstname', 'Lastname'], externalId: null },
];

/** The connector of a shipped draft, at a stand-in of the vendor's shapes. */
async function draft(
  { name, answering, grainMs, names }: Vendor,
  work: (given: {
    system: Connector;
    rows: VendorRows;
    url: string;
    server: Awaited<ReturnType<typeof oddCrm>>;
  }) => Promise<void>,
): Promise<void> {
  const rows = new VendorRows(grainMs);
  for (let i = 0; i < 7; i++) rows.make({ [names[0]]: `n${i}`, [names[1]]: 'Moe' });
  const server = await oddCrm(answering(rows));
  try {
    await work({ system: makeCrm({ url: server.url, profile: await readProfile(name), secret }), rows, url: server.url, server });
  } finally {
    await server.close();
  }
}

describe('drafts of profiles, at stand-ins of their vendors’ shapes', function () {
  for (const vendor of VENDORS) {
    const [first, last] = vendor.names;
    const fields = [first, last];

    it(`${vendor.name}: says that it was never tried, and a check of its profile refutes nothing`, () =>
      draft(vendor, async ({ url, rows }) => {
        const profile = await readProfile(vendor.name);
        assert.equal(profile.neverTried, true);
        assert.match(profile.note ?? '', /never tried on a live account/);
        const report = await checkProfile({
          url,
          profile,
          secret,
          typeName: 'Contact',
          readOnly: false,
          values: { [last]: 'Tandem check' },
        });
        assert.deepEqual(
          report.findings.filter(({ verdict }) => verdict === 'refuted'),
          [],
        );
        assert.deepEqual(refutedIn(report), []);
        assert.equal(rows.alive.length, 7, 'nothing is left behind');
      }));

    it(`${vendor.name}: lists, sees what changed, creates once, writes, clears and deletes`, () =>
      draft(vendor, async ({ system, rows }) => {
        const everything = await all(system.changed({ type: 'Contact', fields, since: null }, OPTIONS));
        assert.equal(everything.length, 7);
        const edited = rows.edit([...rows.alive][2]!, { [first]: 'Ny' });
        const since = new Date(edited.changed - 1).toISOString();
        const changed = await all(system.changed({ type: 'Contact', fields, since }, OPTIONS));
        assert.equal(changed.find(({ id }) => id === edited.id)?.fields[first], 'Ny');
        const identity = { externalId: "poweroffice:Supplier:7'7", idempotencyKey: 'k' };
        const made = await system.create(
          { type: 'Contact', values: { [first]: 'Kari', [last]: 'Lie' }, fields, identity },
          OPTIONS,
        );
        assert.deepEqual(made.fields, { [first]: 'Kari', [last]: 'Lie' });
        if (vendor.externalId !== null) {
          assert.equal(rows.get(made.id)?.fields[vendor.externalId], identity.externalId);
          await failsAs(
            system.create({ type: 'Contact', values: { [first]: 'Kari', [last]: 'Lie' }, fields, identity }, OPTIONS),
            'taken',
          );
          const by = { externalId: identity.externalId, values: {}, since: 0 };
          const found = await system.find({ type: 'Contact', by, fields }, OPTIONS);
          assert.deepEqual(
            found.map(({ id }) => id),
            [made.id],
          );
        }
        const write = (seen: Snapshot, value: string | null): Promise<Snapshot> =>
          system.update(
            {
              type: 'Contact',
              id: made.id,
              set: { [first]: value },
              condition: {
                test: { [first]: seen.fields[first] ?? null },
                version: seen.version,
                ...(seen.etag === undefined ? {} : { etag: seen.etag }),
              },
              fields,
            },
            OPTIONS,
          );
        const written = await write(made, 'Nina');
        assert.equal(written.fields[first], 'Nina');
        await failsAs(write(made, 'Never'), 'contended');
        assert.equal(rows.get(made.id)?.fields[first], 'Nina');
        assert.equal((await write(written, null)).fields[first] ?? '', '');
        await system.remove('Contact', made.id, OPTIONS);
        await failsAs(system.read({ type: 'Contact', id: made.id, fields }, OPTIONS), 'gone');
      }));
  }

  const named = (name: string): Vendor => VENDORS.find((each) => each.name === name)!;

  it('hubspot: properties beyond the default ones are asked for, and an old id that answers with the survivor is a merge', async () => {
    const merged = new Map([['1001', '1002']]);
    await draft({ ...named('hubspot'), answering: (rows) => hubspot(rows, merged) }, async ({ system, rows }) => {
      rows.edit(rows.get('1003')!, { jobtitle: 'Sjef' });
      const read = (id: string): Promise<Snapshot> => system.read({ type: 'Contact', id, fields: ['jobtitle'] }, OPTIONS);
      assert.equal((await read('1003')).fields['jobtitle'], 'Sjef');
      assert.match((await failsAs(read('1001'), 'merged')).text, /1002/);
    });
  });

  for (const name of ['hubspot', 'salesforce'])
    it(`${name}: tells which records were deleted since an instant`, () =>
      draft(named(name), async ({ system, rows }) => {
        rows.remove(rows.get('1002')!);
        // By the stand-in's stamps, which run ahead of the clock where records come quickly.
        const since = iso((rows.rows.get('1002')?.deleted ?? 0) + 1);
        const deletedSince = async (instant: string): Promise<string[]> => {
          const ids: string[] = [];
          for await (const page of system.deletions?.since({ type: 'Contact', since: instant }, OPTIONS) ?? []) ids.push(...page);
          return ids;
        };
        rows.remove(rows.get('1005')!);
        assert.deepEqual(await deletedSince(since), ['1005']);
        assert.deepEqual((await deletedSince('2026-01-01T00:00:00Z')).toSorted(), ['1002', '1005']);
      }));

  it('salesforce: a limit that answers 403 is a limit, not a refusal', async () => {
    await draft({ ...named('salesforce'), answering: (rows) => salesforce(rows, () => true) }, async ({ system }) => {
      await failsAs(system.read({ type: 'Contact', id: '1001', fields: ['FirstName'] }, OPTIONS), 'throttled');
    });
  });

  it('dataverse: a write to a deleted record does not make it again', () =>
    draft(named('dataverse'), async ({ system, rows }) => {
      const seen = await system.read({ type: 'Contact', id: '1001', fields: ['firstname'] }, OPTIONS);
      rows.remove(rows.get('1001')!);
      for (const etag of [seen.etag, undefined]) {
        const condition = { test: { firstname: 'n0' }, version: seen.version, ...(etag === undefined ? {} : { etag }) };
        await failsAs(
          system.update({ type: 'Contact', id: '1001', set: { firstname: 'Nina' }, condition, fields: ['firstname'] }, OPTIONS),
          'gone',
        );
      }
      assert.equal(rows.get('1001'), undefined);
    }));

  it('pipedrive: a record that is marked as deleted is gone, though it is still shown', () =>
    draft(named('pipedrive'), async ({ system, rows }) => {
      rows.remove(rows.get('1001')!);
      await failsAs(system.read({ type: 'Contact', id: '1001', fields: ['first_name'] }, OPTIONS), 'gone');
    }));

  it('superoffice: the filter knows days, so a look shows the whole day, and what changed after its instant with it', () =>
    draft(named('superoffice'), async ({ system, rows, server }) => {
      const since = new Date().toISOString();
      rows.edit(rows.get('1004')!, { Firstname: 'Ny' });
      const seen = await all(system.changed({ type: 'Contact', fields: ['Firstname'], since }, OPTIONS));
      assert.equal(seen.find(({ id }) => id === '1004')?.fields['Firstname'], 'Ny');
      const asked = server.got.map(({ target }) => decodeURIComponent(target));
      assert.ok(
        asked.some((target) => /afterEqual '\d{4}-\d\d-\d\d'/.test(target)),
        asked.join('\n'),
      );
    }));
});
