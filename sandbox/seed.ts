import type { SandboxRow } from './table.ts';

const GIVEN = [
  'Ingrid',
  'Ola',
  'Kari',
  'Lars',
  'Solveig',
  'Bjørn',
  'Astrid',
  'Håkon',
  'Marit',
  'Sverre',
  'Åse',
  'Torbjørn',
  'Ragnhild',
  'Øyvind',
  'Silje',
  'Magnus',
  'Anne-Lise',
  'Per Kristian',
  'Gunnhild',
  'Jørgen',
];
const FAMILY = [
  'Hansen',
  'Johansen',
  'Olsen',
  'Larsen',
  'Andersen',
  'Nilsen',
  'Kristiansen',
  'Bakke',
  'Haugen',
  'Lie',
  'Moen',
  'Strand',
  'Ødegård',
  'Solberg',
  'Aasen',
  'Rønning',
  'Myhre',
  'Tangen',
  'Sætre',
  'Fjeld',
];
const GOODS = [
  'Brunost',
  'Lusekofte',
  'Tømmerstokk',
  'Fiskekake',
  'Skismøring',
  'Kvikklunsj',
  'Regnskapstime',
  'Brøyting',
  'Fjordtur',
  'Lefse',
  'Ullsokk',
  'Kajakk',
];
const KINDS = ['liten', 'stor', 'økologisk', 'hvit', 'blå', 'per time', 'per kilo', 'årsavtale'];
const FIRMS = [
  'Fjordkraft Rør AS',
  'Nordlys Elektro AS',
  'Bakke & Sønn',
  'Trøndersk Transport AS',
  'Vestlandet Fisk ANS',
  'Oslo Papir AS',
  'Lofoten Tørrfisk AS',
  'Hardanger Frukt SA',
];

function stamp(minutesAgo: number, tick: number): string {
  const at = new Date(Date.UTC(2026, 0, 15, 8, 0, 0) - minutesAgo * 60_000);
  return `${at.toISOString().slice(0, 19)}.${String((tick * 1_234_567) % 10_000_000).padStart(7, '0')}+00:00`;
}

const pick = <T>(list: readonly T[], at: number): T => list[at % list.length] as T;

export interface SeedSize {
  readonly products: number;
  readonly contactPersons: number;
  /** All suppliers; `supplierPersons` of them are persons. */
  readonly suppliers: number;
  readonly supplierPersons: number;
  /** Every third customer is a person. */
  readonly customers?: number;
  readonly employees?: number;
  /** Each of the first projects belongs to one of the customers. */
  readonly projects?: number;
  readonly activities?: number;
}

/** What a small Norwegian firm has in its accounts; the same every time. */
export function seed(size: SeedSize): Readonly<Record<string, SandboxRow[]>> {
  const { customers = 0, employees = 0, projects = 0, activities = 0 } = size;
  return {
    Customer: [...rows(customers, customer), ...rows(Math.min(40, size.contactPersons), company)],
    Employee: rows(employees, employee),
    Project: rows(projects, (i) => project(i, size)),
    TimeTrackingActivity: rows(activities, (i) => activity(i, size)),
    Product: rows(size.products, product),
    ContactPerson: rows(size.contactPersons, contact),
    Supplier: rows(size.suppliers, (i) => supplier(i, i < size.supplierPersons)),
  };
}

const rows = (length: number, make: (i: number) => SandboxRow): SandboxRow[] => Array.from({ length }, (_, i) => make(i));

const product = (i: number): SandboxRow => ({
  Id: 1001 + i,
  Code: String(100 + i),
  Name: `${pick(GOODS, i)}, ${pick(KINDS, Math.floor(i / GOODS.length) + i)}`,
  Description: null,
  Gtin: i % 3 === 0 ? `70${String(30_000_000_000 + i * 977)}` : null,
  UnitPrice: 49 + ((i * 37) % 950),
  UnitCost: 20 + ((i * 17) % 400),
  IsArchived: i % 17 === 16,
  CreatedDateTimeOffset: stamp(90_000 + i, i),
  LastChangedDateTimeOffset: stamp(i * 13, i),
});

const contact = (i: number): SandboxRow => ({
  Id: 2001 + i,
  ContactId: 501 + (i % 40),
  FirstName: pick(GIVEN, i * 7 + Math.floor(i / 20)),
  LastName: pick(FAMILY, i * 3 + Math.floor(i / 20)),
  EmailAddress: `kontakt${i + 1}@example.no`,
  PhoneNumber: `+47 400 ${String(10_000 + i * 37).slice(0, 2)} ${String(10_000 + i * 37).slice(2)}`,
  Title: i % 4 === 0 ? 'Daglig leder' : null,
  ExternalCode: null,
  IsActive: i % 11 !== 10,
  CreatedDateTimeOffset: stamp(80_000 + i, i),
  LastChangedDateTimeOffset: stamp(i * 11, i + 3),
});

function supplier(i: number, person: boolean): SandboxRow {
  return {
    Id: 3001 + i,
    Number: 20_001 + i,
    IsPerson: person,
    FirstName: person ? pick(GIVEN, i * 11 + 5) : null,
    LastName: person ? pick(FAMILY, i * 5 + 2) : null,
    Name: person ? null : `${pick(FIRMS, i)} avd. ${i + 1}`,
    LegalName: person ? null : `${pick(FIRMS, i)} avd. ${i + 1}`,
    EmailAddress: `leverandor${i + 1}@example.no`,
    PhoneNumber: null,
    ExternalImportReference: null,
    IsActive: true,
    IsArchived: i % 19 === 18,
    SupplierCreatedDateTimeOffset: stamp(70_000 + i, i),
    LastChangedDateTimeOffset: stamp(i * 29, i + 5),
  };
}

function customer(i: number): SandboxRow {
  const person = i % 3 === 0;
  return {
    Id: 4001 + i,
    Number: 10_001 + i,
    IsPerson: person,
    FirstName: person ? pick(GIVEN, i * 13 + 2) : null,
    LastName: person ? pick(FAMILY, i * 7 + 1) : null,
    Name: person ? null : `${pick(FIRMS, i + 3)} kunde ${i + 1}`,
    LegalName: person ? null : `${pick(FIRMS, i + 3)} kunde ${i + 1}`,
    OrganizationNumber: person ? null : String(910_000_000 + i * 37),
    EmailAddress: `kunde${i + 1}@example.no`,
    PhoneNumber: null,
    MailAddress: { AddressLine1: `Storgata ${i + 1}`, ZipCode: String(1000 + i), City: 'Oslo', CountryCode: 'NO' },
    ExternalImportReference: null,
    IsActive: true,
    IsArchived: false,
    CustomerCreatedDateTimeOffset: stamp(60_000 + i, i),
    LastChangedDateTimeOffset: stamp(i * 17, i + 7),
  };
}

const employee = (i: number): SandboxRow => ({
  Id: 5001 + i,
  Number: i + 1,
  FirstName: pick(GIVEN, i * 3 + 1),
  LastName: pick(FAMILY, i * 11 + 4),
  EmailAddress: `ansatt${i + 1}@example.no`,
  PhoneNumber: null,
  JobTitle: i === 0 ? 'Daglig leder' : 'Konsulent',
  IsArchived: false,
  EmployeeCreatedDateTimeOffset: stamp(50_000 + i, i),
  LastChangedDateTimeOffset: stamp(i * 19, i + 9),
});

const project = (i: number, size: SeedSize): SandboxRow => ({
  Id: 6001 + i,
  Code: `P${i + 1}`,
  Name: `Prosjekt ${i + 1}`,
  ProjectStatus: 'Active',
  CustomerId: (size.customers ?? 0) > 0 && i % 2 === 0 ? 4001 + (i % (size.customers ?? 1)) : null,
  ProjectManagerEmployeeId: (size.employees ?? 0) > 0 ? 5001 + (i % (size.employees ?? 1)) : null,
  StartDate: '2026-01-05',
  EndDate: null,
  IsActive: true,
  CreatedDateTimeOffset: stamp(40_000 + i, i),
  LastChangedDateTimeOffset: stamp(i * 23, i + 11),
});

const activity = (i: number, size: SeedSize): SandboxRow => ({
  Id: 8001 + i,
  ProductId: size.products > 0 ? 1001 + (i % size.products) : null,
  ProjectId: (size.projects ?? 0) > 0 ? 6001 + (i % (size.projects ?? 1)) : null,
  Name: `Aktivitet ${i + 1}`,
  IsActive: true,
});
/** A company that contact persons belong to. */
const company = (i: number): SandboxRow => ({
  ...customer(3 * i + 1),
  Id: 501 + i,
  Number: 10_501 + i,
  EmailAddress: `firma${i + 1}@example.no`,
});

/** Companies and contacts that were in the CRM before Tandem and that it must leave alone. */
export const CRM_SEED: Readonly<Record<string, SandboxRow[]>> = {
  Contact: [
    {
      id: 'c1',
      version: 3,
      createdAt: '2025-04-01T09:00:00.000Z',
      updatedAt: '2025-09-12T10:15:00.123Z',
      externalId: null,
      givenName: 'Frøydis',
      familyName: 'Dahl',
      email: 'froydis@example.no',
      phone: null,
      title: null,
      notes: 'Kjent fra messen',
    },
    {
      id: 'c2',
      version: 1,
      createdAt: '2025-05-02T09:00:00.000Z',
      updatedAt: '2025-05-02T09:00:00.000Z',
      externalId: null,
      givenName: 'Even',
      familyName: 'Nygård',
      email: null,
      phone: null,
      title: null,
      notes: null,
    },
  ],
  Company: [
    {
      id: 'o3',
      version: 1,
      createdAt: '2025-05-02T09:00:00.000Z',
      updatedAt: '2025-05-02T09:00:00.000Z',
      externalId: null,
      name: 'Egen Kunde AS',
      notes: null,
    },
  ],
};
