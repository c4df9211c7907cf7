import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { convert, ConversionError } from '../../flows/convert.ts';
import { instantKey, instantMs, justBefore, secondsBefore } from '../../flows/instant.ts';
import { readFlows } from '../../worker/readFlows.ts';
import { SPECIFICATION } from '../../flows/specification.ts';
import { TandemError } from '../../flows/tandemError.ts';
import { validateFlows } from '../../flows/validate.ts';
import { sameValue, sameValues } from '../../flows/values.ts';
import { catalogueOf } from '../../connectors/crm/connector.ts';
import { DEFAULT_PROFILE } from '../../connectors/crm/profile/default.ts';
import { POWEROFFICE_CATALOGUE } from '../../connectors/powerOffice/catalogue.ts';

const CATALOGUES = [POWEROFFICE_CATALOGUE, catalogueOf(DEFAULT_PROFILE)];
const problemsOf = (file: unknown): readonly string[] => {
  try {
    validateFlows(file, CATALOGUES);
    return [];
  } catch (error) {
    assert.ok(error instanceof TandemError);
    return error.sentences;
  }
};

describe('instants', () => {
  it('compare without losing a digit, whatever their offset', () => {
    assert.ok(instantKey('2026-01-01T00:00:00.0000001Z') > instantKey('2026-01-01T00:00:00Z'));
    assert.equal(instantKey('2026-01-01T01:00:00.1234567+01:00'), instantKey('2026-01-01T00:00:00.1234567Z'));
    assert.ok(instantKey('2026-01-01T00:00:00.1234567Z') < instantKey('2026-01-01T00:00:00.1234568Z'));
  });

  it('justBefore lies strictly below, and nothing of 100 ns lies between', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1990-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
        fc.integer({ min: 0, max: 9_999_999 }),
        (date, ticks) => {
          const text = `${date.toISOString().slice(0, 19)}.${String(ticks).padStart(7, '0')}Z`;
          const before = justBefore(text);
          assert.ok(instantKey(before) < instantKey(text));
          assert.ok(instantMs(text) - instantMs(before) < 0.001);
        },
      ),
    );
    assert.equal(justBefore('2026-01-01T00:00:00Z'), '2025-12-31T23:59:59.9999999Z');
  });

  it('secondsBefore keeps all decimals', () => {
    assert.equal(secondsBefore('2026-01-01T00:00:30.1234567+00:00', 60), '2025-12-31T23:59:30.1234567Z');
  });
});

describe('values', () => {
  it('no value, null and the empty string are the same', () => {
    assert.ok(sameValue(null, ''));
    assert.ok(sameValue(undefined, ''));
    assert.ok(!sameValue('', 'a'));
    assert.ok(sameValues({ a: null }, {}));
    assert.ok(!sameValues({ a: 'x' }, {}));
  });

  it('convert between types exactly, or not at all', () => {
    assert.equal(convert('1.50', 'decimal'), '1.5');
    assert.equal(convert('-0.00', 'decimal'), '0');
    assert.equal(convert('10000000000000000000.1', 'decimal'), '10000000000000000000.1');
    assert.equal(convert('007', 'integer'), 7);
    assert.equal(convert(true, 'string'), 'true');
    assert.equal(convert(['a', 'b'], 'first'), 'a');
    assert.deepEqual(convert('a', 'list'), ['a']);
    assert.throws(() => convert('12a', 'integer'), ConversionError);
    assert.throws(() => convert(['a', 'b'], 'string'), ConversionError);
    assert.equal(convert('', 'integer'), null);
  });
});

describe('flows', () => {
  it('the three of the specification are valid, names spelled as the connector has them', async () => {
    const { flows } = await readFlows(undefined, CATALOGUES);
    assert.deepEqual(
      flows.map((flow) => flow.name),
      ['product-company', 'contactperson-contact', 'supplierperson-contact'],
    );
    assert.deepEqual(
      flows[1]?.properties.map((pair) => [pair.source, pair.target]),
      [
        ['FirstName', 'givenName'],
        ['LastName', 'familyName'],
      ],
    );
  });

  it('an unknown property, type or system is named, and the nearest suggested', () => {
    const [flow] = SPECIFICATION.flows.slice(1);
    assert.match(
      problemsOf({ flows: [{ ...flow, properties: [{ source: 'firstNam', target: 'givenName' }] }] }).join(),
      /no property "firstNam"; did you mean "FirstName"\?/,
    );
    assert.match(
      problemsOf({ flows: [{ ...flow, source: { system: 'powerOffice', type: 'ContactPersn' } }] }).join(),
      /no type "ContactPersn"; did you mean "ContactPerson"\?/,
    );
    assert.match(
      problemsOf({ flows: [{ ...flow, source: { system: 'powerOfice', type: 'ContactPerson' } }] }).join(),
      /unknown system "powerOfice" as source; did you mean "powerOffice"\?/,
    );
  });

  it('every problem is told at once', () => {
    const [flow] = SPECIFICATION.flows.slice(1);
    const problems = problemsOf({ flows: [{ ...flow, properties: [{ source: 'a', target: 'b' }] }] });
    assert.equal(problems.length, 2);
    assert.match(problemsOf({ flows: [{ name: 'X y', source: 3 }] }).join('\n'), /flows\[0\]\.name/);
  });

  it('a file that is missing or no JSON is one clear sentence', async () => {
    await assert.rejects(readFlows('/nowhere/flows.json', CATALOGUES), /flows file \/nowhere\/flows.json cannot be read/);
  });
});
