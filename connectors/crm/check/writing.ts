import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isNoValue, sameValue, type Values } from '../../../flows/values.ts';
import type { Snapshot, WriteCondition } from '../../connector.ts';
import { stampText, stepBefore } from '../profile/stamps.ts';
import { isObject } from '../record.ts';
import { namesKey } from '../writing.ts';
import { instantMs } from '../../../flows/instant.ts';
import { failureOf, NotSeen, Refuted } from './findings.ts';
import { callOptions, conditionWords, judgeLeftOut, look, type CheckContext } from './reading.ts';

/** How long a change is waited for in the list of changes (ms). */
const PATIENCE_MS = 15_000;
/** What the list of changes may be late by: each look starts so much earlier (ms). */
const OVERLAP_MS = 60_000;

/** What a stamp of whole seconds needs to move (ms). */
const COARSE_MS = 1100;
const isCoarse = ({ instant }: Snapshot): boolean => instantMs(instant) % 1000 === 0;

/** A throwaway record of a check, and what is done with it. */
class Throwaway {
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

  async create(identity: { externalId: string; idempotencyKey: string }): Promise<Snapshot> {
    const { parts, type } = this.context;
    const values = { ...this.more, [this.property]: this.mark };
    try {
      const request = { type: type.name, values, fields: this.fields, identity };
      const made = await parts.writer(type).create(request, callOptions(this.context));
      this.made.add(made.id);
      return made;
    } catch (error) {
      // Made perhaps, and not to be seen: it has to go all the same.
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

  conditionOf({ fields, etag, version }: Snapshot): WriteCondition {
    return { test: { [this.property]: fields[this.property] ?? null }, etag, version };
  }

  async remove(id: string): Promise<void> {
    const { parts, type } = this.context;
    await parts.writer(type).remove(id, callOptions(this.context));
    this.made.delete(id);
  }
}

/** Everything that takes a record of one's own. It is made, named as such, and removed again; nothing else is touched. */
export async function checkWriting(
  context: CheckContext,
  given: { property: string; values: Values },
): Promise<{ absentSeen: boolean }> {
  const { type, findings } = context;
  const throwaway = new Throwaway(context, given.property, given.values);
  const identity = throwaway.identity();
  let made: Snapshot | undefined;
  let absentSeen = false;
  try {
    await findings.look('create', `a create is answered with ${type.operations.create.answer}`, async () => {
      made = await throwaway.create(identity);
      return `made ${type.name} ${made.id}, ${throwaway.property} "${throwaway.mark}"`;
    });
    if (!made) return { absentSeen };
    const first = made;
    await checkMade(throwaway, first);
    await checkIdentity(throwaway, identity, first);
    await checkUpdates(throwaway, first.id);
    await findings.look('empty', 'a value can be cleared, and reads as empty', async () => {
      absentSeen = await clears(throwaway, first.id);
      return absentSeen ? 'what is empty is left out' : 'what is empty is shown as empty';
    });
    if (type.operations.changes) await checkFeed(throwaway, first.id);
    await checkRemoval(throwaway, first.id);
  } finally {
    await cleanUp(throwaway);
  }
  return { absentSeen };
}

async function cleanUp({ made, context }: Throwaway): Promise<void> {
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

async function checkMade(throwaway: Throwaway, made: Snapshot): Promise<void> {
  const { context, property, mark } = throwaway;
  await context.findings.look('created', 'a created record is read as it was sent', async () => {
    const seen = await throwaway.read(made.id);
    if (!sameValue(seen.fields[property], mark))
      throw new Refuted(`${property} is ${JSON.stringify(seen.fields[property])}, sent was "${mark}"`);
    return 'it is';
  });
  if (context.type.record.created !== undefined)
    await context.findings.look('untouched', `${context.type.record.created} shows that nobody has edited a record`, async () => {
      const seen = await throwaway.read(made.id);
      if (!seen.untouched)
        throw new Refuted(
          'a new record shows two different stamps: leave record.created out',
          'a record found after a lost answer counts as edited',
        );
      return 'it does';
    });
}

async function checkIdentity(
  throwaway: Throwaway,
  identity: { externalId: string; idempotencyKey: string },
  made: Snapshot,
): Promise<void> {
  const { context } = throwaway;
  const { type, parts, findings } = context;
  if (namesKey(type.operations.create))
    await findings.look('idempotency key', 'the same create, sent twice, makes one record', async () => {
      const again = await throwaway.create(identity);
      if (again.id !== made.id)
        throw new Refuted(
          `a second record was made, ${again.id}: take {idempotencyKey} out`,
          'a second try would make a second record',
        );
      return 'the second try is answered with the first record';
    });
  else
    findings.add({
      name: 'idempotency key',
      claim: 'none',
      seen: '',
      verdict: 'note',
      without: 'a second try looks for the record first',
    });
  if (!type.operations.find)
    return findings.add({
      name: 'external id',
      claim: 'none',
      seen: '',
      verdict: 'note',
      without: 'a lost record is looked for by content',
    });
  await findings.look('external id', 'a record is found by its external id', async () => {
    const began = Date.now();
    for (;;) {
      const found = await parts.findById(
        { type, externalId: identity.externalId, fields: throwaway.fields },
        callOptions(context),
      );
      if (found.some(({ id }) => id === made.id)) return `found after ${Date.now() - began} ms`;
      if (found.length > 0) throw new Refuted(`others are found: ${found.map(({ id }) => id).join(', ')}`);
      if (Date.now() - began > PATIENCE_MS)
        throw new Refuted(`not found within ${PATIENCE_MS / 1000} s`, 'a lost answer could make a second record');
      await sleep(300);
    }
  });
  const claim = type.record.uniqueExternalId
    ? 'a second record with the same external id is refused'
    : 'a second record with the same external id may be made';
  await findings.look('unique external id', claim, async () => {
    let other: Snapshot | undefined;
    const error = await failureOf(async () => {
      other = await throwaway.create({ ...throwaway.identity(), externalId: identity.externalId });
    });
    if (error?.failure === 'taken') return `refused: ${error.text.slice(0, 120)}`;
    if (error) throw new Refuted(`${error.text}: read as ${error.failure}. Give a rule under errors, "is": "taken"`);
    if (other) await throwaway.remove(other.id);
    if (type.record.uniqueExternalId)
      throw new Refuted('it was made: say "uniqueExternalId": false', 'a second record could be made after a crash');
    return 'it was made; Tandem looks before it creates again';
  });
}

async function checkUpdates(throwaway: Throwaway, id: string): Promise<void> {
  const { context, property, mark } = throwaway;
  const { type, findings } = context;
  const before = await throwaway.read(id);
  const stuck = await findings.look(
    'update',
    `an update is answered with ${type.operations.update.answer}, and sticks`,
    async () => {
      // Within the unit of a coarse stamp an edit moves nothing: the next unit tells whether it moves at all.
      if (isCoarse(before)) await sleep(COARSE_MS);
      const seen = await throwaway.update(id, `${mark} b`);
      await sleep(type.stamps.lagMs);
      const later = await throwaway.read(id);
      if (!sameValue(later.fields[property], `${mark} b`))
        throw new Refuted(
          `answered, not stored: ${property} still is ${JSON.stringify(later.fields[property])}`,
          'nothing could be written',
        );
      for (const name of Object.keys(throwaway.more))
        if (!sameValue(later.fields[name] ?? before.fields[name], before.fields[name]))
          throw new Refuted(`${name} changed too, though it was not sent: say "style": "replace"`);
      if (later.version <= before.version)
        throw new Refuted(`the stamp did not move (${later.instant})`, 'an edit within its grain would not be seen');
      return `stored; the stamp moved to ${seen.instant}${isCoarse(later) ? ', in whole seconds: an edit within the second of another is told by its values' : ''}`;
    },
  );
  if (!stuck) return;
  const { condition } = type;
  if (condition === 'none')
    return findings.add({
      name: 'condition',
      claim: 'none',
      seen: '',
      verdict: 'note',
      without: 'a read comes before each write, and an edit within that moment can be overwritten',
    });
  const how = typeof condition === 'object' ? conditionWords(condition) : 'JSON Patch test';
  await findings.look('condition', `a write on an old condition is refused (${how})`, async () => {
    if (typeof condition === 'object' && before.etag === undefined) throw new Refuted('a record shows nothing to compare with');
    const error = await failureOf(() => throwaway.update(id, `${mark} c`, throwaway.conditionOf(before)));
    if (error === null || error.failure === 'unstored')
      throw new Refuted('it was not refused: say "condition": "none"', 'edits would be overwritten');
    if (error.failure !== 'contended')
      throw new Refuted(`${error.text}: read as ${error.failure}. Give a rule under errors, "is": "contended"`);
    return `refused: ${error.text.slice(0, 120)}`;
  });
}

async function clears(throwaway: Throwaway, id: string): Promise<boolean> {
  const { context, property } = throwaway;
  const error = await failureOf(() => throwaway.update(id, null));
  if (error)
    throw error.failure === 'refused' ? new NotSeen(`${property} cannot be cleared: ${error.text.slice(0, 160)}`) : error;
  const { body, seen } = await context.parts.read({ type: context.type, id, fields: throwaway.fields }, callOptions(context));
  if (!isNoValue(seen.fields[property]))
    throw new Refuted(`${property} is ${JSON.stringify(seen.fields[property])} after it was cleared: look at record.noValue`);
  return judgeLeftOut({ ...context, fields: [property] }, isObject(body) ? [body] : []);
}

async function checkFeed(throwaway: Throwaway, id: string): Promise<void> {
  const { context, mark } = throwaway;
  const { type, findings } = context;
  const { stamps } = type;
  const seen = await throwaway.update(id, `${mark} d`);
  const from = new Date(stamps.inclusive ? instantMs(seen.instant) : stepBefore(instantMs(seen.instant), stamps)).toISOString();
  await findings.look('lag', `a change is listed within ${stamps.lagMs + stamps.lookBackMs} ms`, async () => {
    const began = Date.now();
    for (;;) {
      const rows = await look(context, from);
      const took = Date.now() - began;
      if (rows.some((row) => row.id === id)) {
        if (took > stamps.lagMs + stamps.lookBackMs + OVERLAP_MS) throw new Refuted(`after ${took} ms: give a larger lookBackMs`);
        return `after ${took} ms`;
      }
      if (took > PATIENCE_MS)
        throw new Refuted(
          `asked from ${stampText(instantMs(from), stamps)} on, the change of ${seen.instant} is not listed within ${PATIENCE_MS / 1000} s`,
          'edits would be found by sweeps alone',
        );
      await sleep(250);
    }
  });
  await findings.look('equal stamps', 'records of nearly one stamp are all listed', async () => {
    const others = [await throwaway.create(throwaway.identity()), await throwaway.create(throwaway.identity())];
    const began = Date.now();
    const since = others[0]?.instant ?? from;
    for (;;) {
      const start = new Date(stamps.inclusive ? instantMs(since) : stepBefore(instantMs(since), stamps)).toISOString();
      const ids = (await look(context, start)).map((row) => row.id);
      if (others.every((each) => ids.includes(each.id))) break;
      if (Date.now() - began > PATIENCE_MS) throw new Refuted('one of two is not listed', 'edits would be lost');
      await sleep(250);
    }
    for (const each of others) await throwaway.remove(each.id);
    return `both of two, stamped ${others.map((each) => each.instant).join(' and ')}`;
  });
}

async function checkRemoval(throwaway: Throwaway, id: string): Promise<void> {
  const { context } = throwaway;
  const { type, parts, findings } = context;
  const began = Date.now();
  const removed = await findings.look('delete', 'a record can be removed, and is gone then', async () => {
    await throwaway.remove(id);
    await sleep(type.stamps.lagMs);
    const error = await failureOf(() => throwaway.read(id));
    if (error?.failure === 'gone') return 'it is';
    throw new Refuted(
      error ? `${error.text}: read as ${error.failure}` : 'it can still be read: give record.gone',
      'deletions would not be seen',
    );
  });
  const { deleted } = type.operations;
  if (!removed || !deleted) return;
  await findings.look('deleted', 'the list of deletions names it', async () => {
    for (;;) {
      const since = new Date(began - OVERLAP_MS).toISOString();
      for await (const ids of parts.listOf(type, [], callOptions(context)).deleted(deleted, since))
        if (ids.includes(id)) return `after ${Date.now() - began} ms`;
      if (Date.now() - began > PATIENCE_MS)
        throw new Refuted(`not within ${PATIENCE_MS / 1000} s`, 'deletions are found by listing ids');
      await sleep(300);
    }
  });
}
