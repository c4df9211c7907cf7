import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** What a connector by profile once did wrong on real servers, and the tests that hold each of it. */
const FAILURES: readonly { readonly what: string; readonly held: Readonly<Record<string, readonly string[]>> }[] = [
  {
    what: 'an ETag that nobody honours: a stale write overwrote, and was called conditional',
    held: { 'crmCheck.test.ts': ['an ETag that nobody honours is caught'] },
  },
  {
    what: 'a body of a kind that the server does not read: answered 200, nothing stored, taken for a success',
    held: {
      'crmSafety.test.ts': [
        'success that stored nothing is told from success: the old value at an unmoved version, after the lag',
      ],
    },
  },
  {
    what: 'a filter written with a T where the server writes a blank: changes lost without a word',
    held: {
      'crmProfile.test.ts': ['knows stamps in all their forms'],
      'crmCheck.test.ts': ['a filter, an order, a place and a property that are not as claimed are caught'],
    },
  },
  {
    what: 'a property that an answer leaves out, read as empty',
    held: {
      'crmSafety.test.ts': [
        'a property that an answer leaves out is an error, unless the profile says so and a check has seen it',
      ],
    },
  },
  {
    what: 'another id than the one asked for: two links shared one record',
    held: {
      'crmSafety.test.ts': ['another id than the one asked for is a merge: it names the survivor, and nothing is written'],
    },
  },
  {
    what: 'the envelope of answers put round what is sent: an empty record was made',
    held: {
      'crmSafety.test.ts': ['a blank goes out as %20, an id escaped, and what is sent need not be wrapped as what returns'],
    },
  },
  {
    what: 'a create that answers without a record, taken for a failure, though the record exists',
    held: {
      'crmSafety.test.ts': [
        'a create that answers an id alone, or a place, is followed by a read',
        'a create that answers nothing is followed by a look-up, never by a second create',
        'a record that was made and cannot be read is not made again either',
      ],
    },
  },
  {
    what: 'statuses that mean something else elsewhere: 403 for a missing record, 400 and 500 for a duplicate, 428 for a deletion',
    held: {
      'crmSafety.test.ts': ['errors are classed by the profile, then by status; the text is the system’s own'],
      'crmShapes.test.ts': ['sends "*" where nothing to compare with is known, and a condition with a deletion'],
    },
  },
  {
    what: 'a stamp that is null until the first edit, which stopped the feed',
    held: {
      'crmSafety.test.ts': [
        'a stamp that is null falls back along the list',
        'a row that cannot be read is set aside, and the feed goes on',
      ],
    },
  },
  {
    what: 'a blank sent as +, a slash too many or too few',
    held: {
      'crmSafety.test.ts': ['a blank goes out as %20, an id escaped, and what is sent need not be wrapped as what returns'],
      'crmProfile.test.ts': ['fills templates: what has no value is left out, objects become JSON, blanks %20'],
    },
  },
];

describe('what once failed on real servers', () => {
  it('is ten failures', () => assert.equal(FAILURES.length, 10));
  for (const { what, held } of FAILURES)
    it(`is held by a test: ${what}`, () => {
      for (const [file, titles] of Object.entries(held)) {
        const text = readFileSync(new URL(file, import.meta.url), 'utf8');
        for (const title of titles) assert.ok(text.includes(`it('${title}'`), `${file}: ${title}`);
      }
    });
});
