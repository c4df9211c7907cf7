import { readFile } from 'node:fs/promises';
import type { Catalogue } from './catalogue.ts';
import type { Flow } from './flow.ts';
import { SPECIFICATION } from './specification.ts';
import { FlowsError, validateFlows } from './validate.ts';

/** Reads the flows that run: from `path` (JSON), or the specification's three. Throws FlowsError, one sentence a problem. */
export async function readFlows(path: string | undefined, catalogues: readonly Catalogue[]): Promise<Flow[]> {
  if (path === undefined) return validateFlows(SPECIFICATION, catalogues);
  let file: unknown;
  try {
    file = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const why = error instanceof SyntaxError ? `is not JSON: ${error.message}` : `cannot be read: ${(error as Error).message}`;
    throw new FlowsError([`the flows file ${path} ${why}`]);
  }
  try {
    return validateFlows(file, catalogues);
  } catch (error) {
    if (error instanceof FlowsError) throw new FlowsError(error.problems.map((problem) => `${path}: ${problem}`));
    throw error;
  }
}
