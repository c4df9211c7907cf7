import { looksLike } from '../looksLike.ts';
import { justBefore } from '../../flows/instant.ts';
import type {
  CallOptions,
  ChangedRequest,
  FindRequest,
  IdPage,
  IdsRequest,
  Page,
  Snapshot,
  UnreadableRow,
} from '../connector.ts';
import { inOrder, type Lister } from '../paging.ts';
import { SystemError } from '../systemError.ts';
import type { Resource } from './catalogue.ts';
import type { PowerOfficeClient } from './client.ts';
import { CHANGED, notAsPromised, recordId, resource, rowsOf, goSnapshot } from './records.ts';
import { referenceFor } from './reference.ts';

const PAGE_SIZE = 2000;
const IDS_PAGE_SIZE = 20_000;

/** Fields as the service selects them: a nested one comes with the whole of its object. */
const selected = (names: readonly string[]): string => [...new Set(names.map((name) => name.split('.')[0] ?? name))].join(',');

/** Records changed after an instant; all of a type whose records carry no stamp. */
export function changed(
  client: PowerOfficeClient,
  { type, fields, since, position }: ChangedRequest,
  options: CallOptions,
): AsyncIterable<Page> {
  const kind = resource(type);
  return kind.stamped
    ? inOrder(lister(client, { kind, fields }, options), { since, position })
    : everything(client, { kind, fields, position }, options);
}

/** Rows as records; one that cannot be read is set aside and stops none of its neighbours. */
function readRows(
  kind: Resource,
  shown: readonly unknown[],
  reading: Parameters<typeof goSnapshot>[2],
): { readonly rows: readonly Snapshot[]; readonly unreadable?: readonly UnreadableRow[] } {
  const rows: Snapshot[] = [];
  const unreadable: UnreadableRow[] = [];
  for (const row of shown)
    try {
      rows.push(goSnapshot(kind, row, reading));
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      const id = idShown(kind, row);
      unreadable.push({ ...(id === null ? {} : { id }), why: error.text });
    }
  return { rows, ...(unreadable.length > 0 ? { unreadable } : {}) };
}

function idShown(kind: Resource, row: unknown): string | null {
  try {
    return recordId(kind, row);
  } catch {
    return null;
  }
}

function lister(
  client: PowerOfficeClient,
  { kind, fields }: { readonly kind: Resource; readonly fields: readonly string[] },
  options: CallOptions,
): Lister {
  let ordered = true;
  return {
    ordered: true,
    async page(since, page) {
      const answer = await client.send(
        {
          method: 'GET',
          path: kind.path,
          query: {
            Fields: selected([...kind.idFields, CHANGED, ...fields]),
            PageSize: String(PAGE_SIZE),
            PageNumber: page ?? '1',
            ...(ordered ? { OrderBy: CHANGED } : {}),
            ...(since === null ? {} : { lastChangedDateTimeOffsetGreaterThan: since.replace(/Z$/, '+00:00') }),
          },
        },
        options,
      );
      const shown = rowsOf(kind, answer);
      const next = shown.length < PAGE_SIZE ? null : String(Number(page ?? '1') + 1);
      return { ...readRows(kind, shown, { fields, clock: client.clock, answer, read: true }), next };
    },
    including: justBefore,
    refusesOrder(error) {
      const refused = ordered && error instanceof SystemError && error.status === 400;
      if (refused) ordered = false;
      return refused;
    },
  };
}

/** No source says that such a list can be sorted or its fields selected, so neither is asked for. */
async function* everything(
  client: PowerOfficeClient,
  {
    kind,
    fields,
    position: from,
  }: Pick<ChangedRequest, 'position'> & { readonly kind: Resource; readonly fields: readonly string[] },
  options: CallOptions,
): AsyncIterable<Page> {
  for (let page = Number(from ?? 1); ; page++) {
    const query = { PageSize: String(PAGE_SIZE), PageNumber: String(page) };
    const answer = await client.send({ method: 'GET', path: kind.path, query }, options);
    const shown = rowsOf(kind, answer);
    const { rows, unreadable } = readRows(kind, shown, { fields, clock: client.clock, answer, read: true });
    const last = shown.length < PAGE_SIZE;
    const position = last ? null : String(page + 1);
    if (shown.length > 0)
      yield { records: rows, after: rows.at(-1)?.instant ?? null, position, ...(unreadable ? { unreadable } : {}) };
    if (last) return;
  }
}

/** Ids of all records of a type, page by page. */
export async function* ids(
  client: PowerOfficeClient,
  { type, position }: IdsRequest,
  options: CallOptions,
): AsyncIterable<IdPage> {
  const kind = resource(type);
  for (let page = Number(position ?? 1); ; page++) {
    const query = {
      ...(kind.stamped ? { Fields: kind.idFields.join(','), OrderBy: 'Id' } : {}),
      PageSize: String(IDS_PAGE_SIZE),
      PageNumber: String(page),
    };
    const rows = rowsOf(kind, await client.send({ method: 'GET', path: kind.path, query }, options));
    const last = rows.length < IDS_PAGE_SIZE;
    const shown = rows.flatMap((row) => idShown(kind, row) ?? []);
    // A list in which no row shows an id is another list than was asked for.
    if (rows.length > 0 && shown.length === 0) recordId(kind, rows[0]);
    yield { ids: shown, position: last ? null : String(page + 1) };
    if (last) return;
  }
}

/**
 * What a lost answer to a create may have left: the record that carries our reference, where Tandem may write one, else
 * those changed lately with exactly these values.
 */
export async function find(
  client: PowerOfficeClient,
  { type, by, fields, writeReferences }: FindRequest & { readonly writeReferences: boolean },
  options: CallOptions,
): Promise<readonly Snapshot[]> {
  const kind = resource(type);
  const reference = writeReferences ? referenceFor(kind, by.values, by.externalId) : null;
  if (reference) {
    const query = { [reference.filter]: reference.value };
    const answer = await client.send({ method: 'GET', path: kind.path, query }, options);
    const names = [...fields, reference.field];
    const found = rowsOf(kind, answer)
      .map((record) => goSnapshot(kind, record, { fields: names, clock: client.clock, answer, read: true }))
      .filter((record) => record.fields[reference.field] === reference.value);
    if (found.length > 0) return found;
  }
  // An earlier attempt may have been made without a reference.
  const found: Snapshot[] = [];
  const since = new Date(by.since).toISOString();
  for await (const page of changed(client, { type, fields: [...fields, ...Object.keys(by.values)], since }, options)) {
    // A row that can't be read may be the one: better no answer than "there is none".
    if (page.unreadable?.[0]) throw notAsPromised(page.unreadable[0].why);
    found.push(...page.records.filter((record) => looksLike(record.fields, by.values)));
  }
  return found;
}
