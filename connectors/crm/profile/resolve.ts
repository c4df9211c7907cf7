import type { OperationName, Profile } from './schema.ts';
import type { Template, Variables } from './template.ts';

export type RecordShape = Profile['record'];
export type Stamps = Profile['stamps'];
export type Paging = Profile['paging'];
export type ProfileCondition = Profile['condition'];
type Loose = Record<string, unknown>;

/** A request template with nothing left to inherit. */
export interface Request {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query: Readonly<Record<string, Template>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Template;
  readonly contentType?: string;
}

/** A request that is answered with a page of records. */
export interface Listing extends Request {
  readonly items?: string;
  readonly paging: Paging;
  readonly record: RecordShape;
  readonly thin: boolean;
}

/** A request that is answered with a record, or with less. */
export interface Writing extends Request {
  readonly answer: 'whole' | 'part' | 'id' | 'none';
  readonly out?: string;
  readonly id?: string;
}

/** A request that is answered with ids of deleted records. */
export interface DeletedListing extends Listing {
  readonly id: string;
  readonly at?: string;
}

/** The operations of one type. What a CRM lacks is left out. */
export interface Operations {
  readonly list: Listing;
  readonly changes?: Listing;
  readonly find?: Listing;
  readonly read: Request & { readonly out?: string };
  readonly create: Writing & { readonly upserts: boolean };
  readonly update: Writing & { readonly style: 'merge' | 'replace' | 'jsonPatch'; readonly omit?: readonly string[] };
  readonly delete?: Request;
  readonly deleted?: DeletedListing;
  readonly identity?: Request & { readonly id?: string };
}

/** One type of a profile, everything of the profile's own level taken over. */
export interface TypeProfile {
  readonly name: string;
  readonly variables: Variables;
  readonly fields: Profile['types'][string]['fields'];
  readonly record: RecordShape;
  readonly stamps: Stamps;
  readonly condition: ProfileCondition;
  readonly operations: Partial<Operations>;
}

const METHODS: Readonly<Record<OperationName, Request['method']>> = {
  list: 'GET',
  changes: 'GET',
  find: 'GET',
  read: 'GET',
  create: 'POST',
  update: 'PATCH',
  delete: 'DELETE',
  deleted: 'GET',
  identity: 'GET',
};
const INHERITS: Partial<Record<OperationName, 'list'>> = { changes: 'list', find: 'list' };

/** What is said above counts; what is not said is as below. */
function merged<T extends object>(below: T, above: unknown): T {
  const given = Object.entries((above ?? {}) as Loose).filter(([, value]) => value !== undefined);
  return { ...below, ...Object.fromEntries(given) };
}

/** What an operation says, the profile's own level and the operation that it inherits from below it. */
function said(profile: Profile, typeName: string, operation: OperationName): Loose | undefined {
  const own = [profile.operations[operation], profile.types[typeName]?.operations[operation]];
  if (own.every((each) => each === undefined)) return undefined;
  const parent = INHERITS[operation];
  const levels = [parent ? said(profile, typeName, parent) : undefined, ...own].filter((each) => each !== undefined);
  const parts = ['query', 'headers', 'paging', 'record'];
  return levels.reduce<Loose>((below, level) => {
    const inner = parts.map((part) => [part, merged((below[part] ?? {}) as Loose, (level as Loose)[part])]);
    return { ...merged(below, level), ...Object.fromEntries(inner) };
  }, {});
}

/** One type with everything that it takes over from the profile. Operations that nobody gives are left out. */
export function typeProfile(profile: Profile, typeName: string): TypeProfile {
  const type = profile.types[typeName];
  if (!type) throw new RangeError(`the profile "${profile.name}" has no type ${typeName}`);
  const record = merged<RecordShape>(profile.record, type.record);
  const operations: Record<string, unknown> = {};
  for (const operation of Object.keys(METHODS) as OperationName[]) {
    const given = said(profile, typeName, operation);
    if (!given) continue;
    const { paging, record: own, query, headers, ...rest } = given;
    const lists = ['list', 'changes', 'find', 'deleted'].includes(operation);
    const writes = operation === 'create' || operation === 'update';
    operations[operation] = {
      ...(lists ? { paging: merged(profile.paging, paging), record: merged(record, own), thin: false } : {}),
      ...(writes ? { answer: 'whole', body: '{values}', upserts: false, style: 'merge' } : {}),
      ...(operation === 'deleted' ? { id: record.id } : {}),
      method: METHODS[operation],
      ...rest,
      query: { ...profile.query, ...type.query, ...(query as Loose) },
      headers: { ...profile.headers, ...type.headers, ...(headers as Loose) },
    };
  }
  return {
    name: typeName,
    variables: { ...type.parameters, type: typeName, path: type.path },
    fields: type.fields,
    record,
    stamps: merged<Stamps>(profile.stamps, type.stamps),
    condition: type.condition ?? profile.condition,
    operations: operations as Partial<Operations>,
  };
}

/** One type of a profile that was checked: the operations without which nothing goes are there. */
export type ReadyType = Omit<TypeProfile, 'operations'> & { readonly operations: Operations };
