import { existsSync } from 'node:fs';
import type { Catalogue } from '../flows/catalogue.ts';
import { bindDocument, type Refused } from '../flows/dataflow/bind.ts';
import { bindingsSchema, NO_BINDINGS } from '../flows/dataflow/bindings.ts';
import type { Dataflow } from '../flows/dataflow/document.ts';
import { readDocument } from '../flows/dataflow/read.ts';
import { readJsonFile, readShaped, readText } from '../flows/file.ts';
import type { Flow } from '../flows/flow.ts';
import { SPECIFICATION } from '../flows/specification.ts';
import { problemInWords, TandemError } from '../flows/tandemError.ts';
import { validateFlows } from '../flows/validate.ts';

/** The flows that run, and the sections of a document that cannot. */
export interface Flows {
  readonly flows: Flow[];
  readonly refused: readonly Refused[];
  /** The dataflow document that they were read from. */
  readonly document: Dataflow | null;
  /** What both systems say of themselves, by which the flows were checked. */
  readonly catalogues: readonly Catalogue[];
}

/** Where the binding file of a document is looked for unless TANDEM_BINDINGS names one. */
export const bindingsBeside = (path: string): string => path.replace(/\.rst$/i, '') + '.bindings.json';

/** The specification's three, which a CRM may call otherwise. */
function ownFlows(catalogues: readonly Catalogue[]): Flow[] {
  try {
    return validateFlows(SPECIFICATION, catalogues);
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    const what =
      'the three flows run where TANDEM_FLOWS names no others: call types and properties so in the CRM profile, and say where they stand, {"name": "givenName", "at": "first_name"}; or write a flows file, as docs/flows.md says';
    throw new TandemError([...error.problems, { what }], { kind: error.kind, cause: error });
  }
}

/**
 * Reads the flows that run: from `path` (JSON, or a dataflow document, `.rst`), or the specification's three.
 * Throws TandemError with every problem.
 */
export async function readFlows(
  path: string | undefined,
  catalogues: readonly Catalogue[],
  bindingsPath?: string,
): Promise<Flows> {
  if (path === undefined) return { flows: ownFlows(catalogues), refused: [], document: null, catalogues };
  if (/\.rst$/i.test(path)) {
    const document = readDocument(await readText('dataflow document', path), path);
    const bindingsFile = bindingsPath ?? (existsSync(bindingsBeside(path)) ? bindingsBeside(path) : undefined);
    const bindings = bindingsFile === undefined ? NO_BINDINGS : await readShaped('binding file', bindingsFile, bindingsSchema);
    const { flows, refused } = bindDocument(document, bindings, catalogues);
    if (flows.length === 0)
      throw new TandemError(
        refused.length === 0 ? [`${path}: the document has no section, so nothing would run`] : refusedInWords(path, refused),
      );
    return { flows, refused, document, catalogues };
  }
  try {
    return { flows: validateFlows(await readJsonFile('flows file', path), catalogues), refused: [], document: null, catalogues };
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    throw new TandemError(error.problems.map((problem) => ({ where: path, what: problemInWords(problem) })));
  }
}

/** Sections that do not run, as people are told of them. */
export interface NotRun {
  readonly section: string;
  readonly why: readonly string[];
}

export const notRun = (refused: readonly Refused[]): NotRun[] =>
  refused.map(({ from, to, why }) => ({ section: `${from} to ${to}`, why }));

/** One sentence for each reason why a section does not run. */
export function refusedInWords(path: string, refused: readonly Refused[]): string[] {
  return refused.flatMap(({ line, from, to, why }) => why.map((text) => `${path}:${line}: ${from} to ${to}: ${text}`));
}
