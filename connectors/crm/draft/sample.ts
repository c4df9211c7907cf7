import { placeOf, textAt } from '../profile/place.ts';
import { formatThatReads } from '../profile/stamps.ts';
import type { StampFormat } from '../profile/schema.ts';
import { isObject, lastStep, type Json } from '../record.ts';
import { listIn } from './descriptions.ts';
import { pagingOf, totalOf } from './more.ts';
import { guessRecord, sampled, typeNameOf, type DescribedType } from './guess.ts';

/** An answer as it was looked at: `address` after what it was sent on to. */
export interface Peeked {
  readonly address: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}
export type Peek = (address: string) => Promise<Peeked>;

/** What a list of records, and one of them by itself, show of a type. */
export interface SampledType extends DescribedType {
  readonly record: Readonly<Record<string, unknown>>;
  readonly format: StampFormat;
  readonly paging: object;
  /** The list's own address. */
  readonly address: string;
  /** Addresses end with a slash. */
  readonly slash: boolean;
  readonly shown: number;
  readonly notes: readonly string[];
}

/** JSON of an answer; undefined where it is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Below which key systems put the properties of a record. */
const WRAPPERS = ['attributes', 'properties', 'fields'];

/** Places of id, stamps and the rest, also where properties stand below a key. */
function recordOf(records: readonly Json[]): {
  record: Record<string, unknown>;
  inner: readonly Json[];
  values: string | undefined;
} {
  const values = WRAPPERS.find((name) => records.every((record) => isObject(record[name])));
  const outer = sampled(records);
  if (values === undefined) return { record: guessRecord(outer), inner: records, values };
  const inner = records.map((record) => record[values] as Json);
  const below = guessRecord(sampled(inner));
  const names = sampled(inner).map(({ name }) => name);
  const place = (name: unknown): unknown => (typeof name === 'string' && names.includes(name) ? `${values}.${name}` : name);
  const above = guessRecord(outer);
  const stampAbove = outer.some(({ name }) => name === (above['changed'] as string[])[0]);
  const placed = Object.fromEntries(
    Object.entries(below).map(([key, name]) => [key, Array.isArray(name) ? name.map(place) : place(name)]),
  );
  return { record: { ...placed, ...(stampAbove ? above : {}), id: above['id'], values }, inner, values };
}

/** What can be seen of a type in a list of its records; null where the answer is no such list. */
export async function sampleType(list: Peeked, peek: Peek): Promise<SampledType | null> {
  const body = jsonOf(list.text);
  const found = list.status === 200 ? listIn(body) : null;
  if (!found) return null;
  const { record, inner } = recordOf(found.records);
  const id = String(record['id']);
  const first = textAt(found.records[0], id);
  if (first === null) return null;
  const etag = ['_etag', 'etag', '@odata.etag'].find((name) => textAt(found.records[0], name) !== null);
  const { pathname } = new URL(list.address);
  const slash = pathname.endsWith('/');
  const notes: string[] = [];
  const paging = pagingOf(list.headers, body);
  const total = totalOf(body);
  if (paging.style === 'none' && total > found.records.length)
    notes.push(`${pathname} shows ${found.records.length} of ${total}: it pages, and how cannot be seen in a sample`);
  const single = await oneOf(list, peek, /^https?:|^\//.test(first) ? (lastStep(first) ?? first) : first);
  notes.push(...single.notes);
  const [stamp] = (record['changed'] as string[])
    .map((path) => placeOf(found.records[0], path))
    .filter((each) => each !== undefined);
  const format = formatThatReads(stamp) ?? 'iso';
  if (stamp === undefined) notes.push(`${pathname} shows no stamp of the last change: without one it cannot be followed`);
  else if (stamp !== null && formatThatReads(stamp) === null)
    notes.push(
      `the stamp ${JSON.stringify(stamp)} is of no usual format: give stamps.format a pattern, such as DD.MM.YYYY HH:mm:ss`,
    );
  return {
    typeName: typeNameOf(pathname),
    path: `/${pathname.split('/').filter(Boolean).at(-1) ?? ''}`,
    address: list.address,
    properties: sampled(inner).filter(({ name }) => name !== etag),
    ...(found.items === '' ? {} : { items: found.items }),
    ...(single.out === '' ? {} : { out: single.out }),
    record: { ...record, ...(etag === undefined ? {} : { etag }) },
    format,
    paging,
    slash,
    shown: found.records.length,
    parameters: [],
    update: 'PATCH',
    remove: true,
    notes,
  };
}

/** One record by its id: where it stands in its answer. */
async function oneOf(list: Peeked, peek: Peek, id: string): Promise<{ out: string; notes: string[] }> {
  const { origin, pathname } = new URL(list.address);
  const address = `${origin}${pathname.replace(/\/$/, '')}/${encodeURIComponent(id)}${pathname.endsWith('/') ? '/' : ''}`;
  const { status, text } = await peek(address);
  const body = jsonOf(text);
  if (status !== 200 || !isObject(body))
    return { out: '', notes: [`one record is not read at ${new URL(address).pathname} (${status}): say under read where it is`] };
  const out = Object.entries(body).find(
    ([, inner]) => isObject(inner) && Object.values(inner).some((value) => String(value) === id),
  );
  const wrapped = out !== undefined && !Object.values(body).some((value) => String(value) === id);
  return wrapped
    ? {
        out: out[0],
        notes: [
          `a single record stands below ${out[0]}: where what is sent has to stand there, too, give create and update "body": {"${out[0]}": "{values}"}`,
        ],
      }
    : { out: '', notes: [] };
}

/** Addresses that a first page names, as APIs do that can be walked through: of lists, perhaps. */
export function namedIn({ address, text }: Peeked): string[] {
  const { origin } = new URL(address);
  const found: string[] = [];
  const take = (link: string): void => {
    try {
      const url = new URL(link, `${address.replace(/\/+$/, '')}/`);
      if (url.origin === origin && url.href !== address && !url.href.includes('{')) found.push(url.href);
    } catch {
      // No address.
    }
  };
  const links = (value: unknown, depth = 0): void => {
    if (depth > 4 || value === null || typeof value !== 'object') return;
    for (const [name, each] of Object.entries(value as Json)) {
      if (typeof each === 'string' && (name === 'href' || /^https?:\/\//.test(each))) take(each);
      else if (name !== 'self' && name !== 'parent') links(each, depth + 1);
    }
  };
  links(jsonOf(text));
  return [...new Set(found)].slice(0, 12);
}
