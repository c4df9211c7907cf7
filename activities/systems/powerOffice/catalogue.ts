import type { Catalogue, Field } from '../../../flows/catalogue.ts';
import type { DataType } from '../../../flows/convert.ts';

/** How PowerOffice Go addresses a type: its list, and the parts of an id as a path. */
export interface Resource {
  readonly name: string;
  readonly list: string;
  /** Fields whose values make the id, in the order of the address: `12/345` for a contact person. */
  readonly idFields: readonly string[];
  readonly fields: readonly Field[];
}

const field = (name: string, type: DataType = 'string', more: Partial<Field> = {}): Field => ({
  name,
  type,
  writable: true,
  ...more,
});
const fixed = (name: string, type: DataType = 'string'): Field => ({ name, type, writable: false });

/** Names are taken to be at most 100 characters. Source: the provider's public API v2 documentation. */
const NAME = { maxLength: 100 };

export const RESOURCES: readonly Resource[] = [
  {
    name: 'Product',
    list: 'Products',
    idFields: ['Id'],
    fields: [
      fixed('Id', 'integer'),
      field('Code'),
      field('Name'),
      field('Description'),
      field('Gtin'),
      field('UnitPrice', 'decimal'),
      field('UnitCost', 'decimal'),
      field('IsArchived', 'boolean'),
    ],
  },
  {
    name: 'ContactPerson',
    list: 'ContactPersons',
    idFields: ['ContactId', 'Id'],
    fields: [
      fixed('Id', 'integer'),
      fixed('ContactId', 'integer'),
      field('FirstName', 'string', NAME),
      field('LastName', 'string', NAME),
      field('EmailAddress'),
      field('PhoneNumber'),
      field('Title'),
      field('ExternalCode'),
      field('IsActive', 'boolean'),
    ],
  },
  {
    name: 'Supplier',
    list: 'Suppliers',
    idFields: ['Id'],
    fields: [
      fixed('Id', 'integer'),
      fixed('Number', 'integer'),
      field('IsPerson', 'boolean'),
      field('FirstName', 'string', NAME),
      field('LastName', 'string', NAME),
      field('LegalName'),
      field('EmailAddress'),
      field('PhoneNumber'),
      field('ExternalImportReference', 'string', { maxLength: 50 }),
      field('IsActive', 'boolean'),
      field('IsArchived', 'boolean'),
    ],
  },
];

export const POWEROFFICE_CATALOGUE: Catalogue = { system: 'powerOffice', types: RESOURCES };
