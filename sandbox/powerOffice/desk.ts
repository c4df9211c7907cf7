import { TandemError } from '../../flows/tandemError.ts';
import { type AdminTable } from '../adminApi.ts';
import type { SandboxRow } from '../table.ts';
import { byCatalogueNames } from '../standIn.ts';
import { KINDS, resolve, type Kind } from './description.ts';
import type { Records } from './records.ts';
import { FACETS } from './rules.ts';
import { bind } from './values.ts';

/** The type that a person means. Throws TandemError. */
function kindOf(name: string): Kind {
  const kind = KINDS.find((each) => each.name === name);
  if (!kind) throw new TandemError(`there is no type ${name}; types are ${KINDS.map((each) => each.name).join(', ')}`);
  return kind;
}

/** A person's values under the description's names; text becomes what the property takes, and `MailAddress.City` goes into its object. */
function fitted(
  kind: Kind,
  values: SandboxRow,
  { before = {}, fixed }: { readonly before?: SandboxRow; readonly fixed: readonly string[] },
): SandboxRow {
  const heads: SandboxRow = {};
  for (const [name, value] of Object.entries(values)) {
    const [head = '', below] = name.split('.');
    const [[field, given] = ['', value]] = Object.entries(
      byCatalogueNames(kind.name, { fields: Object.keys(kind.dto), fixed }, { [head]: value }),
    );
    const nested =
      below === undefined
        ? given
        : { ...((heads[field] ?? before[field]) as SandboxRow | undefined), ...belowOf(kind, field, { [below]: value }) };
    const bound = bind(kind.dto[field] ?? {}, nested, field);
    if ('misfit' in bound) throw new TandemError(bound.misfit.says);
    heads[field] =
      below === undefined && resolve(kind.dto[field] ?? {}).properties
        ? { ...(before[field] as SandboxRow | undefined), ...(bound.value as SandboxRow | null) }
        : bound.value;
  }
  return heads;
}

const belowOf = (kind: Kind, field: string, values: SandboxRow): SandboxRow =>
  byCatalogueNames(`${kind.name} ${field}`, { fields: Object.keys(resolve(kind.dto[field] ?? {}).properties ?? {}) }, values);

/** What a person at PowerOffice's own screen can do: read-only properties too, but ids and stamps. */
export function powerOfficeDesk(records: Records, set: AdminTable['set']): AdminTable {
  const stamps = (kind: Kind): string[] => Object.keys(kind.dto).filter((name) => name.endsWith('DateTimeOffset'));
  const row = (kind: Kind, id: string): SandboxRow => {
    const found = records.table(kind).get(id);
    if (!found) throw new TandemError(`PowerOffice has no ${kind.name} ${id}`);
    return found;
  };
  return {
    tables: Object.values(records.tables),
    types: records.tables,
    create(type, values) {
      const kind = kindOf(type);
      // With the id of, say, a customer a supplier is the same contact.
      const fixed = [...stamps(kind), ...(FACETS.includes(kind.name) ? [] : ['Id'])];
      const given = { ...(kind.owned ? { ContactId: 1 } : {}), ...fitted(kind, values, { fixed }) };
      return records.save(kind, records.make(kind, given));
    },
    edit(type, id, values) {
      const kind = kindOf(type);
      const before = row(kind, id);
      return records.save(kind, { ...before, ...fitted(kind, values, { before, fixed: ['Id', ...stamps(kind)] }) });
    },
    remove(type, id) {
      const kind = kindOf(type);
      row(kind, id);
      records.table(kind).delete(id);
    },
    set,
  };
}
