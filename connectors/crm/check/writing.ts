import { setTimeout as sleep } from 'node:timers/promises';
import { isNoValue, sameValue, type Values } from '../../../flows/values.ts';
import type { Snapshot } from '../../connector.ts';
import { stampText, stepBefore } from '../profile/stamps.ts';
import { isObject } from '../record.ts';
import { namesKey } from '../writing.ts';
import { instantMs } from '../../../flows/instant.ts';
import { failureOf, NotSeen, Refuted } from './findings.ts';
import { callOptions, conditionWords, judgeLeftOut, look, type CheckContext } from './reading.ts';
import { cleanUp, Throwaway } from './throwaway.ts';

/** How long a change is waited for in the list of changes (ms). */
const PATIENCE_MS = 15_000;
/** What the list of changes may be late by: each look starts so much earlier (ms). */
const OVERLAP_MS = 60_000;

/** What a stamp of whole seconds needs to move (ms). */
const COARSE_MS = 1100;
const isCoarse = ({ instant }: Snapshot): boolean => instantMs(instant) % 1000 === 0;

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

async function checkMade(throwaway: Throwaway, made: Snapshot): Promise<void> {
  const { context, property, mark } = throwaway;
  await context.findings.look('created', 'a created record is read as it was sent', async () => {
    const seen = await throwaway.read(made.id);
    if (!sameValue(seen.fields[property], mark))
      throw new Refuted(`${property} is ${JSON.stringify(seen.fields[property])}, sent was "${mark}"`);
    return 'it is';
  });
  // A list in one page may be the first part of a longer one.
  if (context.type.operations.list.paging.style === 'none')
    await context.findings.look('listed', 'a created record is in the list', async () => {
      await sleep(context.type.stamps.lagMs);
      let shown = 0;
      for await (const { ids } of context.parts.listOf(context.type, [], callOptions(context)).ids()) {
        if (ids.includes(made.id)) return 'it is';
        shown += ids.length;
      }
      throw new Refuted(`it is not among the ${shown} that are listed: say how the list pages`, 'the rest would be missed');
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

// oxlint-disable-next-line max-lines-per-function -- three findings of one record, each a function of its own
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
      other = await throwaway.create({ ...throwaway.identity(), externalId: identity.externalId }, `${throwaway.mark} g`);
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
  let before: Snapshot | undefined;
  const stuck = await findings.look(
    'update',
    `an update is answered with ${type.operations.update.answer}, and sticks`,
    async () => {
      before = await throwaway.read(id);
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
      requireKept(throwaway, { before, later });
      if (later.version <= before.version)
        throw new Refuted(`the stamp did not move (${later.instant})`, 'an edit within its grain would not be seen');
      return `stored; the stamp moved to ${seen.instant}${isCoarse(later) ? ', in whole seconds: an edit within the second of another is told by its values' : ''}`;
    },
  );
  if (!stuck || !before) return;
  const old = before;
  await checkBeside(throwaway, id);
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
    if (typeof condition === 'object' && old.etag === undefined) throw new Refuted('a record shows nothing to compare with');
    const error = await failureOf(() => throwaway.update(id, `${mark} c`, throwaway.conditionOf(old)));
    if (error === null || error.failure === 'unstored')
      throw new Refuted('it was not refused: say "condition": "none"', 'edits would be overwritten');
    if (error.failure !== 'contended')
      throw new Refuted(`${error.text}: read as ${error.failure}. Give a rule under errors, "is": "contended"`);
    return `refused: ${error.text.slice(0, 120)}`;
  });
}

/** What an update does not name stays as it is: else every edit would wipe the rest of a record. */
function requireKept({ more, context }: Throwaway, { before, later }: { before: Snapshot; later: Snapshot }): void {
  const values = (seen: Snapshot): Values => ({
    ...seen.fields,
    [context.type.record.externalId ?? '']: seen.externalId ?? null,
  });
  const names = [...Object.keys(more), ...(before.externalId === undefined ? [] : [context.type.record.externalId ?? ''])];
  for (const name of names)
    if (!sameValue(values(later)[name], values(before)[name]))
      throw new Refuted(
        `${name} changed too, though it was not sent: say "style": "replace" under update`,
        'an edit would wipe what it does not name',
      );
}

async function checkBeside(throwaway: Throwaway, id: string): Promise<void> {
  const { context, property, more } = throwaway;
  const other = context.type.fields.find(
    ({ name, type: kind, writable, refers }) =>
      kind === 'string' && writable && refers === undefined && name !== property && !(name in more),
  );
  if (!other) return;
  await context.findings.look('update alone', `an update of ${other.name} leaves ${property} as it is`, async () => {
    const before = await throwaway.read(id);
    const error = await failureOf(() => throwaway.updateBeside(id, other.name));
    if (error && error.failure !== 'unstored') throw new NotSeen(`${other.name} takes no text: ${error.text.slice(0, 120)}`);
    await sleep(context.type.stamps.lagMs);
    const later = await throwaway.read(id);
    if (!sameValue(later.fields[property], before.fields[property]))
      throw new Refuted(
        `${property} changed too, though it was not sent: say "style": "replace" under update`,
        'an edit would wipe what it does not name',
      );
    requireKept(throwaway, { before, later });
    return 'it does';
  });
}

async function clears(throwaway: Throwaway, id: string): Promise<boolean> {
  const { context, property } = throwaway;
  const error = await failureOf(() => throwaway.update(id, null));
  if (error)
    throw error.failure === 'refused'
      ? new NotSeen(`${property} cannot be cleared: ${error.text.slice(0, 160)}. Look at record.noValue`)
      : error;
  const { body, seen } = await context.parts.read({ type: context.type, id, fields: throwaway.fields }, callOptions(context));
  if (!isNoValue(seen.fields[property]))
    throw new Refuted(`${property} is ${JSON.stringify(seen.fields[property])} after it was cleared: look at record.noValue`);
  return judgeLeftOut({ ...context, fields: [property] }, isObject(body) ? [body] : []);
}

async function checkFeed(throwaway: Throwaway, id: string): Promise<void> {
  const { context, mark } = throwaway;
  const { type, findings } = context;
  const { stamps } = type;
  const startFor = (instant: string): string =>
    new Date(stamps.inclusive ? instantMs(instant) : stepBefore(instantMs(instant), stamps)).toISOString();
  await findings.look('lag', `a change is listed within ${stamps.lagMs + stamps.lookBackMs} ms`, async () => {
    const seen = await throwaway.update(id, `${mark} d`);
    const from = startFor(seen.instant);
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
    const others = [
      await throwaway.create(throwaway.identity(), `${mark} e`),
      await throwaway.create(throwaway.identity(), `${mark} f`),
    ];
    const began = Date.now();
    const start = startFor(others[0]?.instant ?? '');
    for (;;) {
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
