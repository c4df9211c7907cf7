/** A table that fits the terminal: columns as wide as their longest cell, the widest ones cut where they must be. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width = process.stdout.columns ?? 120,
): string {
  const widths = widthsFor(header, rows, { width, least: 8 });
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => fit(cell, widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(header), line(widths.map((each) => '-'.repeat(each))), ...rows.map(line)].join('\n');
}

/** Columns as wide as their longest cell; the widest are made narrower while they do not fit. */
function widthsFor(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { width, least }: { readonly width: number; readonly least: number },
): number[] {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)));
  const room = width - 2 * (header.length - 1);
  while (widths.reduce((sum, each) => sum + each, 0) > room) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= least) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function fit(text: string, width: number): string {
  return text.length <= width ? text.padEnd(width) : `${text.slice(0, width - 1)}…`;
}

/** "3 minutes ago". */
export function ago(at: string | null): string {
  if (at === null) return 'never';
  const seconds = Math.round((Date.now() - Date.parse(at)) / 1000);
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  if (seconds < 60) return format.format(-seconds, 'second');
  if (seconds < 3600) return format.format(-Math.round(seconds / 60), 'minute');
  if (seconds < 172_800) return format.format(-Math.round(seconds / 3600), 'hour');
  return format.format(-Math.round(seconds / 86_400), 'day');
}

/** A table whose long cells go on in the next line: nothing is cut, for what has to be read to its end. */
export function wrapped(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width = process.stdout.columns ?? 120,
): string {
  const widths = widthsFor(header, rows, { width, least: 12 });
  const lines = (cells: readonly string[]): string[] => {
    const parts = cells.map((cell, i) => broken(cell, widths[i] ?? 0));
    const height = Math.max(...parts.map((part) => part.length));
    return Array.from({ length: height }, (_, at) =>
      parts
        .map((part, i) => (part[at] ?? '').padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  };
  return [...lines(header), ...lines(widths.map((each) => '-'.repeat(each))), ...rows.flatMap(lines)].join('\n');
}

function broken(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const blank = rest.lastIndexOf(' ', width);
    const at = blank > 0 ? blank : width;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at).trimStart();
  }
  return [...lines, rest];
}
