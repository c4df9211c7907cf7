import type { Catalogue } from '../../flows/catalogue.ts';
import { instantMs } from '../../flows/instant.ts';
import { looksLike } from '../looksLike.ts';
import { SystemClock } from '../clock.ts';
import { SystemError } from '../systemError.ts';
import type { CallOptions, Connector, Snapshot } from '../connector.ts';
import type { TellKey } from '../keyBackOff.ts';
import { signIn, type ReadSecret } from './auth.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { listing } from './listing.ts';
import { placeOf, textAt } from './profile/place.ts';
import { typeProfile, type ReadyType } from './profile/resolve.ts';
import type { Profile } from './profile/schema.ts';
import { isObject, namesFor, snapshotOf, type Json } from './record.ts';
import { transport, type Limit, type Send } from './transport.ts';
import { namesKey, writing } from './writing.ts';

/** A profile's types as a catalogue that flows are checked against. */
export function catalogueOf(profile: Profile): Catalogue {
  const types = Object.entries(profile.types).map(([typeName, shape]) => ({
    name: typeName,
    path: shape.path,
    idFields: [profile.record.id],
    fields: shape.fields.map(({ name, type, writable, maxLength, refers }) => ({
      name,
      type,
      writable,
      ...(maxLength === undefined ? {} : { maxLength }),
      ...(refers === undefined ? {} : { refers: [refers] }),
    })),
    lists: shape.lists,
  }));
  return { system: 'crm', types };
}

/** What a profile leaves to the installation. */
export interface CrmGiven {
  readonly url: string;
  readonly profile: Profile;
  readonly secret: ReadSecret;
  readonly limits?: readonly Limit[];
  readonly tellKey?: TellKey | undefined;
  /** Types whose answers leave out what has no value, as the profile says and a check has seen. */
  readonly absentSeen?: readonly string[];
  /** What carries calls, and lets time pass, where it is not HTTP: for models of a CRM. */
  readonly line?: Line;
}

/** How calls reach a CRM. */
export interface Line {
  readonly send: (clock: SystemClock) => Send;
  readonly sleep: (ms: number) => Promise<void>;
}

/** The parts of which the connector is made; a check of the profile uses them one by one. */
export type CrmParts = ReturnType<typeof crmParts>;

/** What speaks to a CRM, type by type. */
export function crmParts({ url, profile, secret, limits = [], tellKey, absentSeen: seenIn = [], line }: CrmGiven) {
  const base = url.replace(/\/+$/, '') + profile.basePath;
  const clock = new SystemClock();
  const send =
    line?.send(clock) ?? transport({ base, profile, signIn: signIn(profile.auth, secret, url), limits, clock, tellKey });
  const types = new Map(Object.keys(profile.types).map((name) => [name, typeProfile(profile, name) as ReadyType]));
  const all = [...types.values()];

  function typeOf(name: string): ReadyType {
    const type = types.get(name);
    if (!type) throw new SystemError('CRM', 'refused', `the profile "${profile.name}" does not speak the type ${name}`);
    return type;
  }

  async function read(
    { type, id, fields }: { readonly type: ReadyType; readonly id: string; readonly fields: readonly string[] },
    options: CallOptions,
  ): Promise<{ seen: Snapshot; body: Json }> {
    const { read: operation } = type.operations;
    const variables = { ...type.variables, ...namesFor(type, fields), id };
    const answer = await send({ operation: 'read', request: operation, variables }, options);
    const body = placeOf(answer.body, operation.out);
    const absentSeen = seenIn.includes(type.name);
    const seen = snapshotOf(body, { type, fields, asked: id, etag: answer.headers.get('etag'), absentSeen, clock });
    return { seen, body: isObject(body) ? body : {} };
  }

  const listOf = (type: ReadyType, fields: readonly string[], options: CallOptions): ReturnType<typeof listing> =>
    listing(type, {
      base,
      send,
      read: async (id) => (await read({ type, id, fields }, options)).seen,
      reading: { type, fields, absentSeen: seenIn.includes(type.name), clock },
      options,
    });

  const findById = (
    { type, externalId, fields }: { readonly type: ReadyType; readonly externalId: string; readonly fields: readonly string[] },
    options: CallOptions,
  ): Promise<Snapshot[]> =>
    type.operations.find ? listOf(type, fields, options).byExternalId(type.operations.find, externalId) : Promise.resolve([]);

  const writer = (type: ReadyType): ReturnType<typeof writing> =>
    writing({
      type,
      send,
      clock,
      sleep: line?.sleep ?? sleep,
      absentSeen: seenIn.includes(type.name),
      read: (id, fields, options) => read({ type, id, fields }, options),
      find: (externalId, fields, options) => findById({ type, externalId, fields }, options),
    });

  return { base, clock, send, all, typeOf, read, listOf, findById, writer };
}

/** Any CRM that a profile describes. What the profile leaves out is done without. */
// oxlint-disable-next-line max-lines-per-function -- the connector as one object: each of its methods is a function of its own
export function crm(given: CrmGiven): Connector {
  const { profile } = given;
  const { base, clock, send, all, typeOf, read, listOf, findById, writer } = crmParts(given);
  return {
    name: 'crm',
    title: 'CRM',
    catalogue: catalogueOf(profile),
    clock,
    lagMs: Math.max(...all.map(({ stamps }) => stamps.lagMs)),
    features: () => ({
      conditional: all.some(({ condition }) => condition === 'none')
        ? 'none'
        : all.every(({ condition }) => condition === 'jsonPatchTest')
          ? 'test'
          : 'etag',
      externalId: all.every(({ record, operations }) => record.externalId !== undefined && operations.find !== undefined),
      uniqueExternalId: all.every(({ record }) => record.uniqueExternalId),
      idempotencyKey: all.every(({ operations }) => namesKey(operations.create)),
    }),

    async check(signal) {
      const [first] = all;
      if (!first) throw new RangeError('a profile has at least one type');
      const options = { priority: 'write' as const, signal };
      const { identity } = first.operations;
      if (!identity) {
        await listOf(first, [], options).probe('list');
        return { identity: base };
      }
      const answer = await send({ operation: 'identity', request: identity, variables: first.variables }, options);
      const who = textAt(answer.body, identity.id);
      return { identity: who === null ? base : `${base}#${who}` };
    },

    changed: ({ type, fields, ...from }, options) => listOf(typeOf(type), fields, options).changed(from),
    deletions: {
      types: all.filter(({ operations }) => operations.deleted).map(({ name }) => name),
      since({ type: name, since }, options) {
        const type = typeOf(name);
        const { deleted } = type.operations;
        if (!deleted) throw new RangeError(`the profile has no operation deleted for ${name}`);
        return listOf(type, [], options).deleted(deleted, since);
      },
    },
    ids: ({ type, position }, options) => listOf(typeOf(type), [], options).ids(position),
    read: async ({ type, id, fields }, options) => (await read({ type: typeOf(type), id, fields }, options)).seen,
    create: (request, options) => writer(typeOf(request.type)).create(request, options),
    update: (request, options) => writer(typeOf(request.type)).update(request, options),
    remove: (type, id, options) => writer(typeOf(type)).remove(id, options),

    async find({ type: name, by, fields }, options) {
      const type = typeOf(name);
      if (type.operations.find) return findById({ type, externalId: by.externalId, fields }, options);
      const found: Snapshot[] = [];
      const names = [...new Set([...fields, ...Object.keys(by.values)])];
      for await (const { records, unreadable } of listOf(type, names, options).changed({
        since: new Date(by.since).toISOString(),
      })) {
        // A row that can't be read may be the one: better no answer than "there is none".
        if (unreadable?.[0]) throw new SystemError('CRM', 'malformed', unreadable[0].why);
        found.push(...records.filter((seen) => looksLike(seen.fields, by.values) && instantMs(seen.instant) >= by.since));
      }
      return found;
    },
  };
}
