import type { SandboxRow } from '../table.ts';
import { anyCase, PAGING, resolve, type Kind } from './description.ts';
import { one, present, select, type Look, type Selection, type Shown } from './present.ts';
import { ticks } from './records.ts';
import { REFERENCES } from './rules.ts';
import type { Parameter } from './schema.ts';

/** A query that cannot be answered; `errors` where the framework refuses a value before the service sees it. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
  readonly title: string;
  readonly status: number;
  readonly errors: Readonly<Record<string, string[]>> | undefined;
  constructor(detail: string, more: { title?: string; status?: number; errors?: Record<string, string[]> } = {}) {
    super(detail);
    this.title = more.title ?? 'Bad Request';
    this.status = more.status ?? 400;
    this.errors = more.errors;
  }
}

const invalid = (name: string, value: string): QueryError =>
  new QueryError('See errors.', {
    title: 'One or more validation errors occurred.',
    errors: { [name]: [`The value '${value}' is not valid.`] },
  });

type Test = (row: SandboxRow) => boolean;
const MOMENT = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(\.\d{1,7})?)?\s*(Z|[+-]\d\d:\d\d)?$/i;

/** An instant as the service reads it: a blank or a T between date and time, and UTC where no offset is given. */
function moment(name: string, value: string): string {
  const [, day = '', time = '00:00:00', fraction = '', offset = 'Z'] = MOMENT.exec(value.trim()) ?? [];
  const text = `${day}T${time.length === 5 ? `${time}:00` : time}${fraction}${offset.toUpperCase()}`;
  if (Number.isNaN(Date.parse(text.replace(fraction, '')))) throw invalid(name, value);
  return ticks(text);
}

const listed = (value: string): string[] =>
  value
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');

const uncastable = (detail: string): QueryError => new QueryError(detail, { title: 'Unable to cast object(s)' });

/** `1, 100-200, 500-`: single numbers and ranges, bounds included. */
function ranges(name: string, value: string): (number: unknown) => boolean {
  const spans = listed(value).map((part): [number, number] => {
    const [, from, dash, to] = /^(\d{1,15})\s*(-)?\s*(\d{1,15})?$/.exec(part) ?? [];
    if (from === undefined || (to !== undefined && dash === undefined))
      throw uncastable(`${name} cannot be read: '${part}' is neither a number nor a range of numbers.`);
    return [Number(from), to === undefined ? (dash === undefined ? Number(from) : Infinity) : Number(to)];
  });
  return (number) => typeof number === 'number' && spans.some(([least, most]) => number >= least && number <= most);
}

function ids(name: string, value: string): Set<number> {
  const parts = listed(value);
  if (!parts.every((part) => /^\d{1,15}$/.test(part)))
    throw uncastable(
      `${name} contains negative numbers and/or range of numbers. '-' is not allowed, only comma ',' separated single positive numbers are allowed.`,
    );
  return new Set(parts.map(Number));
}

/** Where a filter's name is not the property's: the property it looks at, a derived one of another record's included. */
const LOOKS_AT: Readonly<Record<string, string>> = {
  codes: 'Code',
  names: 'Name',
  name: 'Name',
  externalCodes: 'ExternalCode',
  productGroupCodes: 'ProductGroupCode',
  departmentCodes: 'DepartmentCode',
  projectCodes: 'Code',
  externalNos: 'ExternalNumber',
  supplierNos: 'Number',
  employeeNos: 'Number',
  projectManagerEmployeeNos: 'ProjectManagerEmployeeNo',
  contactIds: 'ContactId',
  type: 'ProductType',
  status: 'ProjectStatus',
};

/** The test that a filter's value makes of a row. Throws QueryError. */
function filter({ kind, look }: Shown, parameter: Parameter, value: string): Test | undefined {
  const { name } = parameter;
  const schema = resolve(parameter.schema);
  if (value.trim() === '') return undefined;
  const property =
    name === 'customerNos'
      ? kind.name === 'Customer'
        ? 'Number'
        : 'CustomerNo'
      : (LOOKS_AT[name] ?? anyCase(Object.keys(kind.dto), name));
  const read = (row: SandboxRow): unknown => (property === undefined ? undefined : one({ kind, look }, row, property));
  if (name.endsWith('GreaterThan')) {
    const stamp = anyCase(Object.keys(kind.dto), name.slice(0, -'GreaterThan'.length)) ?? '';
    const than = moment(name, value);
    return (row) => typeof row[stamp] === 'string' && ticks(row[stamp]) > than;
  }
  if (schema.type === 'boolean') {
    if (!/^(true|false)$/i.test(value.trim())) throw invalid(name, value);
    const wanted = value.trim().toLowerCase() === 'true';
    if (name === 'excludeArchivedProject') return (row) => !wanted || row['ProjectStatus'] !== 'Archived';
    if (name === 'includeSubProjects') return undefined;
    return (row) => (read(row) ?? false) === wanted;
  }
  if (schema.enum) {
    const wanted = anyCase(schema.enum, value.trim());
    if (wanted === undefined) throw invalid(name, value);
    return (row) => read(row) === wanted;
  }
  if (schema.type === 'integer') {
    if (!/^-?\d{1,15}$/.test(value.trim())) throw invalid(name, value);
    return (row) => read(row) === Number(value);
  }
  if (schema.format === 'uuid') {
    if (!/^[0-9a-f-]{36}$/i.test(value.trim())) throw invalid(name, value);
    return (row) => read(row) === value.trim().toLowerCase();
  }
  if (name === 'contactIds' || name === 'contactGroupIds') {
    const wanted = ids(name, value);
    return (row) => [read(row)].flat().some((id) => wanted.has(Number(id)));
  }
  if (/nos$/i.test(name)) {
    const within = ranges(name, value);
    return (row) => within(read(row));
  }
  if (name === 'name')
    return (row) =>
      String(row['Name'] ?? '')
        .toLowerCase()
        .includes(value.trim().toLowerCase());
  const wanted = (name === 'externalImportReference' ? [value.trim()] : listed(value)).map((each) => each.toLowerCase());
  return (row) => wanted.includes(String(read(row) ?? '').toLowerCase());
}

/** A filter on projects' codes takes their sub-projects in, where that is asked for. */
function projectCodes(kind: Kind, given: ReadonlyMap<string, string>): Test | undefined {
  const codes = listed(given.get('projectCodes') ?? '').map((each) => each.toLowerCase());
  if (kind.name !== 'Project' || codes.length === 0) return undefined;
  const below = given.get('includeSubProjects')?.toLowerCase() === 'true';
  return (row) => {
    const code = String(row['Code'] ?? '').toLowerCase();
    return codes.some((each) => code === each || (below && code.startsWith(`${each}.`)));
  };
}

/** A list's query, under the description's own names. ResourceParameters come by themselves or below their parameter's name. */
function readQuery(kind: Kind, query: URLSearchParams): Map<string, string> {
  const known = [...kind.filters.map((each) => each.name), ...PAGING];
  const given = new Map<string, string>();
  for (const [name, value] of query) {
    const bare = name.replace(/^resourceParameter(?:\.(\w+)|\[(\w+)\])$/i, '$1$2');
    const match = anyCase(known, bare);
    if (match === undefined) throw new QueryError(`Unknown query parameter '${name}'.`);
    if (!given.has(match)) given.set(match, value);
  }
  return given;
}

type Key = number | string;

function sortKey(value: unknown): Key | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'number') return value;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^\d{4}-\d\d-\d\dT/.test(text) ? ticks(text) : text.toLowerCase();
}

function sorted({ kind, look }: Shown, rows: SandboxRow[], orderBy: string): SandboxRow[] {
  const orders = listed(orderBy).map((each) => {
    const [field = '', direction = 'asc', ...rest] = each.split(/\s+/);
    const selection = select(kind, field);
    const [[name, below] = ['', null]] = selection instanceof Map ? (selection as Selection) : [];
    if (name === '' || rest.length > 0 || !/^(asc|desc)$/i.test(direction)) throw new QueryError(`Cannot order by '${each}'.`);
    return { name, below: below?.[0], sign: direction.toLowerCase() === 'desc' ? -1 : 1 };
  });
  const keyed = rows.map((row) => ({
    row,
    id: Number(row['Id']),
    keys: orders.map(({ name, below }) => {
      const value = one({ kind, look }, row, name);
      return sortKey(below === undefined ? value : (value as SandboxRow | undefined)?.[below]);
    }),
  }));
  return keyed
    .sort((a, b) => {
      for (const [i, { sign }] of orders.entries()) {
        const [x, y] = [a.keys[i], b.keys[i]];
        if (x === y) continue;
        // Without a value first, as the database has it.
        if (x === undefined || y === undefined) return x === undefined ? -sign : sign;
        return x < y ? -sign : sign;
      }
      return a.id - b.id;
    })
    .map(({ row }) => row);
}

function whole(
  name: string,
  text: string | undefined,
  { otherwise, most }: { readonly otherwise: number; readonly most: number },
): number {
  if (text === undefined || text === '') return otherwise;
  if (!/^[-+]?\d{1,10}$/.test(text.trim())) throw invalid(name, text);
  const number = Number(text);
  if (number < 1 || number > most) throw new QueryError(`${name} must be between 1 and ${most}.`);
  return number;
}

/** A page of a list, and what `X-Pagination` says of it. */
export interface ListedPage {
  readonly records: SandboxRow[];
  readonly pagination: Readonly<Record<string, number | string | null>>;
}

/** Answers a list's query from the rows as they are shown now. Throws QueryError. */
export function list(shown: Shown, all: Iterable<SandboxRow>, url: URL): ListedPage {
  const { kind, look } = shown;
  const given = readQuery(kind, url.searchParams);
  const selection = select(kind, given.get('Fields') ?? '');
  if ('unknown' in selection) throw new QueryError(`Unknown field '${selection.unknown}' in Fields.`);
  const size = whole('PageSize', given.get('PageSize'), { otherwise: 5000, most: 20_000 });
  const number = whole('PageNumber', given.get('PageNumber'), { otherwise: 1, most: 2_147_483_647 });
  const check = given.get('UseDatabaseValidation') ?? '';
  if (check !== '' && !/^(true|false)$/i.test(check)) throw invalid('UseDatabaseValidation', check);
  const tests = kind.filters.flatMap((parameter) => {
    const value = given.get(parameter.name);
    if (value === undefined) return [];
    const test = parameter.name === 'projectCodes' ? projectCodes(kind, given) : filter(shown, parameter, value);
    return test ? [test] : [];
  });
  if (/true/i.test(check)) lookUp(given, look);
  const rows: SandboxRow[] = [];
  for (const row of all) if (tests.every((test) => test(row))) rows.push(row);
  const inOrder = sorted(shown, rows, given.get('OrderBy') ?? '');
  const pages = Math.ceil(rows.length / size);
  const link = (page: number): string | null => {
    if (page < 1 || page > pages) return null;
    const to = new URL(url);
    const names = [...to.searchParams.keys()].filter((name) => /PageNumber\]?$/i.test(name));
    for (const name of names) to.searchParams.delete(name);
    to.searchParams.set('PageNumber', String(page));
    return to.toString();
  };
  return {
    records: inOrder.slice((number - 1) * size, number * size).map((row) => present(shown, row, selection)),
    pagination: {
      totalCount: rows.length,
      pageSize: size,
      currentPage: number,
      totalPages: pages,
      previousPageLink: link(number - 1),
      nextPageLink: link(number + 1),
    },
  };
}

/** With UseDatabaseValidation, groups that a filter names and that are not there are an error. */
function lookUp(given: ReadonlyMap<string, string>, look: Look): void {
  const { kind } = REFERENCES['ContactGroupIds'] ?? { kind: '' };
  const lost = [...ids('contactGroupIds', given.get('contactGroupIds') ?? '')].filter((id) => look(kind, id) === undefined);
  if (lost.length > 0)
    throw new QueryError(`Could not find contact group(s) with id = ${lost.join(', ')}.`, {
      title: 'Object(s) not found',
      status: 404,
    });
}
