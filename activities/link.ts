import { setTimeout as sleep } from 'node:timers/promises';
import { neededFields, type Flow } from '../flows/flow.ts';
import { linkKey } from '../flows/names.ts';
import { across, SIDES, type Side } from '../flows/side.ts';
import { mayBeNormalised, sameValue, sameValues, type Value, type Values } from '../flows/values.ts';
import type { LinkActivities, LinkRecord } from '../workflows/contract.ts';
import type { Assignment } from '../workflows/core/merge.ts';
import type { Found, Outcome } from '../workflows/core/outcome.ts';
import type { Observation } from '../workflows/core/state.ts';
import type { Deps } from './deps.ts';
import { externalIdOf, observationOf } from './observation.ts';
import { running, type Attempt } from './running.ts';
import type { LinkDocument } from './store/documents.ts';
import { TargetTaken } from './store/store.ts';
import { SystemError } from './systems/errors.ts';
import type { Condition, Snapshot, System } from './systems/system.ts';

/** Between the two reads that must both show the expected value before `test` may count as missing (ms). */
const TEST_READS_APART_MS = 5500;
/** Clocks aside, a record that an earlier attempt made is not older than this before the activity (ms). */
const CREATED_SLACK_MS = 60_000;

type Write = { link: LinkRecord; side: Side; assignments: readonly Assignment[] };

/** The link's activities. Each writes the store inside itself, under the link's revision. */
export function linkActivities(deps: Deps): LinkActivities {
  const { store } = deps;

  function flowOf(link: LinkRecord): Flow {
    const flow = deps.flows.find((each) => each.name === link.flow);
    if (!flow) throw new Error(`this worker does not run the flow ${link.flow}`);
    return flow;
  }
  const systemOf = (flow: Flow, side: Side): System => deps.systems[flow[side].system];
  const typesOf = (flow: Flow): Record<Side, string> => ({ source: flow.source.type, target: flow.target.type });
  const idOf = (link: LinkRecord, side: Side): string => (side === 'source' ? link.sourceId : (link.targetId ?? ''));

  async function readSide(link: LinkRecord, side: Side, attempt: Attempt): Promise<Found> {
    const flow = flowOf(link);
    try {
      const seen = await systemOf(flow, side).read(flow[side].type, idOf(link, side), neededFields(flow, side), {
        priority: 'write',
        signal: attempt.signal,
      });
      return observationOf(flow, side, seen);
    } catch (error) {
      if (error instanceof SystemError && error.failure === 'gone') return 'gone';
      throw error;
    }
  }

  async function readSides(link: LinkRecord, sides: readonly Side[], attempt: Attempt): Promise<Partial<Record<Side, Found>>> {
    const there = sides.filter((side) => side === 'source' || link.targetId !== null);
    const found = await Promise.all(there.map((side) => readSide(link, side, attempt)));
    return Object.fromEntries(there.map((side, i) => [side, found[i]]));
  }

  const lag = (flow: Flow): number => Math.max(...SIDES.map((side) => systemOf(flow, side).lagMs));

  /** What the store says of an activity whose earlier attempt may have got through. */
  async function before(link: LinkRecord): Promise<{ stored: LinkDocument | null; done: boolean; ahead: boolean }> {
    const stored = await store.links.findOne({ _id: linkKey(link.flow, link.sourceId) });
    return { stored, done: stored?.revision === link.revision, ahead: (stored?.revision ?? 0) > link.revision };
  }

  async function refuse(
    link: LinkRecord,
    side: Side,
    code: string,
    properties: readonly string[],
    text: string,
  ): Promise<Outcome> {
    const at = Date.now();
    const block = { code, side, properties, at };
    await store.write({ ...link, status: 'blocked', statusAt: at, ended: null, block }, typesOf(flowOf(link)), text);
    deps.log.warn({ event: 'blocked', flow: link.flow, sourceId: link.sourceId, side, code, properties }, 'a record is blocked');
    return { kind: 'refused', side, code, properties };
  }

  async function remember(
    link: LinkRecord,
    side: Side,
    changes: readonly (Pick<Assignment, 'property' | 'why' | 'instants'> & { before: Value; after: Value })[],
  ): Promise<void> {
    const key = linkKey(link.flow, link.sourceId);
    await store.remember(
      changes.map(({ instants, ...change }) => ({
        _id: `${key}:${link.revision}:${change.property}`,
        link: key,
        flow: link.flow,
        at: new Date(),
        side,
        ...change,
        ...(instants ? { instants } : {}),
      })),
    );
  }

  return {
    createRecord: (input) => running((attempt) => create(input.link, input.values, attempt)),
    writeRecord: (input) => running((attempt) => write(input, attempt)),

    readRecords: (input) =>
      running(async (attempt) => {
        if (input.afterLag) await sleep(lag(flowOf(input.link)), undefined, { signal: attempt.signal });
        const found = await readSides(input.link, input.sides, attempt);
        const key = linkKey(input.link.flow, input.link.sourceId);
        await store.raise(
          SIDES.flatMap((side) => (found[side] && found[side] !== 'gone' ? [{ key, side, seen: found[side] }] : [])),
        );
        return { kind: 'read', found };
      }),

    removeRecord: (input) =>
      running(async (attempt) => {
        const { link, side } = input;
        const flow = flowOf(link);
        try {
          await systemOf(flow, side).remove(flow[side].type, idOf(link, side), { priority: 'write', signal: attempt.signal });
        } catch (error) {
          if (!(error instanceof SystemError) || error.retryable) throw error;
          if (error.failure !== 'gone') return refuse(link, side, String(error.status ?? error.failure), [], error.text);
        }
        return { kind: 'removed' };
      }),

    storeLink: (input) =>
      running(async () => {
        const { stored, ahead } = await before(input.link);
        if (ahead) return { kind: 'read', found: {}, revision: stored?.revision ?? 0 };
        // A blocked link keeps the text that came with its refusal.
        await store.write(input.link, typesOf(flowOf(input.link)), stored?.block?.text ?? null);
        deps.log.info(
          {
            event: 'link',
            flow: input.link.flow,
            sourceId: input.link.sourceId,
            status: input.link.status,
            ...(input.link.ended ? { ended: input.link.ended } : {}),
          },
          'a link changed its state',
        );
        return { kind: 'stored' };
      }),
  };

  async function create(link: LinkRecord, values: Values, attempt: Attempt): Promise<Outcome> {
    const flow = flowOf(link);
    const system = systemOf(flow, 'target');
    const { type } = flow.target;
    const fields = neededFields(flow, 'target');
    const again = attempt.number > 1;
    const options = { priority: 'write' as const, signal: attempt.signal, again };
    const identity = {
      externalId: externalIdOf(flow, link.sourceId),
      idempotencyKey: `tandem:${link.flow}:${link.sourceId}:${link.incarnation}:${link.revision}`,
    };

    const { stored, done, ahead } = await before(link);
    if (ahead) return { kind: 'contended', found: await readSides(link, ['source'], attempt), revision: stored?.revision ?? 0 };
    if (stored && done) {
      if (stored.block)
        return { kind: 'refused', side: stored.block.side, code: stored.block.code, properties: stored.block.properties };
      if (stored.targetId !== null && stored.seen.target)
        return {
          kind: 'created',
          id: stored.targetId,
          seen: asAnswered(stored, 'target', Object.keys(stored.base.target)),
          adopted: Object.keys(stored.base.target).length === 0,
        };
    }

    const lookUp = (): Promise<readonly Snapshot[]> =>
      system.find(
        type,
        { externalId: identity.externalId, values, since: attempt.scheduledAt - CREATED_SLACK_MS },
        [...new Set([...fields, ...Object.keys(values)])],
        options,
      );

    let record: Snapshot | undefined;
    let found: readonly Snapshot[] = [];
    // The answer of an earlier attempt may be lost while its record is there: look before a second try.
    if (again) found = await unlinked(flow, await lookUp());
    if (found.length === 0) {
      try {
        record = await system.create(type, values, fields, identity, options);
      } catch (error) {
        if (!(error instanceof SystemError) || error.retryable) throw error;
        // The external id, or the key with another body, may be taken by a record of our own from before.
        if (system.features().externalId && (error.status === 409 || error.status === 422))
          found = await unlinked(flow, await lookUp());
        if (found.length === 0)
          return refuse(link, 'target', String(error.status ?? error.failure), blamed(error, Object.keys(values)), error.text);
      }
    }
    if (found.length > 1)
      return refuse(
        link,
        'target',
        'ambiguous',
        [],
        `the answer to a create was lost, and ${found.length} records may be its: ${found.map((each) => each.id).join(', ')}. Remove all but one, or link by hand, then retry`,
      );
    const mine = record ?? found[0];
    if (!mine) throw new Error('no record was created or found');
    // More than one attempt, or a record from before: what stands there now counts, not what some answer said.
    const direct =
      again || !record ? await system.read(type, mine.id, [...new Set([...fields, ...Object.keys(values)])], options) : mine;
    const seen = observationOf(flow, 'target', direct);
    const adopted =
      !record || again
        ? !Object.keys(seen.values).every((name) => mayBeNormalised(values[name] ?? null, seen.values[name]))
        : false;
    const base = adopted
      ? { source: {}, target: {} }
      : {
          source: Object.fromEntries(flow.properties.map((pair) => [pair.source, link.seen.source?.values[pair.source] ?? null])),
          target: seen.values,
        };
    try {
      await store.write({ ...link, targetId: direct.id, base, seen: { ...link.seen, target: seen } }, typesOf(flow));
    } catch (error) {
      if (!(error instanceof TargetTaken)) throw error;
      return refuse(
        { ...link, targetId: null },
        'target',
        'taken',
        [],
        `${flow.target.type} ${direct.id} is linked to another record already`,
      );
    }
    deps.log.info(
      { event: 'created', flow: link.flow, sourceId: link.sourceId, targetId: direct.id, attempt: attempt.number },
      'a record was created',
    );
    return { kind: 'created', id: direct.id, seen, adopted };
  }

  /** Leaves out records that belong to another link. */
  async function unlinked(flow: Flow, found: readonly Snapshot[]): Promise<Snapshot[]> {
    if (found.length < 2) return [...found];
    const linked = await store.byTarget(
      flow.target.type,
      found.map((record) => record.id),
    );
    return found.filter((record) => !linked.has(record.id));
  }

  async function write({ link, side, assignments }: Write, attempt: Attempt): Promise<Outcome> {
    const flow = flowOf(link);
    const system = systemOf(flow, side);
    const id = idOf(link, side);
    const fields = neededFields(flow, side);
    const planned = link.seen[side];
    if (!planned) throw new Error('a write needs an observation');

    const { stored, done, ahead } = await before(link);
    if (ahead) return { kind: 'contended', found: await readSides(link, SIDES, attempt), revision: stored?.revision ?? 0 };
    if (stored && done) {
      if (stored.block)
        return { kind: 'refused', side: stored.block.side, code: stored.block.code, properties: stored.block.properties };
      return {
        kind: 'written',
        seen: asAnswered(
          stored,
          side,
          assignments.map((each) => each.property),
        ),
      };
    }
    const newest = stored?.seen[side];
    const moved = newest && newest.version > planned.version ? newest : null;
    // The feed saw an edit that the plan does not know: plan again, without a call.
    if (moved && (!sameValues(moved.values, planned.values) || moved.inScope !== planned.inScope))
      return { kind: 'contended', found: { [side]: moved } };

    const set = Object.fromEntries(assignments.map((each) => [each.property, each.value]));
    const scope = flow[side].scope.flatMap((each) => (each.equals === undefined ? [] : [[each.property, each.equals] as const]));
    const condition: Condition = {
      test: Object.fromEntries([...scope, ...assignments.map((each) => [each.property, each.expected] as const)]),
      etag: (moved ?? planned).etag,
      version: (moved ?? planned).version,
    };
    const options = { priority: 'write' as const, signal: attempt.signal, again: attempt.number > 1 };
    const update = (unconditional: boolean): Promise<Snapshot> =>
      system.update(flow[side].type, id, set, condition, fields, { ...options, unconditional });

    try {
      return await finish(observationOf(flow, side, await update(false)));
    } catch (error) {
      if (!(error instanceof SystemError) || error.retryable) throw error;
      if (error.failure === 'gone') return { kind: 'read', found: { [side]: 'gone' } };
      if (error.failure !== 'contended')
        return refuse(link, side, String(error.status ?? error.failure), blamed(error, Object.keys(set)), error.text);
      return contended(error);
    }

    /** A condition did not hold, or may not have: wait out the lag, read both sides, let the link merge again. */
    async function contended(refusal: SystemError): Promise<Outcome> {
      await sleep(lag(flow), undefined, { signal: attempt.signal });
      const found = await readSides(link, SIDES, attempt);
      const now = found[side];
      if (now === undefined || now === 'gone') return { kind: 'contended', found };
      // The value that an earlier attempt sent: its answer was lost, its effect was not.
      if (
        attempt.number > 1 &&
        assignments.every(
          (each) =>
            mayBeNormalised(each.value, now.values[each.property]) && !sameValue(each.expected, now.values[each.property]),
        )
      )
        return finish(now);
      const ambiguous =
        refusal.status === 400 && now.inScope && assignments.every((each) => sameRaw(each.expected, now.values[each.property]));
      if (!ambiguous) return { kind: 'contended', found };

      // Everything looks as expected and yet it was refused: a stale replica, another rule, or no `test` at all.
      await sleep(TEST_READS_APART_MS, undefined, { signal: attempt.signal });
      const second = await readSides(link, SIDES, attempt);
      const later = second[side];
      if (
        later === undefined ||
        later === 'gone' ||
        !later.inScope ||
        !assignments.every((each) => sameRaw(each.expected, later.values[each.property]))
      )
        return { kind: 'contended', found: second };
      for (const unconditional of [false, true]) {
        if (unconditional && deps.testing.get() === 'works') break;
        try {
          const seen = observationOf(flow, side, await update(unconditional));
          if (unconditional) {
            await deps.testing.settle('missing');
            deps.log.warn(
              { event: 'capability', test: 'missing' },
              'PowerOffice does not take JSON Patch test: from now on a read comes before each write, and an edit within that moment can be overwritten',
            );
          }
          return await finish(seen);
        } catch (error) {
          if (!(error instanceof SystemError) || error.retryable) throw error;
          refusal = error;
        }
      }
      return refuse(link, side, String(refusal.status ?? refusal.failure), blamed(refusal, Object.keys(set)), refusal.text);
    }

    /** The write stands: history, then the link with its new base, in one document each. */
    async function finish(seen: Observation): Promise<Outcome> {
      await remember(
        link,
        side,
        assignments.map(({ property, why, instants, expected }) => ({
          property,
          why,
          ...(instants ? { instants } : {}),
          before: expected,
          after: seen.values[property] ?? null,
        })),
      );
      const base = { source: { ...link.base.source }, target: { ...link.base.target } };
      for (const each of assignments) {
        base[side][each.property] = seen.values[each.property] ?? null;
        if (each.from) base[across(side)][each.from.property] = each.from.value;
      }
      await store.write({ ...link, base, seen: { ...link.seen, [side]: seen } }, typesOf(flow));
      deps.log.info(
        {
          event: 'written',
          flow: link.flow,
          sourceId: link.sourceId,
          side,
          properties: assignments.map((each) => each.property),
          attempt: attempt.number,
        },
        'a record was written',
      );
      return { kind: 'written', seen };
    }
  }
}

/** The observation that an activity's own answer gave, although the watcher may have raised `seen` since. */
function asAnswered(stored: LinkDocument, side: Side, written: readonly string[]): Observation {
  const seen = stored.seen[side];
  if (!seen) throw new Error('the store has a write without its answer');
  const answered = written.map((property) => [property, stored.base[side][property] ?? null] as const);
  return { ...seen, values: { ...seen.values, ...Object.fromEntries(answered) } };
}

/** Equality as JSON Patch `test` has it: null is not the empty string. */
function sameRaw(a: Value, b: Value | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b ?? null);
}

/** The written properties that a refusal names; all of them where it names none. */
function blamed(error: SystemError, written: readonly string[]): string[] {
  const named = written.filter(
    (property) =>
      error.fields.some((field) => field.toLowerCase().endsWith(property.toLowerCase())) ||
      new RegExp(`\\b${property.replace(/[^\w]/g, '.')}\\b`, 'i').test(error.text),
  );
  return named.length > 0 ? named : [...written];
}
