import { existsSync, readFileSync } from 'node:fs';

let known: string | undefined;

/** Tandem's own version. In the sources package.json stands one folder up, in the package two. */
export function version(): string {
  if (known === undefined) {
    const places = ['../package.json', '../../package.json'].map((place) => new URL(place, import.meta.url));
    const file = places.find((place) => existsSync(place));
    known = file ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : 'unknown';
  }
  return known;
}
