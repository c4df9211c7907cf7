import assert from 'node:assert/strict';
import { parseProfile, readProfile } from '../../connectors/crm/profile/read.ts';
import { typeProfile } from '../../connectors/crm/profile/resolve.ts';
import type { Profile } from '../../connectors/crm/profile/schema.ts';
import { shippedNames } from '../../connectors/crm/profile/shipped.ts';
import type { TandemError } from '../../flows/tandemError.ts';

/** A small profile that extends a shipped one. */
const extendedFrom = (name: string): Profile =>
  parseProfile(
    `{
  "version": 2,
  "name": "mine",
  "extends": "${name}",
  "record": { "changed": "edited" },
  "stamps": { "lagMs": 20 },
  "types": { "Contact": { "path": "people", "fields": [{ "name": "first_name" }] } },
  "operations": { "update": { "method": "PUT" } }
}`,
    'mine.json',
  );

describe('shipped profiles', () => {
  it('each is read by its name, which is its own, and speaks of contacts and companies', async () => {
    assert.ok(['cap', 'directus', 'pocketbase'].every((name) => shippedNames().includes(name)));
    for (const shipped of ['default', ...shippedNames()]) {
      const { name, types } = await readProfile(shipped);
      assert.equal(name, shipped);
      assert.ok(types['Contact'] && types['Company'], shipped);
    }
  });

  it('a name that is not shipped is told with the nearest', async () => {
    await assert.rejects(readProfile('directs'), (error: TandemError) => /did you mean "directus"/.test(error.message));
    assert.throws(() => extendedFrom('pocketbsae'), /mine\.json:4: there is no profile pocketbsae: did you mean "pocketbase"\?/);
  });

  it('a profile that extends one has types of its own, and takes over what it does not say', async () => {
    const profile = extendedFrom('directus');
    const { operations, record, stamps } = typeProfile(profile, 'Contact');
    const below = typeProfile(await readProfile('directus'), 'Contact');
    assert.deepEqual(Object.keys(profile.types), ['Contact']);
    assert.equal(profile.name, 'mine');
    assert.deepEqual(record.changed, ['edited']);
    assert.equal(record.externalId, below.record.externalId);
    assert.equal(stamps.lagMs, 20);
    assert.equal(stamps.inclusive, true);
    assert.equal(operations.update?.method, 'PUT');
    assert.equal(operations.update?.path, below.operations.update?.path);
    assert.deepEqual(operations.find, { ...below.operations.find, record });
  });
});
