import type { Context } from 'hono';
import type { SandboxRow } from '../table.ts';
import { refusal } from './answers.ts';
import { resolve, type Kind } from './description.ts';
import { applyJsonPatch, PatchError, readPatch } from './jsonPatch.ts';
import { present, type Look } from './present.ts';
import type { Records } from './records.ts';
import { FACETS, objection, REFERENCES } from './rules.ts';
import { bindObject, faultsOf } from './values.ts';

const VALIDATION = 'One or more validation errors occurred.';
const invalid = (kind: Kind, detail: string, status = 400): Response =>
  refusal(status, { title: `${kind.noun} validation error(s)`, detail });

/** What the service says of a record that is not there. */
export const missing = (kind: Kind, id: string): Response =>
  refusal(404, { title: 'Object(s) not found', detail: `${kind.noun} with id = ${id.split('/').at(-1)} not found.` });

/** Codes and numbers that a POST takes in the place of an id; one that names nothing is given back. */
function byCode(kind: Kind, values: SandboxRow, records: Records): string | undefined {
  for (const [id, { kind: other, shows }] of Object.entries(REFERENCES)) {
    if (!shows || kind.dto[id] === undefined) continue;
    const [code, of] = shows;
    const wanted = values[code];
    delete values[code];
    if (wanted === null || wanted === undefined || (values[id] ?? null) !== null) continue;
    const found = records
      .table(other)
      .rows()
      .find((row) => String(row[of] ?? '').toLowerCase() === String(wanted).toLowerCase());
    if (!found) return `${other} with ${of.toLowerCase()} = '${String(wanted)}' not found.`;
    values[id] = found['Id'];
  }
  return undefined;
}

const blankReferences = (row: SandboxRow): void => {
  for (const name of Object.keys(REFERENCES)) if (row[name] === 0) row[name] = null;
};

/** The address of a contact that is not there, or is an employee: contact persons belong to customers and suppliers. */
function ownerProblem(records: Records, contactId: string): Response | undefined {
  if (['Customer', 'Supplier'].some((each) => records.find(each, contactId) !== undefined)) return undefined;
  return refusal(404, { title: 'Object(s) not found', detail: `Contact with id = ${contactId} not found.` });
}

/** POST: a new record. */
export async function create(
  context: Context,
  { kind, owner, records, look }: { kind: Kind; owner: string | undefined; records: Records; look: Look },
): Promise<Response> {
  if (!/\bjson\b/i.test(context.req.header('content-type') ?? ''))
    return refusal(415, { title: 'Unsupported Media Type', detail: 'The body must be JSON.' });
  const body: unknown = await context.req.json().catch(() => undefined);
  const bound = bindObject(kind.post, body, '');
  if ('misfit' in bound)
    return refusal(400, { title: VALIDATION, detail: 'See errors.' }, { [bound.misfit.path]: [bound.misfit.says] });
  const values = bound.value as SandboxRow;
  const faults = faultsOf({ properties: kind.post, required: kind.required }, values);
  if (Object.keys(faults).length > 0) return refusal(400, { title: VALIDATION, detail: 'See errors.' }, faults);
  if (owner !== undefined) {
    const refused = ownerProblem(records, owner);
    if (refused) return refused;
    values['ContactId'] = Number(owner);
  }
  delete values['SubLedgerNumberSeriesId'];
  const unknown = byCode(kind, values, records);
  if (unknown !== undefined) return invalid(kind, unknown, kind.unknownStatus);
  blankReferences(values);
  const told = objection(kind, values);
  if (told !== undefined) return invalid(kind, told);
  const clash = records.clash(kind, values, (name) => (values[name] ?? null) !== null);
  if (clash) return invalid(kind, clash.says, clash.unknown ? kind.unknownStatus : 400);
  const row = records.make(kind, values);
  const parent = records.find('Project', row['ParentProjectId']);
  if (kind.name === 'Project' && parent) {
    row['Code'] = `${String(parent['Code'])}.${String(row['Code'] ?? row['Id'])}`;
    if (records.taken(kind.name, row, 'Code') !== undefined)
      return invalid(kind, `Code is already in use. '${String(row['Code'])}'.`);
  }
  return Response.json(present({ kind, look }, records.save(kind, row)), { status: kind.createStatus });
}

/** What a patch works on: the values that the type's PatchDto has, nested objects in full. */
function patchTarget(kind: Kind, row: SandboxRow): SandboxRow {
  return structuredClone(
    Object.fromEntries(
      Object.keys(kind.patch).map((name) => {
        const { properties, type } = resolve(kind.patch[name] ?? {});
        const value = row[name] ?? (type === 'array' ? [] : null);
        if (!properties) return [name, value];
        const given = (value ?? {}) as SandboxRow;
        return [
          name,
          Object.fromEntries(
            Object.entries(properties).flatMap(([each, { readOnly }]) => (readOnly ? [] : [[each, given[each] ?? null]])),
          ),
        ];
      }),
    ),
  );
}

/** What the patched values change: the row as it would be, and the names that differ. */
function patched(kind: Kind, row: SandboxRow, target: SandboxRow): { row: SandboxRow; changed: Set<string> } {
  const before = patchTarget(kind, row);
  const changed = new Set(Object.keys(target).filter((name) => JSON.stringify(target[name]) !== JSON.stringify(before[name])));
  const next = { ...row };
  for (const name of changed) {
    const value = target[name];
    const nested = resolve(kind.patch[name] ?? {}).properties !== undefined;
    next[name] = nested ? { ...(row[name] as SandboxRow | undefined), ...(value as SandboxRow | null) } : value;
    if (nested && value === null) next[name] = {};
  }
  // Go gives a number back to a record whose number is taken away.
  if (FACETS.includes(kind.name) && changed.has('Number') && next['Number'] === null) next['Number'] = row['Number'];
  return { row: next, changed };
}

/** PATCH: an RFC 6902 patch of what the type's PatchDto has. */
export async function update(
  context: Context,
  {
    kind,
    id,
    records,
    look,
    settings,
  }: { kind: Kind; id: string; records: Records; look: Look; settings: { test: boolean; silentPatch: boolean } },
): Promise<Response> {
  if (!(context.req.header('content-type') ?? '').toLowerCase().startsWith('application/json-patch+json'))
    return refusal(415, { title: 'Unsupported Media Type', detail: 'PATCH takes application/json-patch+json.' });
  const operations = readPatch(await context.req.json().catch(() => undefined));
  if (operations === null)
    return refusal(
      400,
      { title: VALIDATION, detail: 'See errors.' },
      { '': ['The JSON patch document was malformed and could not be parsed.'] },
    );
  const row = records.table(kind).get(id);
  if (!row) return missing(kind, id);
  const dto = `${kind.name}PatchDto`;
  const refused = settings.test ? undefined : operations.find(({ op }) => op.toLowerCase() === 'test');
  if (refused) return invalid(kind, `${dto}: The operation 'test' is not supported, path '${refused.path}'.`);
  const target = patchTarget(kind, row);
  try {
    applyJsonPatch(kind.patch, target, operations);
  } catch (error) {
    if (error instanceof PatchError) return invalid(kind, `${dto}: ${error.message}`);
    throw error;
  }
  const next = patched(kind, row, target);
  blankReferences(next.row);
  const written = Object.fromEntries([...next.changed].map((name) => [name, target[name]]));
  const [fault] = Object.values(faultsOf({ properties: kind.patch }, written));
  if (fault) return invalid(kind, `${dto}: ${fault[0]}`);
  const told = next.changed.size > 0 ? objection(kind, next.row) : undefined;
  if (told !== undefined) return invalid(kind, told);
  const clash = records.clash(kind, next.row, (name) => next.changed.has(name));
  if (clash) return invalid(kind, clash.says);
  const saved = next.changed.size === 0 ? row : records.save(kind, next.row);
  if (kind.silentPatch && settings.silentPatch) return new Response(null, { status: 200 });
  return Response.json(present({ kind, look }, saved));
}

/** DELETE: of a record that no other one needs. */
export function remove({ kind, id, records }: { kind: Kind; id: string; records: Records }): Response {
  const row = records.table(kind).get(id);
  if (!row) return missing(kind, id);
  if (records.inUse(kind, row))
    return refusal(409, {
      title: `${kind.noun} conflict`,
      detail: `${kind.noun} with id = ${String(row['Id'])} is in use and cannot be deleted.`,
    });
  records.table(kind).delete(id);
  return new Response(null, { status: 200 });
}
