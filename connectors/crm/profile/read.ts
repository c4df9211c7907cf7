import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { TandemError } from '../../../flows/tandemError.ts';
import { suggest } from '../../../flows/validate.ts';
import { DEFAULT_PROFILE } from './default.ts';
import { firstFormSchema, fromFirstForm } from './version1.ts';
import { JsonTextError, readJson, type JsonPath } from './lines.ts';
import { problemsOf, type Problem } from './rules.ts';
import { profileSchema, type Profile } from './schema.ts';
import { secretsIn } from './secrets.ts';
import { extended, isProfileName, shippedNames, shippedText } from './shipped.ts';

type JsonSchema = {
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
};

/** The JSON Schema by which an editor completes and checks a profile. */
export const profileJsonSchema = (): object => z.toJSONSchema(profileSchema, { io: 'input' });

/** The keys that may stand at a place. */
function keysAt(schema: z.ZodType, path: JsonPath): string[] {
  const root = z.toJSONSchema(schema, { io: 'input' }) as JsonSchema;
  const open = (one: JsonSchema): JsonSchema[] => {
    const ref = one.$ref?.split('/').at(-1);
    const target = ref === undefined ? one : (root.$defs?.[ref] ?? {});
    return [target, ...[...(target.anyOf ?? []), ...(target.oneOf ?? [])].flatMap(open)];
  };
  let here = open(root);
  for (const step of path)
    here = here
      .map(({ properties, additionalProperties, items }) =>
        typeof step === 'number'
          ? items
          : (properties?.[String(step)] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)),
      )
      .filter((each) => each !== undefined)
      .flatMap(open);
  return [...new Set(here.flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

/** What a schema's issue says, in words, each with its place. */
function inWords(schema: z.ZodType, issue: z.core.$ZodIssue, above: JsonPath = []): Problem[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      path: [...path, key],
      what: `unknown key "${key}": ${suggest(key, keysAt(schema, path))}`,
    }));
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The alternative that got furthest is the one that was meant.
    const ranked = issue.errors
      .filter((errors) => errors.every((each) => each.path.length > 0 || !/^invalid_(type|value)$/.test(each.code)))
      .sort((a, b) => a.length - b.length);
    if (ranked[0] && !issue.message.startsWith('a secret')) return ranked[0].flatMap((each) => inWords(schema, each, path));
  }
  if (issue.code === 'invalid_value' && typeof issue.input === 'string')
    return [{ path, what: `"${issue.input}" is not known here: ${suggest(issue.input, issue.values.map(String))}` }];
  return [{ path, what: `${path.map(String).join('.') || 'the file'}: ${issue.message}` }];
}

function parsed<T>(schema: z.ZodType<T>, value: unknown): { data: T } | { problems: Problem[] } {
  const got = schema.safeParse(value, { reportInput: true });
  return got.success ? { data: got.data } : { problems: got.error.issues.flatMap((issue) => inWords(schema, issue)) };
}

/** What is wrong with a profile or an adapter: each problem names file, line, reason and, where there is one, the nearest name. */
export const refused = (problems: readonly string[]): TandemError => new TandemError(problems, { kind: 'configuration' });

/** What a profile says that it extends. */
const baseOf = (value: unknown): unknown =>
  value !== null && typeof value === 'object' && 'extends' in value ? value.extends : undefined;

/** Reads a profile from its text; `name` is the file's. Throws TandemError with every problem, each with its line. */
export function parseProfile(text: string, name: string): Profile {
  let file;
  try {
    file = readJson(text);
  } catch (error) {
    if (error instanceof JsonTextError) throw refused([`${name}:${error.line}: ${error.message}`]);
    throw error;
  }
  const { value, lineOf } = file;
  const refuse = (problems: readonly Problem[]): never => {
    const lines = problems.map(({ path, what }) => ({ line: lineOf(path), what }));
    throw refused(lines.sort((a, b) => a.line - b.line).map(({ line, what }) => `${name}:${line}: ${what}`));
  };
  const secrets = secretsIn(value);
  const isFirstForm = value !== null && typeof value === 'object' && !('version' in value) && 'list' in value;
  let given: unknown = value;
  if (isFirstForm) {
    const first = parsed(firstFormSchema, value);
    if ('problems' in first) return refuse([...secrets, ...first.problems]);
    given = fromFirstForm(first.data);
  }
  const base = baseOf(value);
  if (base !== undefined) {
    const below = shippedText(String(base));
    if (below === undefined)
      return refuse([
        { path: ['extends'], what: `there is no profile ${String(base)}: ${suggest(String(base), shippedNames())}` },
      ]);
    given = extended(JSON.parse(below) as Record<string, unknown>, value as Record<string, unknown>);
  }
  const second = parsed(profileSchema, given);
  if ('problems' in second) return refuse([...secrets, ...second.problems]);
  const problems = [...secrets, ...problemsOf(second.data)];
  return problems.length > 0 ? refuse(problems) : second.data;
}

/** Reads the CRM profile of that file or shipped name, or gives the built-in one. Throws TandemError. */
export async function readProfile(path: string | undefined): Promise<Profile> {
  if (path === undefined || path === 'default') return DEFAULT_PROFILE;
  const shipped = isProfileName(path) ? shippedText(path) : undefined;
  if (shipped !== undefined) return parseProfile(shipped, `${path}.json`);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const hint = isProfileName(path)
      ? `, and no profile of that name is shipped: ${suggest(path, ['default', ...shippedNames()])}`
      : '';
    throw refused([`${path} cannot be read: ${(error as Error).message}${hint}`]);
  }
  return parseProfile(text, path);
}

/** By what a profile is known to the store: another profile has another. */
export const profileHash = (profile: Profile): string =>
  createHash('sha256').update(JSON.stringify(profile)).digest('hex').slice(0, 16);
