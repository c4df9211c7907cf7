import type { JsonPath } from './lines.ts';
import type { Problem } from './rules.ts';
import { variablesOf } from './template.ts';

const NAMES =
  /^(authorization|proxy-authorization|cookie|(x-)?(api|app|access|auth|client|refresh)?[-_]?(key|token|secret|password|passwd|pwd))$/i;
/** Systems call their own headers so; in a body or a query such a name may mean something else. */
const HEADERS = /[-_](key|token|secret|password)$/i;
const SHAPES: readonly RegExp[] = [
  /^(bearer|basic|token|apikey)\s+\S{8,}/i,
  /\beyJ[\w-]{8,}\.[\w-]{8,}/,
  /\/\/[^/@\s]+:[^/@\s]+@/,
  /^(pat|sk|xox[a-z]|ghp|glpat|pk|rk)[-_][\w-]{12,}$/,
  /^[a-f0-9]{32,}$/i,
];

/** Secrets that stand in a profile's text, where they must not: whoever may read the file would have them. */
export function secretsIn(file: unknown, path: JsonPath = []): Problem[] {
  if (typeof file === 'string') {
    const key = String(path.at(-1));
    const open = variablesOf(file).length === 0 && file !== '';
    const named = open && NAMES.test(key) && ['headers', 'query', 'parameters', 'body'].some((part) => path.includes(part));
    const header = open && HEADERS.test(key) && path.includes('headers');
    if (!named && !header && !SHAPES.some((shape) => shape.test(file))) return [];
    return [
      {
        path,
        what: `"${key}" looks like a secret, and a secret must not stand in a profile: say it under auth, by variable or file`,
      },
    ];
  }
  if (file === null || typeof file !== 'object') return [];
  return Object.entries(file).flatMap(([key, value]) => secretsIn(value, [...path, Array.isArray(file) ? Number(key) : key]));
}
