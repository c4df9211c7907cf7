import { existsSync, readFileSync } from 'node:fs';

let known: string | undefined;

/** Whether this Node is one that package.json names. */
export function nodeIsSupported(node = process.versions.node): boolean {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  return major === 20 ? minor >= 20 : major === 22 ? minor >= 12 : major > 22;
}

/** Tandem's own version. In the sources package.json stands one folder up, in the package two. */
export function version(): string {
  if (known === undefined) {
    const places = ['../package.json', '../../package.json'].map((place) => new URL(place, import.meta.url));
    const file = places.find((place) => existsSync(place));
    known = file ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : 'unknown';
  }
  return known;
}
