import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { TandemError } from '../../../flows/tandemError.ts';
import { readDocument } from '../../../flows/dataflow/read.ts';
import { writeDocument } from '../../../flows/dataflow/write.ts';
import { documents, documentText, matchTable, sectionText } from './documents.ts';

const X = 'Acme Orders';
const Y = 'Hub Deals';
const E = `Every ${X} will be synchronized with a ${Y}.`;
const B = `Before any synchronization can take place, a link between a ${X} and a ${Y} must be established.`;
const N = `A new ${Y} will be created from a ${X} if it is connected to a Acme Order, Invoice, or Payment that is synchronized into Hub.`;
const W = `If the ${X} is paid, it  will be synchronized with a ${Y}.`;
const I = [
  `If a matching ${Y} already exists, the ${X} will be merged with the existing one.`,
  `If no matching ${Y} is found, a new ${Y} will be created.`,
];
const M = matchTable(X, Y, [
  ['Email', 'email'],
  ['Number', 'no'],
]);
const ROWS = [
  ['Address.City', 'info.city', '"string"'],
  ['Total', 'amount', '"decimal"'],
];

const read = (text: string): ReturnType<typeof readDocument> => readDocument(text, 'doc.rst');
const one = (body: readonly string[], rows = ROWS): string => documentText([sectionText({ body, rows })]);

function refusal(text: string): TandemError {
  try {
    read(text);
  } catch (error) {
    if (error instanceof TandemError) return error;
    throw error;
  }
  throw new Error('the document was read');
}

/** The line on which a text stands, from 1. */
const lineOf = (text: string, line: string): number => text.split('\n').indexOf(line) + 1;

describe('dataflow documents: reading', () => {
  const bodies = {
    create: [E],
    'merge-or-create': [E, '', ...I, '', ...M],
    match: [B, '', ...M],
    connected: [B, '', N],
    'match-or-connected': [B, '', N, '', ...M],
    conditional: [W],
    'conditional-merge-or-create': [W, '', ...I, '', ...M],
  };
  for (const [relation, body] of Object.entries(bodies))
    it(`the body of "${relation}"`, () => {
      const { sections, source, target, generated } = read(one(body));
      assert.deepEqual([source, target, generated], ['Acme', 'Hub', '2026-03-04 05:06:07']);
      assert.deepEqual(sections, [
        {
          line: 13,
          from: X,
          to: Y,
          relation,
          match:
            body.length > 4
              ? [
                  ['Email', 'email'],
                  ['Number', 'no'],
                ]
              : [],
          condition: body[0] === W ? `If the ${X} is paid` : null,
          connected: body.includes(N) ? { list: ['Acme Order', 'Invoice', 'Payment'], into: 'Hub' } : null,
          properties: [
            { source: 'Address.City', target: 'info.city', type: '"string"', when: [] },
            { source: 'Total', target: 'amount', type: '"decimal"', when: [] },
          ],
        },
      ]);
    });

  it('lists of one and of two, and a blank system', () => {
    const connected = (list: string, into = 'Hub'): unknown =>
      read(
        one([B, '', `A new ${Y} will be created from a ${X} if it is connected to a ${list} that is synchronized into ${into}.`]),
      ).sections[0]?.connected;
    assert.deepEqual(connected('Acme Order'), { list: ['Acme Order'], into: 'Hub' });
    assert.deepEqual(connected('Acme Order, or Invoice'), { list: ['Acme Order', 'Invoice'], into: 'Hub' });
    assert.deepEqual(connected('Acme Order', ''), { list: ['Acme Order'], into: '' });
    const y = ' Contacts';
    const text = documentText(
      [sectionText({ y, system: '', body: [`Every ${X} will be synchronized with a ${y}.`], rows: [['a', 'b', 'N/A']] })],
      'Acme',
      '',
    );
    const { target, sections, warnings } = read(text);
    assert.equal(target, '');
    assert.equal(sections[0]?.to, ' Contacts');
    assert.deepEqual(
      warnings.map(({ line }) => line),
      [2],
    );
  });

  it('what is odd and yet clear', () => {
    const text = one([E]);
    const plain = JSON.stringify(read(text));
    assert.equal(JSON.stringify(read(text.replaceAll('\n', '\r\n'))), plain);
    assert.equal(JSON.stringify(read(`${text}\n\n\n`)), plain);
    assert.equal(JSON.stringify(read(text.trimEnd())), plain);
    assert.equal(JSON.stringify(read(text.replace('Introduction\n', 'Introduction.\n'))), plain);
    assert.deepEqual(read(documentText([])).sections, []);
    assert.deepEqual(read(one([E], [])).sections[0]?.properties, []);
    assert.equal(read(documentText([sectionText({ body: [E], system: 'HUB Cloud' })])).warnings.length, 0);
    assert.equal(read(documentText([sectionText({ body: [E] })], 'ACME AS', 'Hub')).source, 'ACME AS');
    const self = `Every ${X} will be synchronized with a Acme Deals.`;
    assert.equal(read(documentText([sectionText({ y: 'Acme Deals', body: [self] })], 'Acme', 'Acme')).target, 'Acme');
    const odd = [
      ['$original_id', 'ns:P1', 'N/A'],
      ['variants..sku', 'info.addresses.city', '"list"'],
      ['variants..sku', 'other', '"first"'],
    ];
    const { sections, warnings } = read(one([E], odd));
    assert.deepEqual(
      sections[0]?.properties.map(({ source, target, type }) => [source, target, type]),
      odd,
    );
    assert.equal(warnings.length, 0);
  });

  it('names with " to " in them are parted where the sentences part them', () => {
    const x = 'Time to Go Orders';
    const y = 'Back to Hub Deals';
    const text = documentText(
      [sectionText({ x, y, body: [`Every ${x} will be synchronized with a ${y}.`] })],
      'Time to Go',
      'Back to Hub',
    );
    const { source, target, sections } = read(text);
    assert.deepEqual([source, target, sections[0]?.from, sections[0]?.to], ['Time to Go', 'Back to Hub', x, y]);
  });

  it('suffixes, repeatable, on either side, the value may be empty', () => {
    const rows = [
      [
        'city (Dependant on having home in addresses.type) (Dependant on having  in kind)',
        'town (Dependant on having a (b) in c)',
        '"string"',
      ],
    ];
    const { sections, warnings } = read(one([E], rows));
    assert.deepEqual(sections[0]?.properties[0], {
      source: 'city',
      target: 'town',
      type: '"string"',
      when: [
        { side: 'source', property: 'addresses.type', value: 'home' },
        { side: 'source', property: 'kind', value: '' },
        { side: 'target', property: 'c', value: 'a (b)' },
      ],
    });
    assert.equal(warnings.length, 1);
  });

  it('keeps and warns: prose, expressions, several sources of one target, spaces at the end of a cell', () => {
    const rows = [
      ['a', 'x', '"string"'],
      ['b', 'x', '"string"'],
      ['c ', 'y', 'value => value * 2'],
    ];
    const text = one([W], rows);
    const { warnings, sections } = read(text);
    assert.deepEqual(
      warnings.map(({ line }) => line),
      [lineOf(text, W), lineOf(text, '   * - b'), lineOf(text, '   * - c '), lineOf(text, '     - value => value * 2')],
    );
    assert.equal(sections[0]?.properties[2]?.source, 'c');
    assert.equal(sections[0]?.properties[2]?.type, 'value => value * 2');
  });

  it('a heading that comes again with the same relation is one section; with another it is refused', () => {
    const text = documentText([sectionText({ body: [E], rows: [] }), sectionText({ body: [E], rows: ROWS })]);
    const { sections, warnings } = read(text);
    assert.equal(sections.length, 1);
    assert.equal(sections[0]?.properties.length, 2);
    assert.deepEqual(
      warnings.map(({ line }) => line),
      [text.split('\n').lastIndexOf('Acme Orders to Hub Deals') + 1],
    );
    const other = documentText([sectionText({ body: [E] }), sectionText({ body: [W] })]);
    assert.equal(refusal(other).problems[0]?.quote?.line, other.split('\n').lastIndexOf('Acme Orders to Hub Deals') + 1);
  });

  const O = `Once a link between a ${X} and a ${Y} is established, it will keep in sync between the two systems, regardless of where it is edited.`;
  const P = `The following properties are synchronized between a ${X} and a ${Y}:`;
  const merge = one(bodies['merge-or-create']);
  const plain = one([E]);
  /** What is wrong, the document, and the line (from 1) or the text of the line that is blamed. */
  const wrong: readonly (readonly [string, string, number | string, RegExp])[] = [
    ['no title', 'Hello\n', 1, /does not begin with a title/],
    ['an empty document', '', 1, /does not begin with a title/],
    ['a title of another form', plain.replace('Acme to Hub Dataflow', 'Acme and Hub Dataflo'), 2, /malformed title/],
    ['a blank first system', plain.replace('Acme to Hub Dataflow', ' to Acme Hub Dataflow'), 2, /malformed title/],
    ['an overline of another length', plain.replace('=', ''), 1, /over the title/],
    ['an underline of another length', plain.replace('Dataflow\n=', 'Dataflow\n'), 3, /under the title/],
    ['no date', plain.replace('Generated: 2026-03-04 05:06:07\n', ''), 'Introduction', /malformed date/],
    ['a day that does not exist', plain.replace('2026-03-04', '2026-02-30'), 5, /malformed date/],
    ['an hour that does not exist', plain.replace('05:06:07', '25:06:07'), 5, /malformed date/],
    ['no introduction', plain.replace('Introduction', 'Foreword'), 'Foreword', /introduction is missing/],
    ['an introduction underlined badly', plain.replace('-'.repeat(12), '-'.repeat(11)), 8, /not underlined/],
    ['a heading underlined badly', plain.replace('-'.repeat(24), '-'.repeat(23)), 14, /not as long as the heading/],
    ['a heading without an underline', plain.replace(`${'-'.repeat(24)}\n`, ''), 13, /neither a heading/],
    ['a heading without "to"', documentText([sectionText({ heading: 'Acme Orders', body: [E] })]), 13, /malformed heading/],
    ['another name in a sentence', plain.replace(E, E.replace(X, 'Acme Order')), 16, /names differ/],
    ['another name in O', plain.replace(O, O.replace(Y, 'Hub Deal')), O.replace(Y, 'Hub Deal'), /names differ/],
    ['another name in P', plain.replace(P, P.replace(Y, 'Hub Deal')), P.replace(Y, 'Hub Deal'), /names differ/],
    [
      'another name in a header',
      plain.replace(`${Y} Property`, 'Hub Deal Property'),
      '     - Hub Deal Property',
      /table header differs/,
    ],
    [
      'another name in the header of combinations',
      merge.replace(`${X} Property`, 'Acme Order Property'),
      '   * - Acme Order Property',
      /table header differs/,
    ],
    [
      'a third header cell of another form',
      plain.replace('Hub Data Type', 'Hub Type'),
      '     - Hub Type',
      /malformed table header/,
    ],
    ['an unknown sentence', plain.replace(E, 'Some Acme Orders are deleted.'), 16, /unknown sentence/],
    ['one space in a condition', one([W.replace('it  will', 'it will')]), 16, /unknown sentence/],
    ['an unknown body', one([B]), O, /cannot stand here/],
    ['I without M', one([E, '', ...I]), O, /cannot stand here/],
    ['M first', one(M), 16, /cannot begin/],
    ['O is missing', plain.replace(`${O}\n`, ''), P, /cannot stand here/],
    ['P is missing', plain.replace(`${P}\n`, ''), '.. list-table::', /sentence on properties is missing/],
    [
      'the table is missing',
      plain.slice(0, plain.indexOf('.. list-table')),
      plain.slice(0, plain.indexOf('.. list-table')).split('\n').length,
      /table is missing/,
    ],
    [
      'an empty table of combinations',
      merge.replace('   * - Email\n     - email\n   * - Number\n     - no\n', ''),
      28,
      /is empty/,
    ],
    ['a cell too few', plain.replace('     - "decimal"\n', ''), '   * - Total', /a row of 2 cells/],
    ['a cell too many', plain.replace('     - "decimal"', '     - "decimal"\n     - more'), '   * - Total', /a row of 4 cells/],
    ['a cell at column 0', plain.replace('     - amount', '- amount'), '- amount', /column 0/],
    ['a cell at another column', plain.replace('     - amount', '   - amount'), '   - amount', /no cell of a table/],
    ['an empty property cell', plain.replace('     - amount', '     -'), '     -', /empty property cell/],
    ['an empty first cell', plain.replace('   * - Total', '   * - '), '   * - ', /empty property cell/],
    ['an empty cell of a combination', merge.replace('     - no', '     - '), '     - ', /empty property cell/],
    [
      'a dependency that does not end',
      plain.replace('     - amount', '     - amount (Dependant on having x in'),
      '     - amount (Dependant on having x in',
      /malformed dependency/,
    ],
    [
      'a document that ends within a section',
      plain.slice(0, plain.indexOf(O)),
      plain.slice(0, plain.indexOf(O)).split('\n').length,
      /ends within a section/,
    ],
  ];
  for (const [what, text, line, words] of wrong)
    it(`refuses ${what}, and names the line`, () => {
      const error = refusal(text);
      const [first] = error.problems;
      assert.match(first?.what ?? '', words);
      assert.equal(first?.quote?.line, typeof line === 'number' ? line : lineOf(text, line));
      assert.ok(/^expected: ./.test(first?.next ?? ''));
      assert.match(error.message, new RegExp(`^doc\\.rst:${first?.quote?.line}: `));
    });

  it('tells the problems of every section at once', () => {
    const broken = sectionText({ body: ['Nonsense.'], x: 'Acme Lines' });
    const text = documentText([
      sectionText({ body: ['Nonsense.'] }),
      sectionText({ body: [E], x: 'Acme Lines', y: 'Hub Lines' }),
      broken,
    ]);
    assert.equal(refusal(text).problems.length, 3);
  });
});

describe('dataflow documents: writing', () => {
  it('is the inverse of reading', () => {
    fc.assert(
      fc.property(documents, (document) => {
        const { warnings: _, ...back } = read(writeDocument(document));
        const unlined = (all: typeof document.sections): unknown => all.map((each) => ({ ...each, line: 0 }));
        // The generator's objects have no prototype.
        const plainly = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
        assert.deepEqual(
          plainly({ ...back, sections: unlined(back.sections) }),
          plainly({ ...document, sections: unlined(document.sections) }),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('no mutation of a document crashes the reader', () => {
    const mutation = fc.record({
      at: fc.nat(),
      length: fc.nat(40),
      text: fc.oneof(fc.string(), fc.constantFrom('\n', '   * - ', '     - ', '\r\n', '----', ' to ', ' Property')),
    });
    fc.assert(
      fc.property(documents, fc.array(mutation, { minLength: 1, maxLength: 6 }), (document, mutations) => {
        let text = writeDocument(document);
        for (const { at, length, text: put } of mutations) {
          const from = at % (text.length + 1);
          text = text.slice(0, from) + put + text.slice(from + length);
        }
        try {
          read(text);
        } catch (error) {
          if (!(error instanceof TandemError)) throw error;
          for (const { quote } of error.problems)
            assert.ok(quote && quote.line >= 1 && quote.line <= text.split('\n').length + 1);
        }
      }),
      { numRuns: 5000 },
    );
  });
});
