import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../../connectors/http.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { PowerOfficeClient } from '../../connectors/powerOffice/client.ts';

/** What no source confirms of PowerOffice Go, and how an account is asked. */
export interface Question {
  readonly what: string;
  /** Answers in words; whatever it changed is put back. None where only a person at the screen can find out. */
  readonly ask?: (client: PowerOfficeClient) => Promise<string>;
}

type Row = Record<string, unknown>;
const OPTIONS = { priority: 'write' } as const;
const STAMP = 'LastChangedDateTimeOffset';
const NONE = 'not asked: the account has no such record';
const LAG_MS = 2000;

const get = (client: PowerOfficeClient, path: string, query: Record<string, string> = {}): Promise<Answer> =>
  client.send({ method: 'GET', path, query }, OPTIONS);
const patch = (client: PowerOfficeClient, path: string, json: unknown[]): Promise<Answer> =>
  client.send({ method: 'PATCH', path, json, contentType: 'application/json-patch+json' }, OPTIONS);
const rows = (answer: Answer): Row[] => (Array.isArray(answer.body) ? (answer.body as Row[]) : []);
const first = async (client: PowerOfficeClient, path: string, query: Record<string, string> = {}): Promise<Row | undefined> =>
  rows(await get(client, path, { PageSize: '50', ...query }))[0];

/** The status and the service's own words, where it refuses. */
async function orRefusal(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SystemError) return `refused: ${error.text}`;
    throw error;
  }
}

async function withPerson(client: PowerOfficeClient, use: (row: Row, path: string) => Promise<string>): Promise<string> {
  const row = await first(client, 'ContactPersons');
  return row ? use(row, `ContactPersons/${String(row['ContactId'])}/${String(row['Id'])}`) : NONE;
}

/** Writes a city, tells whether the record's stamp moved, and puts the old one back. */
async function addressMoves(client: PowerOfficeClient, path: string, row: Row): Promise<string> {
  const address = row['MailAddress'] as Row | null | undefined;
  if (!address) return 'not asked: the first record has no address';
  const write = (value: unknown): Promise<Answer> => patch(client, path, [{ op: 'replace', path: '/MailAddress/City', value }]);
  await write('Tandemprøve');
  await sleep(LAG_MS);
  const after = (await get(client, path)).body as Row;
  await write(address['City'] ?? null);
  return after[STAMP] === row[STAMP] ? 'the stamp stays' : 'the stamp moves';
}

/** Stands in docs/systems.md, row for row. */
export const QUESTIONS: readonly Question[] = [
  {
    what: 'status and text of a `test` that does not hold',
    ask: (client) =>
      withPerson(client, (row, path) =>
        orRefusal(async () => {
          const { status } = await patch(client, path, [
            { op: 'test', path: '/FirstName', value: `${String(row['FirstName'])} not` },
            { op: 'replace', path: '/FirstName', value: row['FirstName'] },
          ]);
          return `taken with ${status}: test is not evaluated`;
        }),
      ),
  },
  {
    what: 'a `test` on a property that no PATCH may name',
    ask: (client) =>
      withPerson(client, (row, path) =>
        orRefusal(async () => {
          const { status } = await patch(client, path, [{ op: 'test', path: '/ContactId', value: row['ContactId'] }]);
          return `taken with ${status}`;
        }),
      ),
  },
  {
    what: 'a PATCH that changes nothing, and the stamp',
    ask: (client) =>
      withPerson(client, async (row, path) => {
        await patch(client, path, [{ op: 'replace', path: '/FirstName', value: row['FirstName'] }]);
        await sleep(LAG_MS);
        return ((await get(client, path)).body as Row)[STAMP] === row[STAMP] ? 'the stamp stays' : 'the stamp moves';
      }),
  },
  {
    what: "a contact person's address, and the stamp",
    ask: (client) => withPerson(client, (row, path) => addressMoves(client, path, row)),
  },
  {
    what: "a supplier's address, and the stamp",
    async ask(client) {
      const row = await first(client, 'Suppliers');
      return row ? addressMoves(client, `Suppliers/${String(row['Id'])}`, row) : NONE;
    },
  },
  {
    what: 'an address without a value, and whether a part of it can be written',
    async ask(client) {
      const found = rows(await get(client, 'Suppliers', { PageSize: '2000' })).find((row) => {
        const address = row['MailAddress'] as Row | null | undefined;
        return !address || !address['City'];
      });
      if (!found) return NONE;
      const path = `Suppliers/${String(found['Id'])}`;
      const shape = found['MailAddress'] ? 'an object' : 'null';
      return orRefusal(async () => {
        await patch(client, path, [{ op: 'replace', path: '/MailAddress/City', value: 'Tandemprøve' }]);
        await patch(client, path, [{ op: 'replace', path: '/MailAddress/City', value: null }]);
        return `${shape}; a part can be written`;
      }).then((text) => (text.startsWith('refused') ? `${shape}; ${text}` : text));
    },
  },
  {
    what: 'whether PATCH of a project answers the record',
    async ask(client) {
      const row = await first(client, 'Projects');
      if (!row) return NONE;
      const { status, body } = await patch(client, `Projects/${String(row['Id'])}`, [
        { op: 'replace', path: '/Name', value: row['Name'] },
      ]);
      return `${status} ${body === undefined ? 'without a body' : 'with the record'}`;
    },
  },
  {
    what: 'whether lists sort by the stamp',
    ask: (client) =>
      orRefusal(async () => {
        const stamps = rows(await get(client, 'ContactPersons', { OrderBy: STAMP, PageSize: '200' })).map((row) =>
          String(row[STAMP]),
        );
        return stamps.every((stamp, i) => i === 0 || (stamps[i - 1] ?? '') <= stamp) ? 'sorted' : 'not sorted';
      }),
  },
  {
    what: '`Fields` with an object, and with a part of it',
    async ask(client) {
      const with_ = (name: string): Promise<string> =>
        orRefusal(async () => JSON.stringify(Object.keys((await first(client, 'Suppliers', { Fields: `Id,${name}` })) ?? {})));
      return `MailAddress: ${await with_('MailAddress')}; MailAddress.City: ${await with_('MailAddress.City')}`;
    },
  },
  {
    what: 'the address of time tracking activities, and their properties',
    ask: (client) =>
      orRefusal(async () => {
        const row = await first(client, 'TimeTracking/ActivityTime');
        return row ? `found: ${Object.keys(row).join(', ')}` : 'found, and empty';
      }),
  },
  {
    what: 'names of privileges',
    async ask(client) {
      const body = ((await get(client, 'ClientIntegrationInformation')).body ?? {}) as Row;
      return (body['ValidPrivileges'] as string[] | undefined)?.join(', ') ?? 'none told';
    },
  },
  {
    what: 'whether the filter by a reference is exact',
    ask: (client) =>
      orRefusal(async () => {
        const found = rows(await get(client, 'Suppliers', { externalImportReference: 'tandem:no-such-reference' }));
        return found.length === 0 ? 'an unknown reference finds nothing' : `an unknown reference finds ${found.length}`;
      }),
  },
  { what: 'whether an edit of one facet of a contact moves the stamps of others' },
  { what: 'whether a PATCH of `ContactGroupIds` replaces the list or adds to it' },
];

/** Asks them all, one after the other: a table of Markdown. Throws whatever is no answer of the service. */
export async function askAll(client: PowerOfficeClient): Promise<string> {
  const lines = ['| question | answer |', '| --- | --- |'];
  for (const { what, ask } of QUESTIONS)
    lines.push(`| ${what} | ${ask ? (await ask(client)).replaceAll('|', '\\|') : 'by hand'} |`);
  return lines.join('\n');
}
