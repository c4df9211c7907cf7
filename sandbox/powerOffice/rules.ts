import type { SandboxRow } from '../table.ts';
import type { Kind } from './description.ts';

/** What the description says in words: which properties hold another record's id, and the code derived from it. */
export interface Reference {
  readonly kind: string;
  /** The read-only property beside the id, and the property of the other record that it shows. */
  readonly shows?: readonly [code: string, of: string];
}

export const REFERENCES: Readonly<Record<string, Reference>> = {
  DepartmentId: { kind: 'Department', shows: ['DepartmentCode', 'Code'] },
  ManagerEmployeeId: { kind: 'Employee', shows: ['ManagerEmployeeNo', 'Number'] },
  SalesPersonEmployeeId: { kind: 'Employee', shows: ['SalesPersonEmployeeNumber', 'Number'] },
  ProjectManagerEmployeeId: { kind: 'Employee', shows: ['ProjectManagerEmployeeNo', 'Number'] },
  CustomerId: { kind: 'Customer', shows: ['CustomerNo', 'Number'] },
  ProductGroupId: { kind: 'ProductGroup', shows: ['ProductGroupCode', 'Code'] },
  ParentProjectId: { kind: 'Project', shows: ['ParentProjectCode', 'Code'] },
  ContactPersonId: { kind: 'ContactPerson' },
  ContactGroupIds: { kind: 'ContactGroup' },
  ProductId: { kind: 'Product' },
  ProjectId: { kind: 'Project' },
};

/** Customer, supplier and employee are facets of one contact: the same id, and these properties in common. */
export const FACETS: readonly string[] = ['Customer', 'Supplier', 'Employee'];
export const SHARED: readonly string[] = [
  'IsPerson',
  'IsArchived',
  'Name',
  'LegalName',
  'FirstName',
  'LastName',
  'OrganizationNumber',
  'DateOfBirth',
  'ContactGroupIds',
  'MailAddress',
];

/** Values that no two records of a type may share. */
const FACET_UNIQUE = ['ExternalImportReference', 'ExternalNumber', 'Number'];
export const UNIQUE: Readonly<Record<string, readonly string[]>> = {
  Customer: FACET_UNIQUE,
  Supplier: FACET_UNIQUE,
  Employee: FACET_UNIQUE,
  ContactPerson: ['ExternalCode'],
  Product: ['Code'],
  ProductGroup: ['Code'],
  Department: ['Code'],
  Project: ['Code'],
};

/** The first number that Go gives where none is given. */
export const FIRST_NUMBER: Readonly<Record<string, number>> = { Customer: 10_001, Supplier: 20_001, Employee: 1 };

/** What a new record has where nothing is given. */
const FACET = { IsArchived: false, ContactGroupIds: [] };
export const DEFAULTS: Readonly<Record<string, SandboxRow>> = {
  Customer: {
    ...FACET,
    IsPerson: false,
    IsActive: true,
    IsVatFree: false,
    CurrencyCode: 'NOK',
    DoNotAddLatePaymentFees: false,
    DoNotAddLatePaymentInterest: false,
    DoNotAutomatePaymentNotifications: false,
    SendPaymentReminders: true,
    TransferToDebtCollectionAgency: true,
    UseInvoiceFee: true,
  },
  Supplier: { ...FACET, IsPerson: false, IsActive: true, CurrencyCode: 'NOK', Payout: true },
  Employee: { ...FACET, InternationalIdReportToAltinn: false },
  Product: { IsArchived: false, IsStockItem: false, ProductType: 'Product' },
  ProductGroup: { IsArchived: false, ProductType: 'Product' },
  ContactPerson: { IsActive: true, IsDefault: false },
  Department: { IsActive: false },
  Project: {
    IsActive: true,
    ProjectStatus: 'Active',
    AllowAllActivities: true,
    AllowAllEmployees: true,
    AttachExpenseVouchersWhenBilling: false,
    DenyTimeTracking: false,
    IsBillable: true,
    IsInternal: false,
  },
  TimeTrackingActivity: { IsActive: true },
};

/** Values that a query never shows. */
export const HIDDEN: readonly string[] = ['NationalIdNumber', 'InternationalIdNumber'];

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const blank = (value: unknown): boolean => value === null || value === undefined || String(value).trim() === '';

/** The service's own objections to a record, beyond what its framework checks; the first one that holds. */
export function objection(kind: Kind, row: SandboxRow): string | undefined {
  const person = row['IsPerson'] === true;
  const facet = kind.name === 'Customer' || kind.name === 'Supplier';
  const needed = facet ? (person ? ['FirstName', 'LastName'] : ['Name']) : kind.required;
  const missing = needed.find((name) => blank(row[name]));
  if (missing !== undefined) return `${missing} is required${facet ? ` when IsPerson is ${person}` : ''}.`;
  const { EmailAddress: email, Code: code } = row;
  if (!blank(email) && !EMAIL.test(String(email).trim())) return `EmailAddress '${String(email)}' is not a valid e-mail address.`;
  return kind.name === 'Project' && String(code ?? '').includes('.') && blank(row['ParentProjectId'])
    ? "Code cannot contain '.': it divides a project's code from its sub-project's."
    : undefined;
}
