import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { CALLS } from '../real/callsPerProfile.ts';

describe('the table of calls per profile', () => {
  it('says what was measured on the servers', () => {
    const page = readFileSync(new URL('../../docs/crm-profile.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `(\w+)` +\| (\d+) +\| (\d+) +\| (\d+) +\|/gm)].map(([, name = '', ...calls]) => [
      name,
      ...calls.map(Number),
    ]);
    assert.deepEqual(
      rows,
      Object.entries(CALLS).map(([name, { create, change, look }]) => [name, create, change, look]),
    );
  });
});
