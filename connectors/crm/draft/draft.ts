import ky from 'ky';
import { SystemError } from '../../systemError.ts';
import { secretsFrom, signIn } from '../auth.ts';
import { TandemError } from '../../../flows/tandemError.ts';
import { parseProfile } from '../profile/read.ts';
import type { Auth } from '../profile/schema.ts';
import { problemText } from '../../http.ts';
import { entitySets, resources, type EntitySet } from './descriptions.ts';
import { fitness, guessList, guessRecord, type DescribedType, type Property } from './guess.ts';
import { asFlowsCallThem, type NamedProperty } from './naming.ts';
import { jsonOf, namedIn, sampleType, type Peek, type Peeked, type SampledType } from './sample.ts';

const TIMEOUT_MS = 15_000;
/** Where descriptions usually lie, below the address that is given. */
const OPENAPI = [
  '',
  '/openapi.json',
  '/swagger.json',
  '/api-docs',
  '/swagger/v1/swagger.json',
  '/server/specs/oas',
  '/docs/openapi.json',
];

/** A first draft of a profile, the base address that goes with it, and what a person has to look at. */
export interface Draft {
  readonly profile: object;
  readonly base: string;
  readonly notes: readonly string[];
}

/** What is looked at, and how calls are signed. */
export interface DraftGiven {
  readonly url: string;
  readonly auth: Auth;
  readonly env: NodeJS.ProcessEnv;
  /** Headers that every call needs besides the key. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Looks at a CRM and drafts a profile: from OData metadata, an OpenAPI description, or a sample of records. Reads only. */
export async function draftProfile({ url, auth, env, headers = {} }: DraftGiven): Promise<Draft> {
  const base = url.replace(/\/+$/, '');
  const lacking: string[] = [];
  const signed = await signIn(auth, secretsFrom(env), base)
    .sign()
    .catch((error: unknown) => {
      if (!(error instanceof SystemError)) throw error;
      lacking.push(`asked without a key: ${error.text}`);
      return { headers: {} };
    });
  const head: Head = { auth, headers };
  const get = looker({ ...signed.headers, ...headers });
  const metadata = await get(`${base}/$metadata`);
  const sets = metadata.status === 200 && metadata.text.includes('<edmx:Edmx') ? entitySets(metadata.text) : [];
  if (sets.length > 0) {
    const { types, notes } = asFlowsCallThem(sets);
    return finish(fromOData(types, head), base, ['from the OData metadata', ...notes]);
  }
  let first: Peeked | null = null;
  for (const place of OPENAPI) {
    const answer = await get(base + place);
    first ??= answer;
    const api = jsonOf(answer.text);
    if (answer.status !== 200 || typeof api !== 'object' || api === null || !('paths' in api)) continue;
    const found = resources(api as Record<string, unknown>);
    if (found.length === 0) continue;
    const { kept, left } = fit(found);
    const { types, notes } = asFlowsCallThem(kept);
    return finish(fromResources(types, head), place === '' ? new URL(base).origin : base, [
      `from the OpenAPI description at ${base}${place}`,
      ...notes,
      ...(left.length > 0 ? [`left out, for they show no stamp of their last change: ${left.join(', ')}`] : []),
    ]);
  }
  const lists = await listsAt(first, get);
  if (lists.length === 0) throw new SystemError('CRM', 'refused', [nothingFound(base, first), ...lacking].join('; '));
  return fromSamples(lists, { base, head, crmUrl: env['CRM_URL'] });
}

/** Asks as a profile's calls would, and takes whatever comes. */
const looker =
  (headers: Readonly<Record<string, string>>): Peek =>
  async (address) => {
    try {
      const answer = await ky(address, {
        headers: { accept: 'application/json, */*;q=0.5', ...headers },
        retry: 0,
        timeout: TIMEOUT_MS,
        throwHttpErrors: false,
      });
      return { address: answer.url, status: answer.status, headers: answer.headers, text: await answer.text() };
    } catch (error) {
      throw new SystemError('CRM', 'unreachable', `${new URL(address).host} cannot be reached: ${(error as Error).message}`);
    }
  };

/** The list at an address, or those that its first page names. */
async function listsAt(first: Peeked | null, get: Peek): Promise<SampledType[]> {
  if (first?.status !== 200) return [];
  const one = await sampleType(first, get);
  if (one) return [one];
  const found: SampledType[] = [];
  for (const address of namedIn(first)) {
    const seen = await sampleType(await get(address), get);
    if (seen) found.push(seen);
  }
  return found;
}

function nothingFound(base: string, first: Peeked | null): string {
  const said = first ? problemText(first.status, first.text).text.slice(0, 200) : 'nothing';
  const refused = first?.status === 401 || first?.status === 403;
  const next = refused
    ? 'look at how it signs in: --header, --scheme, --token, --basic, and --also for a header that it wants besides'
    : `name the address of a list that holds a record, such as ${new URL(base).origin}/api/contacts`;
  return `nothing was found to draft from: no metadata or description near ${base}, and it answers itself without a list of records (${said}): ${next}`;
}

/** What a draft still lacks is told, as it would be when it is read. */
function finish(profile: object, base: string, notes: readonly string[]): Draft {
  const more: string[] = [];
  try {
    parseProfile(JSON.stringify(profile, null, 2), 'the draft');
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    more.push(...error.sentences);
  }
  return { profile, base, notes: [...notes, ...more] };
}

/** What every draft begins with. */
interface Head {
  readonly auth: Auth;
  readonly headers: Readonly<Record<string, string>>;
}
const beginning = ({ auth, headers }: Head): object => ({
  version: 2,
  name: 'draft',
  note: 'drafted by tandem profile init: look at every line',
  neverTried: true,
  auth,
  ...(Object.keys(headers).length > 0 ? { headers } : {}),
});

/** The types of a draft: each with its properties, and what its records name otherwise than the profile does. */
const typesOf = (
  found: readonly (DescribedType & { readonly record?: object })[],
  record: Record<string, unknown>,
): Record<string, object> =>
  Object.fromEntries(
    found.map(({ typeName, path, properties, id, record: seen }) => {
      const own: Record<string, unknown> = seen ? { ...seen } : guessRecord(placed(properties), id);
      const apart = Object.entries(own).filter(
        ([key, value]) => JSON.stringify([value].flat()) !== JSON.stringify([record[key]].flat()),
      );
      const system = [...placesOf(record), ...placesOf(own)];
      const values = typeof own['values'] === 'string' ? `${own['values']}.` : '';
      const fields = (properties as readonly NamedProperty[])
        .filter(({ name, at = name }) => !system.includes(values + at))
        .map(({ name, at, type, writable }) => ({
          name,
          ...(at === undefined ? {} : { at }),
          ...(type === 'string' ? {} : { type }),
          ...(writable && !KEPT_BY_THE_SYSTEM.test(name) ? {} : { writable: false }),
        }));
      return [typeName, { path, ...(apart.length > 0 ? { record: Object.fromEntries(apart) } : {}), fields }];
    }),
  );

/** Properties as records call them. */
const placed = (properties: readonly NamedProperty[]): Property[] =>
  properties.map(({ at, ...property }) => ({ ...property, name: at ?? property.name }));

/** Who made or changed a record is the system's to say. */
const KEPT_BY_THE_SYSTEM = /^(user[-_]?)?(created|modified|updated|changed)[-_]?by$|^user[-_](created|updated)$/i;

/** Properties that are the record's own: no flow maps them. */
const placesOf = (record: Record<string, unknown>): string[] => Object.values(record).flat() as string[];

function fromOData(sets: readonly EntitySet[], head: Head): object {
  const [one] = sets;
  const guessed = guessRecord(placed(one?.properties ?? []), one?.id);
  // One stamp filters and sorts; a list of them does neither.
  const stamp = (guessed['changed'] as string[])[0] ?? 'modifiedAt';
  const record: Record<string, unknown> = { ...guessed, changed: stamp, etag: '@odata.etag' };
  const address = one?.keyIsText === true ? "{path}('{id|quote}')" : '{path}({id})';
  const order = { $orderby: `${stamp},${String(record['id'])}` };
  const external = record['externalId'];
  return {
    ...beginning(head),
    record,
    stamps: { inclusive: true, sorted: 'yes' },
    paging: { style: 'offset', size: 200 },
    condition: { header: 'If-Match', value: '{etag}', otherwise: '*', delete: true },
    operations: {
      list: { path: '{path}', query: { $top: '{size}', $skip: '{offset}', ...order }, items: 'value' },
      changes: { query: { $filter: `${stamp} ge {since}` } },
      ...(external === undefined ? {} : { find: { query: { $filter: `${String(external)} eq '{externalId|quote}'` } } }),
      read: { path: address },
      create: { path: '{path}', headers: { Prefer: 'return=representation' } },
      update: { path: address, headers: { Prefer: 'return=representation' } },
      delete: { path: address },
    },
    types: typesOf(sets, record),
  };
}

/** The types that Tandem can keep in step; all where a description shows a stamp of none. The fittest speaks for the profile. */
function fit(found: readonly DescribedType[]): { kept: DescribedType[]; left: string[] } {
  const ranked = found.toSorted((a, b) => fitness(b.properties) - fitness(a.properties));
  const kept = ranked.filter(({ properties }) => fitness(properties) >= 4);
  if (kept.length === 0) return { kept: ranked, left: [] };
  return { kept, left: found.filter((each) => !kept.includes(each)).map(({ typeName }) => typeName) };
}

function fromResources(found: readonly DescribedType[], head: Head): object {
  const [one] = found;
  const record = guessRecord(placed(one?.properties ?? []));
  const guessed = guessList(one?.parameters ?? []);
  const external = record['externalId'];
  const find = typeof external === 'string' ? guessed.find(external) : null;
  const out = one?.out === undefined ? {} : { out: one.out };
  return {
    ...beginning(head),
    record,
    stamps: { inclusive: false, sorted: 'no' },
    paging: guessed.paging,
    condition: 'none',
    operations: {
      list: { path: '{path}', ...guessed.list, ...(one?.items === undefined ? {} : { items: one.items }) },
      ...(guessed.changes ? { changes: guessed.changes } : {}),
      ...(find ? { find } : {}),
      read: { path: '{path}/{id}', ...out },
      create: { path: '{path}', ...out },
      update: {
        path: '{path}/{id}',
        method: one?.update ?? 'PATCH',
        ...(one?.update === 'PUT' ? { style: 'replace' } : {}),
        ...out,
      },
      ...(one?.remove ? { delete: { path: '{path}/{id}' } } : {}),
    },
    types: typesOf(found, record),
  };
}

/** What all lists have in common the profile says, what one has apart its type. */
function fromSamples(
  found: readonly SampledType[],
  { base, head, crmUrl }: { readonly base: string; readonly head: Head; readonly crmUrl: string | undefined },
): Draft {
  const { types, notes } = asFlowsCallThem(found);
  const [one] = types;
  if (!one) throw new RangeError('a draft is made of one list at least');
  const pathOf = ({ address }: SampledType): string => new URL(address).pathname.replace(/\/$/, '');
  const root = crmUrl?.replace(/\/+$/, '');
  const isBelow = root !== undefined && types.every(({ address }) => address.startsWith(`${root}/`));
  const named = types.length > 1 ? new URL(base).pathname.replace(/\/$/, '') : pathOf(one).replace(/\/[^/]*$/, '');
  // Where the CRM's address is known already, paths go on from there.
  const below = isBelow ? new URL(root).pathname.replace(/\/$/, '') : named;
  const end = one.slash ? '/' : '';
  const out = one.out === undefined ? {} : { out: one.out };
  const profile = {
    ...beginning(head),
    record: one.record,
    stamps: { ...(one.format === 'iso' ? {} : { format: one.format }), inclusive: false, sorted: 'no' },
    paging: one.paging,
    condition: one.record['etag'] === undefined ? 'none' : { header: 'If-Match', value: '{etag}', delete: true },
    operations: {
      list: { path: `{path}${end}`, ...(one.items === undefined ? {} : { items: one.items }) },
      read: { path: `{path}/{id}${end}`, ...out },
      create: { path: `{path}${end}`, ...out },
      update: { path: `{path}/{id}${end}`, method: 'PATCH', ...out },
      delete: { path: `{path}/{id}${end}` },
    },
    types: typesOf(
      types.map((type) => ({ ...type, path: pathOf(type).slice(below.length) })),
      one.record,
    ),
  };
  return finish(profile, new URL(base).origin + below, [
    ...types.map(({ shown, address }) => `from ${shown} records at ${address}`),
    ...notes,
    ...types.flatMap((each) => each.notes),
    'how it pages, filters, creates and updates cannot be seen in a sample: fill it in from its documentation',
    ...(types.length === 1 ? ['a list is one type: draft from the address of another list, or add the type by hand'] : []),
  ]);
}
