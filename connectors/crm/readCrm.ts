import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Catalogue } from '../../flows/catalogue.ts';
import { SystemClock } from '../clock.ts';
import type { Connector } from '../connector.ts';
import type { TellKey } from '../keyBackOff.ts';
import { RateLimiter, type RateOptions, type RateSlots } from '../rateLimiter.ts';
import { SystemError } from '../systemError.ts';
import { credentialMark, missingSecrets, secretNames, secretsFrom } from './auth.ts';
import { catalogueOf, crm } from './connector.ts';
import { profileHash, readProfile, refused } from './profile/read.ts';
import type { Profile } from './profile/schema.ts';

/** What a CRM is connected with. */
export interface ConnectGiven {
  readonly url: string;
  readonly env: NodeJS.ProcessEnv;
}

/** What an adapter is given besides: how it says that a call failed, and what keeps a system's clock. */
export interface AdapterGiven extends ConnectGiven {
  readonly SystemError: typeof SystemError;
  readonly SystemClock: typeof SystemClock;
}

/**
 * A module that speaks for a CRM which no profile can describe: CRM_PROFILE=./my-adapter.mjs, the module's default
 * export. Its connector promises what `Connector` says of each method.
 */
export interface CrmAdapter {
  readonly name: string;
  readonly catalogue: Catalogue;
  /** Variables that it needs and that are missing, one sentence each. */
  missing?(env: NodeJS.ProcessEnv): readonly string[];
  connect(given: AdapterGiven): Connector | Promise<Connector>;
}

/** The CRM that an installation speaks to. */
export interface Crm extends Omit<CrmAdapter, 'connect' | 'missing'> {
  /** The profile, where it is one and not an adapter. */
  readonly profile: Profile | null;
  readonly hash: string | null;
  missing(env: NodeJS.ProcessEnv): readonly string[];
  /** Names of the variables that hold its keys. */
  readonly keys: readonly string[];
  connect(
    given: ConnectGiven & {
      readonly slots: RateSlots;
      /** Who shares the slots. */
      readonly sharing?: Omit<RateOptions, 'perSecond'>;
      readonly tellKey?: TellKey;
      readonly absentSeen?: readonly string[];
    },
  ): Promise<Connector>;
}

const isAdapter = (given: unknown): given is CrmAdapter =>
  given !== null &&
  typeof given === 'object' &&
  typeof (given as CrmAdapter).connect === 'function' &&
  Array.isArray((given as CrmAdapter).catalogue?.types);

async function readAdapter(path: string): Promise<Crm> {
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(isAbsolute(path) ? path : resolve(path)).href)) as { default?: unknown };
  } catch (error) {
    throw refused([`${path} cannot be loaded: ${(error as Error).message}`]);
  }
  const adapter = module.default;
  if (!isAdapter(adapter))
    throw refused([`${path}: its default export is no adapter: give { name, catalogue, connect }, as docs/crm-profile.md shows`]);
  return {
    name: adapter.name,
    catalogue: adapter.catalogue,
    profile: null,
    hash: null,
    missing: (env) => adapter.missing?.(env) ?? [],
    keys: [],
    connect: async ({ url, env }) => adapter.connect({ url, env, SystemError, SystemClock }),
  };
}

/** The CRM that a profile's or an adapter's file describes, or the default one. Throws TandemError. */
export async function readCrm(path: string | undefined): Promise<Crm> {
  if (path !== undefined && /\.(mjs|js|mts|ts)$/.test(path)) return readAdapter(path);
  const profile = await readProfile(path);
  return {
    name: profile.name,
    catalogue: catalogueOf(profile),
    profile,
    hash: profileHash(profile),
    missing: (env) => missingSecrets(profile, env),
    keys: secretNames(profile),
    connect: async ({ url, env, slots, sharing = {}, tellKey, absentSeen = [] }) => {
      const secret = secretsFrom(env);
      // A limit is the account's that calls: whoever calls the same address with the same credential shares it.
      const whose = `crm:${new URL(url).host}:${await credentialMark(profile.auth, secret)}`;
      const limits = profile.limits.map(({ calls, perMs, operations }) => ({
        limiter: new RateLimiter(slots, [whose, perMs, ...(operations ?? ['all'])].join(':'), {
          ...sharing,
          perSecond: (calls * 1000) / perMs,
        }),
        operations,
      }));
      return crm({ url, profile, secret, limits, tellKey, absentSeen });
    },
  };
}
