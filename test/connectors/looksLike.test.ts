import assert from 'node:assert/strict';
import { looksLike } from '../../connectors/looksLike.ts';

describe('a record that may be the one that was sent', () => {
  it('is compared as systems normalise: trimmed, cut, re-spaced, in other letters', () => {
    const sent = { givenName: ' Anne-Lise Marie ', phone: '+47 22 33', age: 41, active: true, title: null };
    assert.ok(looksLike({ givenName: 'anne-lise marie', phone: '4722 33', age: 41, active: true, title: '' }, sent));
    assert.ok(looksLike({ ...sent, givenName: 'Anne-Li' }, sent), 'cut');
    assert.ok(!looksLike({ ...sent, givenName: 'Anne-Lise Marie Moe' }, sent));
    assert.ok(!looksLike({ ...sent, age: 42 }, sent));
    assert.ok(!looksLike({ ...sent, title: 'Head' }, sent));
    assert.ok(!looksLike({ ...sent, givenName: null }, sent));
  });
});
