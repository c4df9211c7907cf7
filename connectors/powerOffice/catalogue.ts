import type { Catalogue, Field, RecordType, TypeAlias } from '../../flows/catalogue.ts';
import type { DataType } from '../../flows/convert.ts';
import type { Condition } from '../../flows/flow.ts';
import { EXTRACT, referred, type SchemaProperty } from './extract.ts';

/** How PowerOffice Go addresses a type: `path` is its list, and the id's fields are the parts of a record's address: `12/345` for a contact person. */
export interface Resource extends RecordType {
  /** The list's filter for records created after an instant, and the field with that instant; none where the type has none. */
  readonly created?: { readonly filter: string; readonly field: string };
  /** Whether its records carry the instant of their last change. */
  readonly stamped: boolean;
  /** The field that may hold a reference of ours, and the list's filter for it. */
  readonly reference?: { readonly field: string; readonly filter: string };
  /** Roles of an integration, any one of which suffices: to read, and to write. None where no source names them. */
  readonly roles?: { readonly read: readonly string[]; readonly write: readonly string[] };
}

/** What the description does not say of a type. */
interface Supplement {
  readonly path: string;
  readonly pollSeconds?: number;
  readonly idFields?: readonly string[];
  readonly created: string;
  readonly reference?: { readonly field: string; readonly filter: string };
  /** Types whose id a field holds. */
  readonly refers?: Readonly<Record<string, readonly string[]>>;
  /** Types whose roles allow it, itself aside. */
  readonly roles?: readonly string[];
  /** Fields, nested ones by their head, an edit of which does not move the stamp. */
  readonly unstamped?: readonly string[];
}

const IMPORT_REFERENCE = { field: 'ExternalImportReference', filter: 'externalImportReference' };
/** The provider watches polling, and calls frequent polling of types that move slowly unnecessary (s). */
const SLOW = 300;
/** Without stamps every look reads the whole list (s). */
const UNSTAMPED = 900;
const CONTACT = ['Customer', 'Supplier'];

/**
 * Source of roles: the summary of each operation in the provider's description. Source of `unstamped`: the description
 * of each type's LastChangedDateTimeOffset; of a contact person's address it says nothing, so the worse is assumed.
 */
const SUPPLEMENTS: Readonly<Record<string, Supplement>> = {
  Product: {
    path: 'Products',
    pollSeconds: SLOW,
    created: 'CreatedDateTimeOffset',
    unstamped: ['StockOnHand', 'StockAvailable'],
  },
  ContactPerson: {
    path: 'ContactPersons',
    idFields: ['ContactId', 'Id'],
    created: 'CreatedDateTimeOffset',
    reference: { field: 'ExternalCode', filter: 'externalCodes' },
    refers: { ContactId: CONTACT },
    roles: CONTACT,
    unstamped: ['MailAddress'],
  },
  Supplier: {
    path: 'Suppliers',
    created: 'SupplierCreatedDateTimeOffset',
    reference: IMPORT_REFERENCE,
    unstamped: ['MailAddress'],
  },
  Customer: {
    path: 'Customers',
    created: 'CustomerCreatedDateTimeOffset',
    reference: IMPORT_REFERENCE,
    refers: { SalesPersonEmployeeId: ['Employee'] },
    unstamped: ['MailAddress'],
  },
  Employee: {
    path: 'Employees',
    pollSeconds: SLOW,
    created: 'EmployeeCreatedDateTimeOffset',
    reference: IMPORT_REFERENCE,
    refers: { ManagerEmployeeId: ['Employee'] },
    unstamped: ['MailAddress'],
  },
  Project: {
    path: 'Projects',
    pollSeconds: SLOW,
    created: 'CreatedDateTimeOffset',
    refers: { CustomerId: ['Customer'], ProjectManagerEmployeeId: ['Employee'], ParentProjectId: ['Project'] },
  },
};

const HIDDEN = 'queries answer "hidden" instead of its value, which would be taken for the value';
/** Properties that no flow may use. */
const REFUSED: Readonly<Record<string, string>> = {
  'Customer.NationalIdNumber': HIDDEN,
  'Employee.NationalIdNumber': HIDDEN,
  'Employee.InternationalIdNumber': HIDDEN,
};

/** The documentation says so where the schema does not. */
const LIMITS: Readonly<Record<string, number>> = { ExternalImportReference: 50 };

const TIME_TRACKING: Resource = {
  name: 'TimeTrackingActivity',
  path: 'TimeTracking/ActivityTime',
  idFields: ['Id'],
  stamped: false,
  pollSeconds: UNSTAMPED,
  fields: [
    { name: 'Id', type: 'integer', writable: false, source: 'assumed' },
    { name: 'Name', type: 'string', writable: true, source: 'assumed' },
    { name: 'IsActive', type: 'boolean', writable: true, source: 'assumed' },
    { name: 'ProductId', type: 'integer', writable: true, refers: ['Product'], source: 'assumed' },
    { name: 'ProjectId', type: 'integer', writable: true, refers: ['Project'], source: 'assumed' },
  ],
};

/** Every type that Tandem speaks, each property of it that the provider's description has. */
export const RESOURCES: readonly Resource[] = [
  ...Object.entries(SUPPLEMENTS).map(([name, supplement]) => resourceOf(name, supplement)),
  TIME_TRACKING,
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

export const POWEROFFICE_CATALOGUE: Catalogue = {
  system: 'powerOffice',
  types: RESOURCES,
  aliases: ALIASES,
  refused: {
    ProjectActivity:
      'project activities exist in version 1 of the API alone, which Tandem does not speak; in version 2 a project has its time tracking activities (TimeTrackingActivity)',
  },
};

function resourceOf(name: string, supplement: Supplement): Resource {
  const { path, idFields = ['Id'], created, reference, roles = [], pollSeconds } = supplement;
  const filter = `${created.charAt(0).toLowerCase()}${created.slice(1)}GreaterThan`;
  const allowed = [name, ...roles];
  return {
    name,
    path,
    idFields,
    stamped: true,
    ...(pollSeconds === undefined ? {} : { pollSeconds }),
    created: { filter, field: created },
    ...(reference ? { reference } : {}),
    roles: { read: allowed.flatMap((each) => [each, `${each}_Full`]), write: allowed.map((each) => `${each}_Full`) },
    fields: fieldsOf(name, supplement),
  };
}

/** Ids first, then the rest as the description has them; what can be given at creation alone comes last. */
function fieldsOf(name: string, { idFields = ['Id'], refers = {}, unstamped = [] }: Supplement): Field[] {
  const { schemas } = EXTRACT.components;
  const shown = schemas[`${name}Dto`]?.properties ?? {};
  const given = schemas[`${name}PostDto`]?.properties ?? {};
  const patchable = EXTRACT.patchable[name] ?? [];
  const names = [...new Set([...idFields, ...Object.keys(shown), ...Object.keys(given)])];
  return names.flatMap((each) => {
    const property = shown[each] ?? given[each] ?? {};
    const inner = referred(property);
    const head = {
      writable: patchable.includes(each),
      ...(!patchable.includes(each) && given[each] ? { atCreation: true as const } : {}),
      ...(shown[each] ? {} : { unreadable: true as const }),
      ...(unstamped.includes(each) ? { unstamped: true as const } : {}),
    };
    if (inner?.schema.properties) return nested(each, { schema: inner.name, properties: inner.schema.properties, whole: head });
    const refused = REFUSED[`${name}.${each}`];
    return [
      {
        ...plain(each, property),
        ...head,
        ...(refers[each] ? { refers: refers[each] } : {}),
        ...(refused === undefined ? {} : { refused }),
      },
    ];
  });
}

/** The parts of an object: each is written by itself, where both it and the whole may be patched. */
function nested(
  head: string,
  {
    schema,
    properties,
    whole,
  }: {
    readonly schema: string;
    readonly properties: Readonly<Record<string, SchemaProperty>>;
    readonly whole: Pick<Field, 'writable' | 'unstamped'>;
  },
): Field[] {
  const patchable = EXTRACT.patchable[schema.replace(/Dto$/, '')] ?? [];
  return Object.entries(properties).map(([name, property]) => ({
    ...plain(`${head}.${name}`, property),
    ...whole,
    writable: whole.writable && patchable.includes(name),
  }));
}

function plain(name: string, property: SchemaProperty): Pick<Field, 'name' | 'type' | 'maxLength' | 'words' | 'source'> {
  const maxLength = property.maxLength ?? LIMITS[name];
  const words = referred(property)?.schema.enum;
  return {
    name,
    type: typeOf(property),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(words ? { words } : {}),
    source: 'description',
  };
}

/** Amounts are JSON numbers there and decimals here: no rounding happens on the way between two systems. */
function typeOf({ type, items }: SchemaProperty): DataType {
  if (items) return 'list';
  if (type === 'integer' || type === 'boolean') return type;
  return type === 'number' ? 'decimal' : 'string';
}
