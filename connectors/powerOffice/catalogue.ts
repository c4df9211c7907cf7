import type { Catalogue, Field, RecordType, TypeAlias } from '../../flows/catalogue.ts';
import type { DataType } from '../../flows/convert.ts';
import type { Condition } from '../../flows/flow.ts';

/** How PowerOffice Go addresses a type: `path` is its list, and the id's fields are the parts of a record's address: `12/345` for a contact person. */
export type Resource = RecordType;

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
    path: 'Products',
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
    path: 'ContactPersons',
    idFields: ['ContactId', 'Id'],
    fields: [
      fixed('Id', 'integer'),
      { ...fixed('ContactId', 'integer'), refers: 'Customer' },
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
    path: 'Suppliers',
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
  // The types below follow the naming of the three above; where their addresses and fields could not be confirmed
  // against the provider's documentation it is said so, and the contract test asks a live account.
  {
    name: 'Customer',
    path: 'Customers',
    idFields: ['Id'],
    fields: [
      fixed('Id', 'integer'),
      fixed('Number', 'integer'),
      field('IsPerson', 'boolean'),
      field('FirstName', 'string', NAME),
      field('LastName', 'string', NAME),
      field('LegalName'),
      field('OrganizationNumber'),
      field('EmailAddress'),
      field('PhoneNumber'),
      // Not confirmed: that an address without a value is an object of nulls, so that its parts can be replaced.
      field('MailAddress.AddressLine1'),
      field('MailAddress.ZipCode'),
      field('MailAddress.City'),
      field('MailAddress.CountryCode'),
      field('ExternalImportReference', 'string', { maxLength: 50 }),
      field('IsActive', 'boolean'),
      field('IsArchived', 'boolean'),
    ],
  },
  {
    name: 'Employee',
    path: 'Employees',
    idFields: ['Id'],
    fields: [
      fixed('Id', 'integer'),
      fixed('Number', 'integer'),
      field('FirstName', 'string', NAME),
      field('LastName', 'string', NAME),
      field('EmailAddress'),
      field('PhoneNumber'),
      field('JobTitle'),
      // Not confirmed: whether archiving goes by this field.
      field('IsArchived', 'boolean'),
    ],
  },
  {
    name: 'Project',
    path: 'Projects',
    idFields: ['Id'],
    fields: [
      fixed('Id', 'integer'),
      field('Code'),
      field('Name'),
      // Not confirmed: the name of the field that holds the customer's id.
      field('CustomerId', 'integer', { refers: 'Customer' }),
      field('ProjectManagerEmployeeId', 'integer', { refers: 'Employee' }),
      field('StartDate'),
      field('EndDate'),
      field('IsActive', 'boolean'),
    ],
  },
  {
    // Not confirmed: the address of the list and all fields but Id.
    name: 'ProjectActivity',
    path: 'ProjectActivities',
    idFields: ['Id'],
    fields: [
      fixed('Id', 'integer'),
      field('ProjectId', 'integer', { refers: 'Project' }),
      field('Code'),
      field('Name'),
      field('Description'),
      field('IsActive', 'boolean'),
    ],
  },
  {
    // Not confirmed: the address of the list and all fields but Id.
    name: 'TimeTrackingActivity',
    path: 'TimeTrackingActivities',
    idFields: ['Id'],
    fields: [
      fixed('Id', 'integer'),
      field('ProjectId', 'integer', { refers: 'Project' }),
      field('EmployeeId', 'integer', { refers: 'Employee' }),
      field('Code'),
      field('Name'),
      field('StartDate'),
      field('IsActive', 'boolean'),
    ],
  },
];

const PERSON: readonly Condition[] = [{ property: 'IsPerson', equals: true }];

/** Suppliers and customers are companies or people; documents that mean people say so. */
const withPeople = (type: string): readonly TypeAlias[] => [
  { pattern: new RegExp(`^${type.toLowerCase()}s?$`), type },
  {
    pattern: new RegExp(`^${type.toLowerCase()}s?(persons?|people|humans?|humandata)$`),
    type,
    scope: PERSON,
    spelling: `${type} person`,
  },
];

/** PowerOffice Go's data types as documents spell them: singular or plural, in any case, with or without spaces. */
const ALIASES: readonly TypeAlias[] = [
  { pattern: /^products?$/, type: 'Product' },
  { pattern: /^contactpersons?$/, type: 'ContactPerson' },
  ...withPeople('Supplier'),
  ...withPeople('Customer'),
  { pattern: /^employees?$/, type: 'Employee' },
  { pattern: /^projects?$/, type: 'Project' },
  { pattern: /^projectactivit(y|ies)$/, type: 'ProjectActivity' },
  { pattern: /^timetrackingactivit(y|ies)$/, type: 'TimeTrackingActivity' },
];

export const POWEROFFICE_CATALOGUE: Catalogue = { system: 'powerOffice', types: RESOURCES, aliases: ALIASES };
