import { randomUUID } from 'node:crypto';
import type { Values } from '../../../flows/values.ts';
import type { Snapshot, WriteCondition } from '../../connector.ts';
import { SystemError } from '../../systemError.ts';
import { failureOf } from './findings.ts';
import { callOptions, type CheckContext } from './reading.ts';

/** A throwaway record of a check, and what is done with it. */
export class Throwaway {
  readonly context: CheckContext;
  readonly property: string;
  readonly more: Values;
  /** Records that were made and have to go again. */
  readonly made = new Set<string>();

  constructor(context: CheckContext, property: string, more: Values) {
    this.context = context;
    this.property = property;
    this.more = more;
  }

  readonly mark = `Tandem check ${randomUUID().slice(0, 8)}`;
  readonly identity = (): { externalId: string; idempotencyKey: string } => ({
    externalId: `tandem:check:${randomUUID().slice(0, 12)}`,
    idempotencyKey: `tandem:check:${randomUUID()}`,
  });

  get fields(): string[] {
    return [...new Set([this.property, ...this.context.fields])];
  }

  /** Makes a record; where it is not the first, with another text: the property may be unique. */
  async create(identity: { externalId: string; idempotencyKey: string }, text = this.mark): Promise<Snapshot> {
    const { parts, type } = this.context;
    const values = { ...this.more, [this.property]: text };
    try {
      const request = { type: type.name, values, fields: this.fields, identity };
      const made = await parts.writer(type).create(request, callOptions(this.context));
      this.made.add(made.id);
      return made;
    } catch (error) {
      // Made perhaps, and not to be seen: it has to go all the same.
      if (error instanceof SystemError && error.made !== null) this.made.add(error.made);
      const found = await parts
        .findById({ type, externalId: identity.externalId, fields: [] }, callOptions(this.context))
        .catch(() => []);
      for (const { id } of found) this.made.add(id);
      throw error;
    }
  }

  async read(id: string): Promise<Snapshot> {
    return (await this.context.parts.read({ type: this.context.type, id, fields: this.fields }, callOptions(this.context))).seen;
  }

  /** Writes the property; on the condition of what is given, or of what is there now. */
  async update(id: string, value: string | null, condition?: WriteCondition): Promise<Snapshot> {
    const { parts, type } = this.context;
    const now = condition ?? this.conditionOf(await this.read(id));
    const request = { type: type.name, id, set: { [this.property]: value }, condition: now, fields: this.fields };
    return parts.writer(type).update(request, callOptions(this.context));
  }

  /** Writes another property than the one that is watched. */
  async updateBeside(id: string, name: string): Promise<void> {
    const { parts, type } = this.context;
    const { etag, version, fields } = await this.read(id);
    const condition = { test: { [name]: fields[name] ?? null }, etag, version };
    const request = { type: type.name, id, set: { [name]: this.mark }, condition, fields: this.fields };
    await parts.writer(type).update(request, callOptions(this.context));
  }

  conditionOf({ fields, etag, version }: Snapshot): WriteCondition {
    return { test: { [this.property]: fields[this.property] ?? null }, etag, version };
  }

  async remove(id: string): Promise<void> {
    const { parts, type } = this.context;
    await parts.writer(type).remove(id, callOptions(this.context));
    this.made.delete(id);
  }
}

/** Removes what was made; what stays is told. */
export async function cleanUp({ made, context }: Throwaway): Promise<void> {
  const { parts, type, findings } = context;
  for (const id of made) {
    const error = await failureOf(() => parts.writer(type).remove(id, callOptions(context)));
    if (error && error.failure !== 'gone')
      findings.add({
        name: 'cleaning up',
        claim: 'what was made is removed',
        seen: `${type.name} ${id} is still there: ${error.text}. Remove it by hand`,
        verdict: 'refuted',
      });
  }
}
