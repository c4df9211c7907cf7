import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { DEFAULT_PROFILE } from '../../../connectors/crm/profile/default.ts';
import { catalogueOf } from '../../../connectors/crm/connector.ts';
import { POWEROFFICE_CATALOGUE } from '../../../connectors/powerOffice/catalogue.ts';
import type { Catalogue } from '../../../flows/catalogue.ts';
import { DATA_TYPES } from '../../../flows/convert.ts';
import { bindDocument, type Refused } from '../../../flows/dataflow/bind.ts';
import { bindingsSchema, NO_BINDINGS, type Bindings } from '../../../flows/dataflow/bindings.ts';
import { readDocument } from '../../../flows/dataflow/read.ts';
import { TandemError } from '../../../flows/tandemError.ts';
import { documentOf } from '../../../flows/dataflow/unbind.ts';
import { writeDocument } from '../../../flows/dataflow/write.ts';
import { CONDITIONAL, CONNECTED, MATCHING, RELATIONS, flowSchema, type Flow } from '../../../flows/flow.ts';
import { NORMALISERS } from '../../../flows/normalise.ts';
import { SPECIFICATION } from '../../../flows/specification.ts';
import { validateFlow, checkTogether, validateFlows, type FlowInput } from '../../../flows/validate.ts';
import { documentText, matchTable, sectionText, type Parts } from './documents.ts';

/** A CRM with a list of objects, whose elements can be written one by one. */
const CRM: Catalogue = {
  ...catalogueOf(DEFAULT_PROFILE),
  types: catalogueOf(DEFAULT_PROFILE).types.map((type) =>
    type.name === 'Contact'
      ? {
          ...type,
          lists: ['info.addresses'],
          fields: [
            ...type.fields,
            ...['info.addresses.city', 'info.addresses.type', 'kind'].map((name) => ({
              name,
              type: 'string' as const,
              writable: true,
            })),
          ],
        }
      : type,
  ),
};
const CATALOGUES = [POWEROFFICE_CATALOGUE, CRM];

type Section = Omit<Parts, 'body' | 'x' | 'y'> & { x: string; y: string; body?: (x: string, y: string) => string[] };

const every = (x: string, y: string): string[] => [`Every ${x} will be synchronized with a ${y}.`];

function bind(sections: readonly Section[], bindings: unknown = {}, b = 'Hub'): { flows: Flow[]; refused: Refused[] } {
  const text = documentText(
    sections.map((each) => sectionText({ ...each, body: (each.body ?? every)(each.x, each.y) })),
    'PowerOffice Go',
    b,
  );
  return bindDocument(readDocument(text, 'doc.rst'), bindingsSchema.parse(bindings), CATALOGUES);
}

describe('dataflow documents: binding', () => {
  it('PowerOffice Go names its types in many ways', () => {
    const spelled = {
      'Suppliers person': ['Supplier', true],
      'Suppliers (human data)': ['Supplier', true],
      suppliers: ['Supplier', false],
      'Customers (human data)': ['Customer', true],
      Customer: ['Customer', false],
      Contactperson: ['ContactPerson', false],
      'Contact persons': ['ContactPerson', false],
      Employees: ['Employee', false],
      Product: ['Product', false],
      PRODUCTS: ['Product', false],
      Projects: ['Project', false],
      Timetrackingactivity: ['TimeTrackingActivity', false],
      'Time tracking activities': ['TimeTrackingActivity', false],
    } as const;
    for (const [name, [type, person]] of Object.entries(spelled)) {
      const { flows, refused } = bind([{ x: `PowerOffice Go ${name}`, y: 'Hub Contacts' }]);
      assert.deepEqual(refused, [], name);
      assert.equal(flows[0]?.source.type, type, name);
      assert.deepEqual(flows[0]?.source.scope, person ? [{ property: 'IsPerson', equals: true }] : [], name);
      assert.equal(flows[0]?.target.type, 'Contact');
    }
  });

  it('a type that no connector speaks refuses that flow alone', () => {
    const { flows, refused } = bind([
      { x: 'PowerOffice Go Vouchers', y: 'Hub Contacts' },
      { x: 'PowerOffice Go Products', y: 'Hub Companies' },
    ]);
    assert.deepEqual(
      flows.map(({ name }) => name),
      ['product-company'],
    );
    assert.equal(refused.length, 1);
    assert.match(
      refused[0]?.why.join() ?? '',
      /powerOffice does not speak the data type of "PowerOffice Go Vouchers".*known are Product/,
    );
    assert.match(bind([{ x: 'PowerOffice Go Sub projects', y: 'Hub Contacts' }]).refused[0]?.why.join() ?? '', /Sub projects/);
  });

  it('what a document leaves open is refused until the binding file says it', () => {
    const rows = [['FirstName', 'givenName', 'value => value.trim()']];
    const open = { x: 'PowerOffice Go Customers', y: 'Hub Contacts', rows };
    assert.match(bind([open]).refused[0]?.why.join() ?? '', /is an expression, value => value.trim\(\)/);
    const section = { from: open.x, to: open.y };
    const { flows } = bind([open], {
      flows: [{ ...section, properties: [{ source: 'FirstName', target: 'givenName', type: 'string' }] }],
    });
    assert.equal(flows[0]?.properties[0]?.type, 'string');

    const prose = {
      ...open,
      rows: [],
      body: (x: string, y: string) => [`If the ${x} is active, it  will be synchronized with a ${y}.`],
    };
    assert.match(bind([prose]).refused[0]?.why.join() ?? '', /is prose/);
    const where = [{ property: 'IsActive', equals: true }];
    const bound = bind([prose], { conditions: { 'If the PowerOffice Go Customers is active': where } });
    assert.deepEqual(bound.flows[0]?.condition?.where, where);

    const twice = {
      ...open,
      rows: [
        ['FirstName', 'givenName', '"string"'],
        ['LegalName', 'givenName', '"string"'],
      ],
    };
    assert.match(bind([twice]).refused[0]?.why.join() ?? '', /"FirstName" and "LegalName" all feed "givenName"/);
    const marked = bind([twice], {
      flows: [{ ...section, properties: [{ source: 'LegalName', target: 'givenName', writer: true }] }],
    });
    assert.deepEqual(
      marked.flows[0]?.properties.map(({ source, direction }) => [source, direction]),
      [
        ['FirstName', 'toSource'],
        ['LegalName', 'both'],
      ],
    );

    const blank = { x: 'PowerOffice Go Products', y: ' Companies', system: '' };
    assert.match(bind([blank], {}, '').refused[0]?.why.join() ?? '', /leaves system B without a name/);
    assert.equal(bind([blank], { systems: { B: 'crm' } }, '').flows.length, 1);
    assert.match(bind([blank], { systems: { B: 'crn' } }, '').refused[0]?.why.join() ?? '', /did you mean "crm"\?/);
  });

  it('one source may feed two targets; only the marked row writes back', () => {
    const rows = [
      ['FirstName', 'givenName', '"string"'],
      ['FirstName', 'title', '"string"'],
    ];
    const open = { x: 'PowerOffice Go Customers', y: 'Hub Contacts', rows };
    const directions = (bindings: unknown): unknown =>
      bind([open], bindings).flows[0]?.properties.map(({ direction }) => direction);
    assert.deepEqual(directions({}), ['toTarget', 'toTarget']);
    const flows = [{ from: open.x, to: open.y, properties: [{ source: 'FirstName', target: 'title', writer: true }] }];
    assert.deepEqual(directions({ flows }), ['toTarget', 'both']);
  });

  it('a reference is followed by the one property that holds it, else by the one that is named', () => {
    const body = (list: string) => (x: string, y: string) => [
      `Before any synchronization can take place, a link between a ${x} and a ${y} must be established.`,
      '',
      `A new ${y} will be created from a ${x} if it is connected to a ${list} that is synchronized into Hub.`,
    ];
    const projects = { x: 'PowerOffice Go Projects', y: 'Hub Companies' };
    const { flows } = bind([{ ...projects, body: body('PowerOffice Go Customer, or Employees') }]);
    assert.deepEqual(flows[0]?.connected, [
      { type: 'Customer', property: 'CustomerId' },
      { type: 'Employee', property: 'ProjectManagerEmployeeId' },
    ]);
    const unclear = bind([{ ...projects, body: body('PowerOffice Go Product') }]);
    assert.match(unclear.refused[0]?.why.join() ?? '', /by which property a Project refers to a Product/);
  });

  it('a dependent mapping selects an element where the system can express that, else asks the record', () => {
    const rows = [
      ['EmailAddress', 'info.addresses.city (Dependant on having home in info.addresses.type)', '"string"'],
      ['PhoneNumber', 'phone (Dependant on having x in kind)', '"string"'],
    ];
    const { flows, refused } = bind([{ x: 'PowerOffice Go Customers', y: 'Hub Contacts', rows }]);
    assert.deepEqual(refused, []);
    assert.deepEqual(
      flows[0]?.properties.map(({ target, when }) => [target, when]),
      [
        ['info.addresses[type="home"].city', []],
        ['phone', [{ side: 'target', property: 'kind', value: 'x' }]],
      ],
    );
  });

  it('matches read their normalisation from the binding file', () => {
    const body = (x: string, y: string): string[] => [
      ...every(x, y),
      '',
      `If a matching ${y} already exists, the ${x} will be merged with the existing one.`,
      `If no matching ${y} is found, a new ${y} will be created.`,
      '',
      ...matchTable(x, y, [['EmailAddress', 'email']]),
    ];
    const section = { x: 'PowerOffice Go Customers', y: 'Hub Contacts', body };
    assert.deepEqual(bind([section]).flows[0]?.match, [{ source: 'EmailAddress', target: 'email', normalise: [] }]);
    const match = [{ source: 'EmailAddress', target: 'email', normalise: ['trim', 'case'] }];
    assert.deepEqual(bind([section], { flows: [{ from: section.x, to: section.y, match }] }).flows[0]?.match, match);
  });
});

// Made once: making an arbitrary of strings costs more than a value of it.
const scalar = fc.oneof(fc.string({ maxLength: 5 }), fc.boolean(), fc.integer(), fc.constant(null));
const flowName = fc.stringMatching(/^[a-z]{2,8}$/);
const description = fc.option(fc.string({ maxLength: 20 }), { nil: undefined });
const conditionText = fc.option(fc.stringMatching(/^If [a-z]{1,8}, or [a-z]{1,8}$/), { nil: undefined });

/** Flows as they may stand in a flows file, checked as those are. */
const flows: fc.Arbitrary<Flow[]> = fc
  .array(
    fc.constantFrom(...POWEROFFICE_CATALOGUE.types.map(({ name }) => name)).chain((sourceType) =>
      fc.constantFrom(...CRM.types.map(({ name }) => name)).chain((targetType) => {
        const fieldsOf = (catalogue: Catalogue, type: string): string[] =>
          catalogue.types
            .find(({ name }) => name === type)
            ?.fields.filter(({ writable }) => writable)
            .map(({ name }) => name) ?? [];
        const source = fc.constantFrom(...fieldsOf(POWEROFFICE_CATALOGUE, sourceType));
        const plain = fc.constantFrom(...fieldsOf(CRM, targetType).filter((name) => !name.startsWith('info.')));
        const target =
          targetType === 'Contact'
            ? fc.oneof(plain, fc.constantFrom('info.addresses[type="home"].city', 'info.addresses[type="wo\\"rk"].city'))
            : plain;
        const condition = (property: fc.Arbitrary<string>): fc.Arbitrary<FlowInput['source']['scope'][number]> =>
          fc.oneof(
            fc.record({ property, equals: scalar }),
            fc.record({ property, not: scalar }),
            fc.record({ property, oneOf: fc.array(scalar, { minLength: 1, maxLength: 3 }) }),
          );
        const policy = fc.constantFrom('latest' as const, 'source' as const, 'target' as const, 'ask' as const);
        const when = fc.oneof(
          fc.record({ side: fc.constant('source' as const), property: source, value: fc.constantFrom('', 'a b', 'c (d)') }),
          fc.record({ side: fc.constant('target' as const), property: plain, value: fc.constantFrom('', 'a b') }),
        );
        return fc.record(
          {
            name: flowName,
            description,
            source: fc.record({
              system: fc.constant('powerOffice'),
              type: fc.constant(sourceType),
              scope: fc.oneof(
                fc.array(condition(source), { maxLength: 2 }),
                fc.constant([{ property: 'IsPerson', equals: true }]),
              ),
            }),
            target: fc.record({
              system: fc.constant('crm'),
              type: fc.constant(targetType),
              scope: fc.array(condition(plain), { maxLength: 1 }),
            }),
            relation: fc.constantFrom(...RELATIONS),
            match: fc.uniqueArray(
              fc.record({ source, target: plain, normalise: fc.uniqueArray(fc.constantFrom(...NORMALISERS), { maxLength: 3 }) }),
              {
                minLength: 1,
                maxLength: 3,
                selector: (each) => `${each.source} ${each.target}`,
              },
            ),
            condition: fc.record({
              text: conditionText,
              where: fc.array(condition(source), { minLength: 1, maxLength: 2 }),
            }),
            connected: fc.uniqueArray(
              fc.record({ type: fc.constantFrom(...POWEROFFICE_CATALOGUE.types.map(({ name }) => name)), property: source }),
              { minLength: 1, maxLength: 3, selector: (each) => JSON.stringify(each) },
            ),
            properties: fc.uniqueArray(
              fc.record({
                source,
                target,
                type: fc.constantFrom(...DATA_TYPES),
                direction: fc.constantFrom('both' as const, 'toTarget' as const, 'toSource' as const),
                when: fc.array(when, { maxLength: 1 }),
                policy: fc.option(policy, { nil: undefined }),
              }),
              { maxLength: 6, selector: (each) => `${each.source} ${each.target}` },
            ),
            policy,
            onSourceDeleted: fc.constantFrom('keep' as const, 'delete' as const),
            onTargetDeleted: fc.constantFrom('keep' as const, 'delete' as const, 'recreate' as const),
            create: fc.dictionary(plain, scalar, { maxKeys: 2 }),
          },
          { noNullPrototype: true },
        );
      }),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((inputs) => {
    const out: Flow[] = [];
    for (const input of inputs) {
      const parsed = flowSchema.safeParse({
        ...input,
        match: MATCHING.includes(input.relation) ? input.match : [],
        connected: CONNECTED.includes(input.relation) ? input.connected : [],
        condition: CONDITIONAL.includes(input.relation) ? input.condition : undefined,
      });
      if (!parsed.success) continue;
      const { flow, problems } = validateFlow(parsed.data, CATALOGUES);
      if (problems.length === 0 && checkTogether([...out, flow]).length === 0) out.push(flow);
    }
    return out;
  });

const plainly = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('dataflow documents: from flows and back', () => {
  const back = (all: readonly Flow[]): { flows: Flow[]; refused: Refused[]; bindings: Bindings } => {
    const { document, bindings } = documentOf(all, '2026-01-02 03:04:05', CATALOGUES);
    const read = readDocument(writeDocument(document), 'doc.rst');
    return { ...bindDocument(read, bindingsSchema.parse(JSON.parse(JSON.stringify(bindings))), CATALOGUES), bindings };
  };

  it('any flows come back as they were', () => {
    let written = 0;
    fc.assert(
      fc.property(flows, (all) => {
        if (all.length === 0) return;
        written += all.length;
        const { flows: again, refused } = back(all);
        assert.deepEqual(refused, []);
        assert.deepEqual(plainly(again), plainly(all));
      }),
      { numRuns: 1000 },
    );
    assert.ok(written > 500, `only ${written} flows were tried`);
  });

  it("the specification's three come back without a binding, too", () => {
    const all = validateFlows(SPECIFICATION, CATALOGUES);
    const { document } = documentOf(all, '2026-01-02 03:04:05', CATALOGUES);
    const again = bindDocument(readDocument(writeDocument(document), 'doc.rst'), NO_BINDINGS, CATALOGUES).flows;
    const bare = (each: Flow): unknown => ({ ...each, description: undefined });
    assert.deepEqual(again.map(bare), all.map(bare));
  });

  it('flows in two directions are no single document', () => {
    const [flow] = validateFlows(SPECIFICATION, CATALOGUES);
    assert.ok(flow);
    assert.throws(
      () => documentOf([flow, { ...flow, name: 'x', source: flow.target, target: flow.source }], '', CATALOGUES),
      TandemError,
    );
  });
});
