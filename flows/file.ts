import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { TandemError } from './tandemError.ts';
import { issuesInWords } from './validate.ts';

/** The text of a file that a person named; `what` says what it should be. Throws TandemError. */
export async function readText(what: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new TandemError([`the ${what} ${path} cannot be read: ${(error as Error).message}`]);
  }
}

/** The JSON of a file that a person named. Throws TandemError. */
export async function readJsonFile(what: string, path: string): Promise<unknown> {
  const text = await readText(what, path);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TandemError([`the ${what} ${path} is not JSON: ${(error as Error).message}`]);
  }
}

/** A JSON file of a known shape. Throws TandemError with every problem. */
export async function readShaped<T>(what: string, path: string, shape: z.ZodType<T>): Promise<T> {
  const parsed = shape.safeParse(await readJsonFile(what, path));
  if (parsed.success) return parsed.data;
  throw new TandemError(issuesInWords(parsed.error).map((issue) => `the ${what} ${path}: ${issue}`));
}
