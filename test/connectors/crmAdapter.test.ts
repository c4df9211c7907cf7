import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCrm } from '../../connectors/crm/readCrm.ts';
import type { RateSlots } from '../../connectors/rateLimiter.ts';
import { CRM_TOKEN, makeWorld } from '../support/world.ts';
import { all, failsAs, OPTIONS } from './calls.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/crm-adapter.mjs', import.meta.url));

describe('a code adapter in place of a profile', () => {
  it('the example creates, writes on a condition, lists and finds', async () => {
    const world = await makeWorld();
    try {
      const described = await readCrm(EXAMPLE);
      assert.deepEqual(described.missing({}), ['CRM_TOKEN is missing: the bearer token of the CRM']);
      const crm = await described.connect({ url: world.crm.url, env: { CRM_TOKEN }, slots: {} as RateSlots });
      const fields = ['givenName'];
      const identity = { externalId: 'poweroffice:ContactPerson:1/2', idempotencyKey: 'k' };
      const made = await crm.create({ type: 'Contact', values: { givenName: 'Kari' }, fields, identity }, OPTIONS);
      const condition = { test: { givenName: 'Kari' }, version: made.version, etag: made.etag };
      const write = { type: 'Contact', id: made.id, set: { givenName: 'Eva' }, condition, fields };
      const written = await crm.update(write, OPTIONS);
      assert.ok(written.version > made.version);
      await failsAs(crm.update(write, OPTIONS), 'contended');
      const listed = await all(crm.changed({ type: 'Contact', fields, since: null }, OPTIONS));
      assert.deepEqual(
        listed.map((each) => each.fields['givenName']),
        ['Eva'],
      );
      const by = { externalId: identity.externalId, values: {}, since: 0 };
      assert.equal((await crm.find({ type: 'Contact', by, fields }, OPTIONS))[0]?.id, made.id);
      await crm.remove('Contact', made.id, OPTIONS);
      await failsAs(crm.read({ type: 'Contact', id: made.id, fields }, OPTIONS), 'gone');
    } finally {
      await world.close();
    }
  });

  it('a module that is none is refused by name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tandem-adapter-'));
    try {
      const file = join(folder, 'mine.mjs');
      await writeFile(file, 'export default { name: "x" };');
      await assert.rejects(readCrm(file), /default export is no adapter/);
      await assert.rejects(readCrm(join(folder, 'none.mjs')), /cannot be loaded/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
