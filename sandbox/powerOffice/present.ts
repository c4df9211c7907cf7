import type { SandboxRow } from '../table.ts';
import { anyCase, resolve, type Kind } from './description.ts';
import { HIDDEN, REFERENCES } from './rules.ts';
import type { Properties } from './schema.ts';

/** Finds another record for what is shown of it. */
export type Look = (kind: string, id: unknown) => SandboxRow | undefined;

/** The kind of what is shown, and how to find the records that it refers to. */
export interface Shown {
  readonly kind: Kind;
  readonly look: Look;
}

const SHOWN = Object.fromEntries(
  Object.entries(REFERENCES).flatMap(([id, { kind, shows }]) => (shows ? [[shows[0], { id, kind, of: shows[1] }]] : [])),
);

/** A nested object as the description has it: all its properties, without a value null. */
function nested(properties: Properties, value: unknown): SandboxRow {
  const given = (value ?? {}) as SandboxRow;
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, schema]) => {
      const each = given[name] ?? null;
      return each === null && schema.nullable !== true ? [] : [[name, each]];
    }),
  );
}

/** One property of a record's DTO; undefined where the record has none and the description allows no null. */
export function one({ kind, look }: Shown, row: SandboxRow, name: string): unknown {
  const schema = kind.dto[name] ?? {};
  const { properties, nullable } = resolve(schema);
  if (properties) return nested(properties, row[name]);
  const stored = row[name] ?? null;
  const shown = SHOWN[name];
  if (shown && row[shown.id] !== null && row[shown.id] !== undefined)
    return look(shown.kind, row[shown.id])?.[shown.of] ?? stored;
  if (HIDDEN.includes(name)) return stored === null ? null : 'hidden';
  if (stored !== null) return stored;
  if (name === 'SubledgerAccountId') return Number(row['Id']) + 100_000;
  if (name === 'ContactCreatedDateTimeOffset') return row[kind.created ?? ''];
  if (name === kind.created) return row['LastChangedDateTimeOffset'];
  return nullable === true ? null : undefined;
}

/** A part of a DTO: a property, and where it is nested the names below it. */
export type Selection = ReadonlyMap<string, readonly string[] | null>;

/** What `Fields` selects, whatever the case of its names; a name that the DTO lacks is given back instead. */
export function select(kind: Kind, fields: string): Selection | { readonly unknown: string } {
  const selection = new Map<string, string[] | null>();
  for (const field of fields.split(',').map((each) => each.trim())) {
    if (field === '') continue;
    const [head = '', ...rest] = field.split('.');
    const name = anyCase(Object.keys(kind.dto), head);
    if (name === undefined || rest.length > 1) return { unknown: field };
    if (rest.length === 0) {
      selection.set(name, null);
      continue;
    }
    const below = anyCase(Object.keys(resolve(kind.dto[name] ?? {}).properties ?? {}), rest[0] ?? '');
    if (below === undefined) return { unknown: field };
    if (selection.get(name) !== null) selection.set(name, [...(selection.get(name) ?? []), below]);
  }
  return selection;
}

/** A record as the service shows it: its DTO, or what is selected of it. */
export function present({ kind, look }: Shown, row: SandboxRow, selection?: Selection): SandboxRow {
  const shown: SandboxRow = {};
  for (const name of selection && selection.size > 0 ? selection.keys() : Object.keys(kind.dto)) {
    const value = one({ kind, look }, row, name);
    const below = selection?.get(name);
    if (value === undefined) continue;
    shown[name] = below ? Object.fromEntries(below.map((each) => [each, (value as SandboxRow)[each] ?? null])) : value;
  }
  return shown;
}
