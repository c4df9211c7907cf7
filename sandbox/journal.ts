import { closeSync, existsSync, fdatasyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RowChange } from './table.ts';

/** A file of changes, one a line; a change is on disk before `add` returns. Without a path nothing is kept. */
export class Journal {
  readonly #fd: number | null;
  readonly changes: readonly RowChange[];

  constructor(path: string | null) {
    this.changes = path !== null && existsSync(path) ? read(path) : [];
    if (path !== null) mkdirSync(dirname(path), { recursive: true });
    this.#fd = path === null ? null : openSync(path, 'a');
  }

  add(change: RowChange): void {
    if (this.#fd === null) return;
    writeSync(this.#fd, `${JSON.stringify(change)}\n`);
    fdatasyncSync(this.#fd);
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
  }
}

function read(path: string): RowChange[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  // A line without its end was being written when the process died: it was never answered.
  return lines.slice(0, -1).flatMap((line) => {
    try {
      return [JSON.parse(line) as RowChange];
    } catch {
      return [];
    }
  });
}
