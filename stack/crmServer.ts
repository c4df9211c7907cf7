import type { ChildProcess } from 'node:child_process';
import ky, { type KyInstance } from 'ky';
import { stopChild } from './process.ts';
import type { Server } from './servers.ts';

/** How a real CRM is started. */
export interface StartGiven {
  readonly port: number;
  /** Where it keeps its data. */
  readonly folder: string;
  readonly log: string;
}

type Row = Record<string, unknown>;

/** What a person at the CRM's own screen can do, by its own API. */
export interface CrmDesk {
  rows(type: string): Promise<Row[]>;
  create(type: string, values: Row): Promise<Row>;
  edit(type: string, id: string, values: Row): Promise<void>;
  remove(type: string, id: string): Promise<void>;
}

/** A real CRM that runs, its collections made. */
export interface RealCrm extends Server {
  /** Under which environment Tandem reaches it. */
  readonly env: Readonly<Record<'CRM_PROFILE' | 'CRM_URL', string>> & Readonly<Record<string, string>>;
  /** Where a person looks, and with what to log in. */
  readonly screen: { readonly url: string; readonly user: string; readonly password: string };
  readonly desk: CrmDesk;
}

/** A person's log-in to the servers of the local stack; it opens nothing else. */
export const PERSON = { user: 'admin@example.org', password: 'tandem-demo' } as const;

/** Calls of an administrator or a person. A failure names what was refused. */
export const caller = (base: string, headers: Record<string, string> = {}): KyInstance =>
  ky.create({
    prefixUrl: base,
    headers,
    retry: 0,
    timeout: 20_000,
    hooks: {
      beforeError: [
        async (error) => {
          error.message += `: ${(await error.response.text()).slice(0, 300)}`;
          return error;
        },
      ],
    },
  });

/** The collections that shipped profiles speak of, and their text properties. */
export const COLLECTIONS = {
  Contact: { path: 'contacts', fields: ['givenName', 'familyName', 'email', 'phone', 'title', 'externalId'] },
  Company: { path: 'companies', fields: ['name', 'externalId'] },
} as const;

/** The collection of a type. */
export const collectionOf = (type: string): string => COLLECTIONS[type as keyof typeof COLLECTIONS].path;

/** Makes a server ready that was started; one that cannot be made ready does not stay behind. */
export async function orStop<T>(child: ChildProcess, ready: () => Promise<T>): Promise<T> {
  try {
    return await ready();
  } catch (error) {
    await stopChild(child);
    throw error;
  }
}
