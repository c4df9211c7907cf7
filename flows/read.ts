import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Catalogue } from './catalogue.ts';
import { bindDocument, type Refused } from './dataflow/bind.ts';
import { bindingsSchema, NO_BINDINGS, type Bindings } from './dataflow/bindings.ts';
import type { Dataflow } from './dataflow/document.ts';
import { readDocument } from './dataflow/read.ts';
import type { Flow } from './flow.ts';
import { SPECIFICATION } from './specification.ts';
import { FlowsError, validateFlows } from './validate.ts';

/** The flows that run, and the sections of a document that cannot. */
export interface Flows {
  readonly flows: Flow[];
  readonly refused: readonly Refused[];
  /** The dataflow document that they were read from. */
  readonly document: Dataflow | null;
}

/** Where the binding file of a document is looked for unless TANDEM_BINDINGS names one. */
export const bindingsBeside = (path: string): string => path.replace(/\.rst$/i, '') + '.bindings.json';

async function textOf(what: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new FlowsError([`the ${what} ${path} cannot be read: ${(error as Error).message}`]);
  }
}

async function jsonOf(what: string, path: string): Promise<unknown> {
  const text = await textOf(what, path);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FlowsError([`the ${what} ${path} is not JSON: ${(error as Error).message}`]);
  }
}

async function readBindings(path: string): Promise<Bindings> {
  const parsed = bindingsSchema.safeParse(await jsonOf('binding file', path));
  if (parsed.success) return parsed.data;
  throw new FlowsError(
    parsed.error.issues.map((issue) => `${path}: ${z.core.toDotPath(issue.path) || 'the file'}: ${issue.message}`),
  );
}

/**
 * Reads the flows that run: from `path` (JSON, or a dataflow document, `.rst`), or the specification's three.
 * Throws FlowsError, one sentence a problem, and DocumentError where a document cannot be read.
 */
export async function readFlows(
  path: string | undefined,
  catalogues: readonly Catalogue[],
  bindingsPath?: string,
): Promise<Flows> {
  if (path === undefined) return { flows: validateFlows(SPECIFICATION, catalogues), refused: [], document: null };
  if (/\.rst$/i.test(path)) {
    const document = readDocument(await textOf('dataflow document', path), path);
    const beside = bindingsPath ?? (existsSync(bindingsBeside(path)) ? bindingsBeside(path) : undefined);
    const bindings = beside === undefined ? NO_BINDINGS : await readBindings(beside);
    const { flows, refused } = bindDocument(document, bindings, catalogues);
    if (flows.length === 0)
      throw new FlowsError(
        refused.length === 0 ? [`${path}: the document has no section, so nothing would run`] : refusedInWords(path, refused),
      );
    return { flows, refused, document };
  }
  try {
    return { flows: validateFlows(await jsonOf('flows file', path), catalogues), refused: [], document: null };
  } catch (error) {
    if (error instanceof FlowsError)
      throw new FlowsError(error.problems.map((problem) => (problem.includes(path) ? problem : `${path}: ${problem}`)));
    throw error;
  }
}

/** One sentence for each reason why a section does not run. */
export function refusedInWords(path: string, refused: readonly Refused[]): string[] {
  return refused.flatMap(({ line, from, to, why }) => why.map((text) => `${path}:${line}: ${from} to ${to}: ${text}`));
}
