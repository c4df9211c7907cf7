import { readFileSync, readdirSync } from 'node:fs';

/** Profiles that come with Tandem: files of JSON, so that one can be printed, copied and changed. */
const FOLDER = new URL('../profiles/', import.meta.url);

/** The names of the shipped profiles; `default` is built in and has no file. */
export const shippedNames = (): string[] =>
  readdirSync(FOLDER)
    .flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -5)] : []))
    .toSorted();

/** A shipped profile's text; undefined where there is none of that name. */
export function shippedText(name: string): string | undefined {
  return shippedNames().includes(name) ? readFileSync(new URL(`${name}.json`, FOLDER), 'utf8') : undefined;
}

/** Whether a value of CRM_PROFILE is a name rather than a file: no folder, no ending. */
export const isProfileName = (value: string): boolean => /^[a-z][a-z0-9-]*$/i.test(value);

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => value !== null && typeof value === 'object' && !Array.isArray(value);

/** Parts of which a profile may say a few keys and leave the others as they are below. */
const PARTS = ['record', 'stamps', 'paging', 'headers', 'query'];

/** What a profile says, over what the one says that it extends: its types are all its own, of the rest what it names. */
export function extended(below: Json, own: Json): Json {
  const operations = isObject(own['operations']) ? Object.entries(own['operations']) : [];
  const parts = PARTS.map((part) => [part, { ...(below[part] as Json), ...(own[part] as Json) }] as const);
  return {
    ...below,
    ...own,
    ...Object.fromEntries(parts.filter(([, part]) => Object.keys(part).length > 0)),
    operations: {
      ...(below['operations'] as Json),
      ...Object.fromEntries(
        operations.map(([name, one]) => {
          const under = (below['operations'] as Json | undefined)?.[name];
          return [name, isObject(under) && isObject(one) ? { ...under, ...one } : one];
        }),
      ),
    },
  };
}
