import type { Row } from './table.ts';

/** A type of the PowerOffice stand-in: its address, fields and rules. */
export interface Kind {
  readonly name: string;
  readonly path: string;
  readonly fields: readonly string[];
  readonly fixed: readonly string[];
  readonly required: (row: Row) => readonly string[];
  readonly unique?: string;
  readonly defaults: Row;
}

export const STAMPS = ['CreatedDateTimeOffset', 'LastChangedDateTimeOffset'];
export const KINDS: readonly Kind[] = [
  {
    name: 'Product',
    path: 'Products',
    fields: ['Id', 'Code', 'Name', 'Description', 'Gtin', 'UnitPrice', 'UnitCost', 'IsArchived', ...STAMPS],
    fixed: ['Id', ...STAMPS],
    required: () => ['Name'],
    unique: 'Code',
    defaults: { Code: null, Description: null, Gtin: null, UnitPrice: null, UnitCost: null, IsArchived: false },
  },
  {
    name: 'ContactPerson',
    path: 'ContactPersons',
    fields: [
      'Id',
      'ContactId',
      'FirstName',
      'LastName',
      'EmailAddress',
      'PhoneNumber',
      'Title',
      'ExternalCode',
      'IsActive',
      ...STAMPS,
    ],
    fixed: ['Id', 'ContactId', ...STAMPS],
    required: () => ['FirstName', 'LastName'],
    unique: 'ExternalCode',
    defaults: { EmailAddress: null, PhoneNumber: null, Title: null, ExternalCode: null, IsActive: true },
  },
  {
    name: 'Supplier',
    path: 'Suppliers',
    fields: [
      'Id',
      'Number',
      'IsPerson',
      'FirstName',
      'LastName',
      'LegalName',
      'EmailAddress',
      'PhoneNumber',
      'ExternalImportReference',
      'IsActive',
      'IsArchived',
      'SupplierCreatedDateTimeOffset',
      'LastChangedDateTimeOffset',
    ],
    fixed: ['Id', 'SupplierCreatedDateTimeOffset', 'LastChangedDateTimeOffset'],
    required: (row) => (row['IsPerson'] === true ? ['FirstName', 'LastName'] : ['LegalName']),
    unique: 'ExternalImportReference',
    defaults: {
      Number: null,
      IsPerson: false,
      FirstName: null,
      LastName: null,
      LegalName: null,
      EmailAddress: null,
      PhoneNumber: null,
      ExternalImportReference: null,
      IsActive: true,
      IsArchived: false,
    },
  },
];
