import { crm } from '../connectors/crm/connector.ts';
import { readProfile } from '../connectors/crm/profile/read.ts';
import { secretsFrom } from '../connectors/crm/auth.ts';
import { suggest } from '../flows/validate.ts';
import { TandemError } from '../flows/tandemError.ts';
import type { Value } from '../flows/values.ts';

type Given = Readonly<Record<string, unknown>>;
const OPTIONS = { priority: 'write', signal: undefined } as const;

/** Acts as a person in a real CRM that the local stack runs, by the profile that Tandem speaks to it with. */
export async function crmDesk(env: NodeJS.ProcessEnv) {
  const profile = await readProfile(env['CRM_PROFILE']);
  // What a person makes carries no external id.
  const { find: _, ...operations } = profile.operations;
  const { externalId: __, ...record } = profile.record;
  const system = crm({ url: env['CRM_URL'] ?? '', profile: { ...profile, operations, record }, secret: secretsFrom(env) });
  const fieldsOf = (type: string): string[] => profile.types[type]?.fields.map(({ name }) => name) ?? [];
  function byName(type: string, values: Given): Record<string, Value> {
    const fields = fieldsOf(type);
    return Object.fromEntries(
      Object.entries(values).map(([given, value]) => {
        const name = fields.find((each) => each.toLowerCase() === given.toLowerCase());
        if (name === undefined) throw new TandemError(`${type} has no field ${given}: ${suggest(given, fields)}`);
        return [name, value as Value];
      }),
    );
  }
  return {
    async edit(type: string, id: string, values: Given): Promise<object> {
      const fields = fieldsOf(type);
      const { version, etag, fields: test } = await system.read({ type, id, fields }, OPTIONS);
      const condition = { test, version, ...(etag === undefined ? {} : { etag }) };
      const seen = await system.update({ type, id, set: byName(type, values), condition, fields }, OPTIONS);
      return { id, ...seen.fields };
    },
    async create(type: string, values: Given): Promise<object> {
      const identity = { externalId: '', idempotencyKey: '' };
      const made = await system.create({ type, values: byName(type, values), fields: fieldsOf(type), identity }, OPTIONS);
      return { id: made.id, ...made.fields };
    },
    async list(type: string): Promise<object[]> {
      const rows: object[] = [];
      for await (const { records } of system.changed({ type, fields: fieldsOf(type), since: null }, OPTIONS))
        rows.push(...records.map(({ id, fields }) => ({ id, ...fields })));
      return rows;
    },
    remove: (type: string, id: string): Promise<void> => system.remove(type, id, OPTIONS),
  };
}
