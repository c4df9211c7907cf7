import ky from 'ky';
import { SystemError } from '../../systemError.ts';
import { secretsFrom, signIn } from '../auth.ts';
import { TandemError } from '../../../flows/tandemError.ts';
import { parseProfile } from '../profile/read.ts';
import type { Auth } from '../profile/schema.ts';
import { entitySets, listIn, resources, type EntitySet } from './descriptions.ts';
import { fitness, guessList, guessRecord, sampled, typeNameOf, type DescribedType } from './guess.ts';

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

/** Looks at a CRM and drafts a profile: from OData metadata, an OpenAPI description, or a sample of records. Reads only. */
export async function draftProfile({ url, auth, env }: { url: string; auth: Auth; env: NodeJS.ProcessEnv }): Promise<Draft> {
  const base = url.replace(/\/+$/, '');
  const signed = await signIn(auth, secretsFrom(env), base)
    .sign()
    .catch(() => ({ headers: {} }));
  const get = async (address: string): Promise<{ status: number; text: string }> => {
    try {
      const answer = await ky(address, {
        headers: { accept: '*/*', ...signed.headers },
        retry: 0,
        timeout: TIMEOUT_MS,
        throwHttpErrors: false,
      });
      return { status: answer.status, text: await answer.text() };
    } catch (error) {
      throw new SystemError('CRM', 'unreachable', `${new URL(address).host} cannot be reached: ${(error as Error).message}`);
    }
  };

  const metadata = await get(`${base}/$metadata`);
  const sets = metadata.status === 200 && metadata.text.includes('<edmx:Edmx') ? entitySets(metadata.text) : [];
  if (sets.length > 0) return finish(fromOData(sets, auth), base, ['from the OData metadata']);
  let first: { status: number; text: string } | null = null;
  for (const place of OPENAPI) {
    const answer = await get(base + place);
    first ??= answer;
    const api = jsonOf(answer.text);
    if (answer.status !== 200 || !('paths' in api)) continue;
    const found = resources(api);
    if (found.length === 0) continue;
    const { kept, left } = fit(found);
    return finish(fromResources(kept, auth), place === '' ? new URL(base).origin : base, [
      `from the OpenAPI description at ${base}${place}`,
      ...(left.length > 0 ? [`left out, for they show no stamp of their last change: ${left.join(', ')}`] : []),
    ]);
  }
  const sample = first && first.status === 200 ? listIn(jsonOf(first.text)) : null;
  if (!sample)
    throw new SystemError(
      'CRM',
      'refused',
      `nothing was found to draft from: no metadata or description near ${base}, and ${base} itself answers ${first?.status ?? ''} without a list of records. Name the address of a list, ${base}/contacts`,
    );
  const { pathname, origin } = new URL(base);
  const path = `/${pathname.split('/').filter(Boolean).at(-1) ?? ''}`;
  const resource: DescribedType = {
    typeName: typeNameOf(pathname),
    path,
    properties: sampled(sample.records),
    ...(sample.items === '' ? {} : { items: sample.items }),
    parameters: [],
    update: 'PATCH',
    remove: true,
  };
  return finish(fromResources([resource], auth), origin + pathname.slice(0, -path.length), [
    `from ${sample.records.length} records at ${base}`,
    'how it pages, filters, creates and updates cannot be seen in a sample: fill it in from its documentation',
  ]);
}

function jsonOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
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

const head = (auth: Auth): object => ({
  version: 2,
  name: 'draft',
  note: 'drafted by tandem profile init: look at every line',
  neverTried: true,
  auth,
});

/** The types of a draft: each with its properties, and what its records name otherwise than the profile does. */
const typesOf = (found: readonly DescribedType[], record: Record<string, unknown>): Record<string, object> =>
  Object.fromEntries(
    found.map(({ typeName, path, properties, id }) => {
      const own = guessRecord(properties, id);
      const apart = Object.entries(own).filter(
        ([key, value]) => JSON.stringify([value].flat()) !== JSON.stringify([record[key]].flat()),
      );
      const system = [...placesOf(record), ...placesOf(own)];
      const fields = properties
        .filter(({ name }) => !system.includes(name))
        .map(({ name, type, writable }) => ({
          name,
          ...(type === 'string' ? {} : { type }),
          ...(writable && !KEPT_BY_THE_SYSTEM.test(name) ? {} : { writable: false }),
        }));
      return [typeName, { path, ...(apart.length > 0 ? { record: Object.fromEntries(apart) } : {}), fields }];
    }),
  );

/** Who made or changed a record is the system's to say. */
const KEPT_BY_THE_SYSTEM = /^(user[-_]?)?(created|modified|updated|changed)[-_]?by$|^user[-_](created|updated)$/i;

/** Properties that are the record's own: no flow maps them. */
const placesOf = (record: Record<string, unknown>): string[] => Object.values(record).flat() as string[];

function fromOData(sets: readonly EntitySet[], auth: Auth): object {
  const [one] = sets;
  const guessed = guessRecord(one?.properties ?? [], one?.id);
  // One stamp filters and sorts; a list of them does neither.
  const stamp = (guessed['changed'] as string[])[0] ?? 'modifiedAt';
  const record: Record<string, unknown> = { ...guessed, changed: stamp, etag: '@odata.etag' };
  const address = one?.keyIsText === true ? "{path}('{id|quote}')" : '{path}({id})';
  const order = { $orderby: `${stamp},${String(record['id'])}` };
  const external = record['externalId'];
  return {
    ...head(auth),
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

function fromResources(found: readonly DescribedType[], auth: Auth): object {
  const [one] = found;
  const record = guessRecord(one?.properties ?? []);
  const guessed = guessList(one?.parameters ?? []);
  const external = record['externalId'];
  const find = typeof external === 'string' ? guessed.find(external) : null;
  const out = one?.out === undefined ? {} : { out: one.out };
  return {
    ...head(auth),
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
