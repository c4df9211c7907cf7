import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { CheckReport } from '../../connectors/crm/check/check.ts';
import { TandemError } from '../../flows/tandemError.ts';
import type { Value } from '../../flows/values.ts';
import { print } from './print.ts';
import { wrapped } from './table.ts';

interface CheckOptions {
  readonly type?: string;
  readonly readOnly?: boolean;
  readonly values?: string;
  readonly json?: boolean;
}

const REFUTED = 1;
const BASIC = { kind: 'basic', user: { env: 'CRM_USER' }, password: { env: 'CRM_PASSWORD' } } as const;

/** `profile check`, `profile init`, `profile show`, `profile schema`. */
// oxlint-disable-next-line max-lines-per-function -- a table of commands: what each takes, and what it calls
export function addProfileCommands(program: Command): void {
  const profile = program.command('profile').description('a CRM as data: draft a profile, hold it against the real system');

  profile
    .command('check <file>')
    .description('hold a profile (a file, or a shipped name) against the real CRM at CRM_URL: what it claims, what is seen')
    .option('--type <name>', 'the type that is looked at; the first where left out')
    .option('--read-only', 'make no throwaway record')
    .option('--values <json>', 'properties that a record must have, so that a throwaway record is taken')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nA throwaway record, named as such, is made and removed again; nothing else is touched.\nThe result is kept in the store (MONGODB_URI): a worker refuses a profile that was refuted.\nExit codes: 0 nothing refuted; 1 a claim was refuted; 2 bad profile or bad input.',
    )
    .action(async (file: string, options: CheckOptions) => {
      const report = await check(file, options);
      const { refutedIn } = await import('../../connectors/crm/check/check.ts');
      const refuted = refutedIn(report);
      const { kept, why } = await keep(report, refuted);
      print(options.json, { ...report, refuted, kept }, () => showCheck(report, refuted.length));
      if (!kept) console.error(`tandem: the result is not kept: ${why}. A worker will say that the profile was never checked`);
      if (refuted.length > 0) process.exitCode = REFUTED;
    });

  profile
    .command('init <url>')
    .description('look at a CRM (OpenAPI or OData metadata where offered, else a sample of records) and write a first draft')
    .option('--out <file>', 'where the draft goes; printed where left out')
    .option('--force', 'replace a file that is there')
    .option('--header <name>', 'the header that carries the token', 'Authorization')
    .option('--scheme <word>', 'put before the token; "" for none', 'Bearer')
    .option('--token <variable>', 'the variable that holds the token', 'CRM_TOKEN')
    .option('--also <header=value>', 'a header that every call needs besides; may be said again', also, {})
    .option('--basic', 'sign in by CRM_USER and CRM_PASSWORD instead')
    .option('--json', 'print JSON')
    .action(
      async (
        url: string,
        options: {
          out?: string;
          force?: boolean;
          header: string;
          scheme: string;
          token: string;
          also: Record<string, string>;
          basic?: boolean;
          json?: boolean;
        },
      ) => {
        if (!/^https?:\/\//.test(url)) throw new TandemError(`${url} is not an http(s) address`);
        if (options.out !== undefined && existsSync(options.out) && !options.force)
          throw new TandemError(`${options.out} would be replaced: name another file, or say --force`);
        const { draftProfile } = await import('../../connectors/crm/draft/draft.ts');
        const token = { kind: 'header' as const, header: options.header, scheme: options.scheme, token: { env: options.token } };
        const auth = options.basic ? BASIC : token;
        const { profile: draft, base, notes } = await draftProfile({ url, auth, env: process.env, headers: options.also });
        const text = `${JSON.stringify(draft, null, 2)}\n`;
        if (options.out !== undefined) await writeFile(options.out, text);
        const next = [
          ...notes,
          `CRM_URL is ${base}`,
          `check every line, then: npx tandem profile check ${options.out ?? 'FILE'} --read-only`,
        ];
        if (options.json) return print(true, { profile: draft, url: base, notes }, () => '');
        console.log(options.out === undefined ? text : `wrote ${options.out}`);
        console.error(next.map((note) => `- ${note}`).join('\n'));
      },
    );

  profile
    .command('show')
    .description('print a shipped profile, to copy and to change; without a name, which there are')
    .argument('[name]', 'a name of a shipped profile, as CRM_PROFILE takes it')
    .option('--json', 'as without it: a profile is JSON; the names as a list')
    .action(async (name: string | undefined, options: { json?: boolean }) => {
      const { shippedNames, shippedText } = await import('../../connectors/crm/profile/shipped.ts');
      if (name === undefined) {
        const names = ['default', ...shippedNames()];
        return print(options.json, names, () => names.join('\n'));
      }
      const { readProfile } = await import('../../connectors/crm/profile/read.ts');
      const { suggest } = await import('../../flows/validate.ts');
      const text = shippedText(name) ?? (name === 'default' ? JSON.stringify(await readProfile(name), null, 2) : undefined);
      if (text === undefined)
        throw new TandemError(`no profile ${name} is shipped: ${suggest(name, ['default', ...shippedNames()])}`);
      console.log(text.trimEnd());
    });

  profile
    .command('schema')
    .description('print the JSON Schema of profiles, for editors')
    .option('--json', 'as without it: a schema is JSON')
    .action(async () => {
      const { profileJsonSchema } = await import('../../connectors/crm/profile/read.ts');
      console.log(JSON.stringify(profileJsonSchema(), null, 2));
    });
}

/** `--also Name=value`, as often as it is said. */
function also(text: string, before: Record<string, string>): Record<string, string> {
  const [, name, value] = /^([\w-]+)[=:]\s*(.+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new TandemError(`--also ${text}: say NAME=VALUE, as in --also X-App-Id=crm`);
  return { ...before, [name]: value };
}

async function check(file: string, { type, readOnly, values }: CheckOptions): Promise<CheckReport> {
  const { readProfile } = await import('../../connectors/crm/profile/read.ts');
  const { missingSecrets, secretsFrom } = await import('../../connectors/crm/auth.ts');
  const { checkProfile } = await import('../../connectors/crm/check/check.ts');
  const { suggest } = await import('../../flows/validate.ts');
  const profile = await readProfile(file);
  const url = process.env['CRM_URL'] ?? '';
  const missing = missingSecrets(profile, process.env);
  if (!/^https?:\/\//.test(url))
    missing.unshift('CRM_URL is missing or no http(s) address; set it to the base address of the CRM');
  if (missing.length > 0) throw new TandemError(missing, { kind: 'configuration' });
  const types = Object.keys(profile.types);
  const typeName = type ?? types[0] ?? '';
  if (!types.includes(typeName)) throw new TandemError(`the profile has no type ${typeName}: ${suggest(typeName, types)}`);
  return checkProfile({
    url,
    profile,
    secret: secretsFrom(process.env),
    typeName,
    readOnly: readOnly ?? false,
    ...(values === undefined ? {} : { values: valuesOf(values) }),
  });
}

function valuesOf(text: string): Record<string, Value> {
  try {
    const given: unknown = JSON.parse(text);
    if (given !== null && typeof given === 'object' && !Array.isArray(given)) return given as Record<string, Value>;
  } catch {
    // Said below.
  }
  throw new TandemError('--values is a JSON object, for example \'{"email": "check@example.org"}\'');
}

/** Keeps what was found where a worker looks. */
async function keep(report: CheckReport, refuted: readonly string[]): Promise<{ kept: boolean; why: string }> {
  const { readStoreConfig } = await import('../../worker/config.ts');
  const { Store } = await import('../../store/store.ts');
  try {
    const { MONGODB_URI, TANDEM_INSTALLATION } = readStoreConfig(process.env);
    const store = await Store.connect(MONGODB_URI, { database: TANDEM_INSTALLATION, timeoutMs: 3000 });
    try {
      const { profileCheck: before } = await store.systems.get('crm');
      const same = before?.hash === report.hash ? before : { refuted: [], types: [], absentSeen: [] };
      const { type } = report;
      const others = (names: readonly string[]): string[] => names.filter((name) => name !== type);
      await store.systems.set('crm', {
        profileCheck: {
          hash: report.hash,
          at: Date.now(),
          refuted: [...same.refuted.filter((each) => !each.startsWith(`${type}: `)), ...refuted],
          types: [...others(same.types), type],
          absentSeen: [...others(same.absentSeen), ...(report.absentSeen ? [type] : [])],
        },
      });
      return { kept: true, why: '' };
    } finally {
      await store.close();
    }
  } catch (error) {
    return { kept: false, why: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
}

const MARK = { seen: 'as claimed', refuted: 'REFUTED', 'not seen': 'not seen', note: '' } as const;

function showCheck({ profile, hash, type, findings }: CheckReport, refuted: number): string {
  const rows = findings.map(({ name, claim, seen, verdict, without }) => [name, claim, MARK[verdict], seen, without]);
  const end =
    refuted === 0
      ? 'Nothing is refuted.'
      : `${refuted} ${refuted === 1 ? 'claim is' : 'claims are'} refuted: mend the profile and check it again. A worker does not run with it.`;
  return [
    `the profile "${profile}" (${hash}) against ${type}`,
    '',
    wrapped(['what', 'the profile says', '', 'seen', 'Tandem does without'], rows),
    '',
    end,
  ].join('\n');
}
