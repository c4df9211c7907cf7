import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Field } from '../../flows/catalogue.ts';
import { validateFlows } from '../../flows/validate.ts';
import { catalogueOf } from '../../connectors/crm/connector.ts';
import { DEFAULT_PROFILE } from '../../connectors/crm/profile/default.ts';
import { POWEROFFICE_CATALOGUE, RESOURCES } from '../../connectors/powerOffice/catalogue.ts';

interface Property {
  readonly $ref?: string;
  readonly type?: string;
  readonly maxLength?: number;
}
const description = JSON.parse(
  readFileSync(new URL('../../connectors/powerOffice/description.json', import.meta.url), 'utf8'),
) as {
  paths: Record<string, Record<string, { parameters?: { name: string }[] }>>;
  components: { schemas: Record<string, { properties?: Record<string, Property>; enum?: string[] }> };
  patchable: Record<string, string[]>;
};
const { schemas } = description.components;
const DESCRIBED = RESOURCES.filter(({ name }) => schemas[`${name}Dto`]);

const field = (path: string): Field => {
  const [type = '', ...name] = path.split('.');
  const found = RESOURCES.find((each) => each.name === type)?.fields.find((each) => each.name === name.join('.'));
  assert.ok(found, `the catalogue has ${path}`);
  return found;
};
/** Properties of a type's answer, those of an object within as `Object.Property`. */
const shown = (type: string): [string, Property][] =>
  Object.entries(schemas[`${type}Dto`]?.properties ?? {}).flatMap(([name, property]): [string, Property][] => {
    const inner = schemas[property.$ref?.split('/').at(-1) ?? '']?.properties;
    return inner ? Object.entries(inner).map(([part, each]) => [`${name}.${part}`, each]) : [[name, property]];
  });

describe('the catalogue of PowerOffice Go', () => {
  it('has the types that documents name, and says why one of them cannot be kept in step', () => {
    assert.deepEqual(RESOURCES.map(({ name }) => name).sort(), [
      'ContactPerson',
      'Customer',
      'Employee',
      'Product',
      'Project',
      'Supplier',
      'TimeTrackingActivity',
    ]);
    assert.deepEqual(Object.keys(POWEROFFICE_CATALOGUE.refused ?? {}), ['ProjectActivity']);
    assert.equal(DESCRIBED.length, 6);
  });

  for (const kind of DESCRIBED)
    it(`${kind.name}: every property of an answer, each as the description has it`, () => {
      const names = shown(kind.name).map(([name]) => name);
      const readable = kind.fields.filter(({ unreadable }) => !unreadable).map(({ name }) => name);
      assert.deepEqual([...readable].sort(), [...names].sort());
      for (const [name, property] of shown(kind.name)) {
        const { maxLength, type, words } = field(`${kind.name}.${name}`);
        if (property.maxLength !== undefined) assert.equal(maxLength, property.maxLength, name);
        const described = schemas[property.$ref?.split('/').at(-1) ?? '']?.enum;
        assert.deepEqual(words, described, name);
        const expected = { integer: 'integer', boolean: 'boolean', number: 'decimal', array: 'list', string: 'string' }[
          property.type ?? 'string'
        ];
        assert.equal(type, expected, name);
      }
    });

  for (const kind of DESCRIBED)
    it(`${kind.name}: writable is what a PATCH may name, and what can only be given at creation is told apart`, () => {
      const writable = new Set(kind.fields.filter((each) => each.writable).map(({ name }) => name.split('.')[0] ?? ''));
      assert.deepEqual([...writable].sort(), [...(description.patchable[kind.name] ?? [])].sort());
      const post = Object.keys(schemas[`${kind.name}PostDto`]?.properties ?? {});
      const once = kind.fields.filter(({ atCreation }) => atCreation).map(({ name }) => name);
      assert.deepEqual([...once].sort(), post.filter((name) => !writable.has(name)).sort());
      assert.ok(kind.fields.every(({ writable: may, atCreation }) => !(may && atCreation)));
    });

  for (const kind of DESCRIBED)
    it(`${kind.name}: address, filters and ids stand in the description`, () => {
      const parameters = description.paths[`/${kind.path}`]?.['get']?.parameters?.map(({ name }) => name) ?? [];
      assert.ok(parameters.includes('lastChangedDateTimeOffsetGreaterThan'));
      assert.ok(parameters.includes(kind.created?.filter ?? ''), kind.created?.filter);
      if (kind.reference) assert.ok(parameters.includes(kind.reference.filter), kind.reference.filter);
      for (const name of [...kind.idFields, kind.created?.field, kind.reference?.field])
        if (name !== undefined)
          assert.ok(
            shown(kind.name).some(([each]) => each === name),
            name,
          );
    });

  it('has what was missed most, and knows what cannot be written', () => {
    for (const type of ['Customer', 'Supplier']) {
      for (const name of ['Name', 'WebsiteUrl', 'DateOfBirth', 'OrganizationNumber', 'Number', 'MailAddress.AddressLine2'])
        assert.equal(field(`${type}.${name}`).writable, true, `${type}.${name}`);
      assert.equal(field(`${type}.IsActive`).writable, false);
      assert.equal(field(`${type}.MailAddress.Id`).writable, false);
      assert.equal(field(`${type}.FirstName`).maxLength, undefined);
      assert.equal(field(`${type}.ExternalImportReference`).maxLength, 50);
    }
    for (const name of ['InvoiceEmailAddress', 'DepartmentId', 'ExternalImportReference'])
      assert.ok(field(`Customer.${name}`).writable);
    assert.deepEqual(field('ContactPerson.ContactId').refers, ['Customer', 'Supplier']);
    assert.equal(field('ContactPerson.ContactId').writable, false);
    assert.equal(field('Customer.MailAddress.City').unstamped, true);
    assert.equal(field('Customer.Name').unstamped, undefined);
    assert.equal(field('Product.StockOnHand').unstamped, true);
    assert.equal(field('Supplier.SubLedgerNumberSeriesId').atCreation, true);
  });

  it('a flow is told what it may not use, and why', () => {
    const problems = (source: string, properties: unknown[], more: object = {}): string => {
      try {
        validateFlows(
          {
            flows: [
              {
                name: 'x',
                source: { system: 'powerOffice', type: source, ...more },
                target: { system: 'crm', type: 'Contact' },
                properties,
              },
            ],
          },
          [POWEROFFICE_CATALOGUE, catalogueOf(DEFAULT_PROFILE)],
        );
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    };
    const pair = (source: string): unknown[] => [{ source, target: 'givenName', type: 'string' }];
    assert.equal(problems('Customer', pair('name')), '');
    assert.match(problems('ProjectActivity', []), /ProjectActivity cannot be kept in step: .*version 1/);
    assert.match(problems('Employee', pair('NationalIdNumber')), /NationalIdNumber cannot be used: .*hidden/);
    assert.match(problems('Customer', pair('DepartmentCode')), /DepartmentCode can be given when a record is made/);
    assert.match(problems('Customer', pair('IsActive')), /IsActive cannot be written/);
    assert.match(
      problems('Project', [], { scope: [{ property: 'ProjectStatus', equals: 'Aktive' }] }),
      /ProjectStatus never is "Aktive"; did you mean "Active"/,
    );
  });
});
