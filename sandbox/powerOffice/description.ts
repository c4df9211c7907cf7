import { readFileSync } from 'node:fs';
import type { Content, Description, DescribedOperation, Parameter, Properties, Schema } from './schema.ts';
import { TIME_TRACKING } from './timeTracking.ts';

const extract = JSON.parse(
  readFileSync(new URL('../../connectors/powerOffice/description.json', import.meta.url), 'utf8'),
) as Description;

/** What the stand-in serves: the provider's description, and the one type that its extract leaves out. */
export const DESCRIPTION: Description = {
  paths: { ...extract.paths, ...TIME_TRACKING.paths },
  components: { schemas: { ...extract.components.schemas, ...TIME_TRACKING.components.schemas } },
  patchable: {
    ...extract.patchable,
    ...TIME_TRACKING.patchable,
    // Not in the extract: what a POST takes, less what is derived from an id beside it. A Department's manager can be
    // set by id (the description's own example shows that by number it cannot).
    ContactGroup: ['Name'],
    Department: ['Code', 'IsActive', 'ManagerEmployeeId', 'Name'],
    ProductGroup: [
      'Code',
      'Description',
      'IsArchived',
      'Name',
      'OptionalSalesAccountId',
      'ProductType',
      'StandardSalesAccountId',
      'UnitCost',
      'UnitOfMeasureCode',
      'UnitPrice',
    ],
  },
};

/** A name of the list that equals the given one, whatever the case: PowerOffice binds names so. */
export const anyCase = (names: Iterable<string>, given: string): string | undefined => {
  const low = given.toLowerCase();
  for (const name of names) if (name.toLowerCase() === low) return name;
  return undefined;
};

/** The schema that a reference stands for. */
export function resolve(schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  return DESCRIPTION.components.schemas[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)] ?? {};
}

/** A record type as the description has it. */
export interface Kind {
  readonly name: string;
  /** As the provider's messages say it: "Contact group". */
  readonly noun: string;
  /** The list's address, lower case. */
  readonly path: string;
  /** Records are created and found below a contact. */
  readonly owned: boolean;
  readonly dto: Properties;
  readonly post: Properties;
  readonly required: readonly string[];
  /** What the type's PatchDto has. */
  readonly patch: Properties;
  /** The list's query parameters, less paging. */
  readonly filters: readonly Parameter[];
  /** The stamp of creation, where there is one. */
  readonly created: string | undefined;
  readonly stamped: boolean;
  readonly createStatus: number;
  /** What a POST that names an unknown record is answered with. */
  readonly unknownStatus: number;
  /** Whether the description leaves open what a PATCH answers. */
  readonly silentPatch: boolean;
}

const jsonOf = (content: Content | undefined): Schema => content?.content?.['application/json']?.schema ?? {};

function patchDto(name: string, dto: Properties): Properties {
  const names = DESCRIPTION.patchable[name] ?? [];
  return Object.fromEntries(names.map((each) => [each, dto[each] ?? {}]));
}

function kindAt(path: string, list: DescribedOperation): Kind {
  const dtoRef = jsonOf(list.responses['200']).items?.$ref ?? '';
  const name = dtoRef.slice(dtoRef.lastIndexOf('/') + 1, -'Dto'.length);
  const [createPath = path] = Object.keys(DESCRIPTION.paths).filter(
    (each) => each.startsWith(path) && DESCRIPTION.paths[each]?.['post'] !== undefined,
  );
  const create = DESCRIPTION.paths[createPath]?.['post'];
  const onePath = Object.keys(DESCRIPTION.paths).find(
    (each) => each.startsWith(`${path}/`) && each.endsWith('d}') && each !== createPath,
  );
  const one = DESCRIPTION.paths[onePath ?? ''] ?? {};
  const dto = resolve({ $ref: dtoRef }).properties ?? {};
  const postDto = resolve(jsonOf(create?.requestBody));
  return {
    name,
    noun: name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
    path: path.slice(1).toLowerCase(),
    owned: createPath !== path,
    dto,
    post: postDto.properties ?? {},
    required: postDto.required ?? [],
    patch: patchDto(name, dto),
    filters: (list.parameters ?? []).filter((each) => each.in === 'query' && each.name !== 'resourceParameter'),
    created: Object.keys(dto).find((each) => each === 'CreatedDateTimeOffset' || each === `${name}CreatedDateTimeOffset`),
    stamped: dto['LastChangedDateTimeOffset'] !== undefined,
    createStatus: create?.responses['201'] === undefined ? 200 : 201,
    unknownStatus: create?.responses['404'] === undefined ? 400 : 404,
    silentPatch: one['patch']?.responses['200']?.content === undefined,
  };
}

/** Every type that has a list. */
export const KINDS: readonly Kind[] = Object.entries(DESCRIPTION.paths).flatMap(([path, { get }]) =>
  get !== undefined && jsonOf(get.responses['200']).type === 'array' ? [kindAt(path, get)] : [],
);

/** Name of what pages and selects a list, as the description's ResourceParameters has it. */
export const PAGING = Object.keys(DESCRIPTION.components.schemas['ResourceParameters']?.properties ?? {});
