import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's own folder for servers, data and caches. */
export const HOME = join(fileURLToPath(new URL('..', import.meta.url)), '.tandem');
/** What the running demo keeps; removed by `npm start -- --fresh`. */
export const DATA = process.env['TANDEM_DATA'] ?? join(HOME, 'data');
const FILE = join(DATA, 'stack.json');

export interface Child {
  readonly pid: number;
  /** When the process began, as the system tells it: a recycled number is not ours. */
  readonly began: string;
}

/** The local stack: ports stay as they were at the first start, so that it is one world. */
export interface StackFile {
  readonly ports: {
    readonly temporal: number;
    readonly ui: number;
    readonly mongo: number;
    readonly powerOffice: number;
    readonly crm: number;
    readonly http: number;
  };
  readonly children: Readonly<Record<string, Child>>;
  /** The real CRM that stands in for the stand-in; none where left out. */
  readonly crm?: string;
  /** Under which environment commands reach it. */
  readonly env: Readonly<Record<string, string>>;
}

export function readStack(): StackFile | null {
  try {
    return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as StackFile) : null;
  } catch {
    return null;
  }
}

export function writeStack(stack: StackFile): void {
  mkdirSync(DATA, { recursive: true });
  writeFileSync(`${FILE}.new`, JSON.stringify(stack, null, 2));
  renameSync(`${FILE}.new`, FILE);
}
