/**
 * What stands at a dotted place of an answer: `data.items`, `errors.0.message`, `@odata.nextLink`. A name that contains a
 * dot is found as a name first. Undefined where nothing stands there.
 */
export function placeOf(body: unknown, path: string | undefined): unknown {
  if (path === undefined || path === '') return body;
  if (body === null || typeof body !== 'object') return undefined;
  const here = body as Record<string, unknown>;
  if (Object.hasOwn(here, path)) return here[path];
  for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
    const head = path.slice(0, dot);
    if (!Object.hasOwn(here, head)) continue;
    const found = placeOf(here[head], path.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A text or a number as text; null for everything else, the empty text included. */
export function textAt(body: unknown, path: string | undefined): string | null {
  const value = path === undefined ? undefined : placeOf(body, path);
  return typeof value === 'number' || (typeof value === 'string' && value !== '') ? String(value) : null;
}

/** Takes away what stands at a dotted place. */
export function removeAt(record: Record<string, unknown>, path: string): void {
  const steps = Object.hasOwn(record, path) ? [path] : path.split('.');
  const above = steps.length === 1 ? record : placeOf(record, steps.slice(0, -1).join('.'));
  if (above !== null && typeof above === 'object') delete (above as Record<string, unknown>)[steps.at(-1) ?? path];
}
