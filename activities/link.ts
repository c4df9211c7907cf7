import { neededFields, type Flow } from '../flows/flow.ts';
import { linkKey } from '../flows/names.ts';
import { across, SIDES, type Side } from '../flows/side.ts';
import { isNoValue, sameValue, sameValues, type Value, type Values } from '../flows/values.ts';
import type { LinkActivities, LinkRecord } from '../workflows/contract.ts';
import type { Assignment } from '../workflows/core/merge.ts';
import type { Found, Outcome } from '../workflows/core/outcome.ts';
import type { Observation } from '../workflows/core/state.ts';
import type { Deps } from './deps.ts';
import { holdBack } from './guard.ts';
import { externalIdOf, observationOf } from './observation.ts';
import { Paused, type Attempt } from './ports.ts';
import type { LinkDocument } from './store/documents.ts';
import { TargetTaken } from './store/store.ts';
import { SystemError } from './systems/errors.ts';
import type { Condition, Snapshot, System } from './systems/system.ts';

/** Between the two reads that must both show the expected value before `test` may count as missing (ms). */
const TEST_READS_APART_MS = 5500;
/** Clocks aside, a record that an earlier attempt made is not older than this before the activity (ms). */
const CREATED_SLACK_MS = 60_000;
/** A link that is blocked over several candidates looks for them so long before the block (ms). */
const AMBIGUOUS_SLACK_MS = 3600_000;
/** A CRM keeps an idempotency key for 24 h; trusted a little less (ms). */
const KEY_KEPT_MS = 23 * 3600_000;

/** How long a worker may take to notice that a flow or a system was paused or resumed (ms). */
const PAUSE_KNOWN_MS = 1000;

type Change = Pick<Assignment, 'property' | 'why' | 'instants'> & { before: Value; after: Value };
type Write = { link: LinkRecord; side: Side; assignments: readonly Assignment[] };

/** The link's activities. Each writes the store inside itself, under the link's revision. */
export function linkActivities(deps: Deps): LinkActivities {
  const { store, running, time } = deps;

  let paused: readonly string[] = [];
  let pausedAt = 0;

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
    const stored = await store.link(linkKey(link.flow, link.sourceId));
    return { stored, done: stored?.revision === link.revision, ahead: (stored?.revision ?? 0) > link.revision };
  }

  /** What another attempt of the same activity has stored already. */
  function stands(stored: LinkDocument, side: Side, written: readonly string[] | null): Outcome {
    if (stored.block)
      return { kind: 'refused', side: stored.block.side, code: stored.block.code, properties: stored.block.properties };
    const seen = stored.seen[side];
    if (!seen) throw new Error('the store has a write without its answer');
    // The watcher may have raised `seen` since, so the answer's values are the base that was stored with them.
    const base = stored.base[side];
    if (written !== null) return { kind: 'written', seen, base };
    return { kind: 'created', id: stored.targetId ?? '', seen, base, adopted: Object.keys(base).length === 0 };
  }

  /** Stores an outcome; where another attempt was first, or a newer revision, that one's word counts. */
  async function conclude(
    link: LinkRecord,
    outcome: Outcome,
    side: Side,
    written: readonly string[] | null,
    text: string | null = null,
  ): Promise<Outcome> {
    if (await store.write(link, typesOf(flowOf(link)), text)) return outcome;
    const { stored, done } = await before(link);
    if (stored && done) return stands(stored, side, written);
    return { kind: 'contended', found: {}, revision: stored?.revision ?? 0 };
  }

  /** A refusal that only a person or another value can mend: blocked, with the system's own text in the store alone. */
  async function refuse(
    link: LinkRecord,
    side: Side,
    code: string,
    properties: readonly string[],
    text: string,
    written: readonly string[] | null = null,
  ): Promise<Outcome> {
    const at = time.now();
    deps.log.warn({ event: 'blocked', flow: link.flow, sourceId: link.sourceId, side, code, properties }, 'a record is blocked');
    const outcome: Outcome = { kind: 'refused', side, code, properties };
    return conclude(
      { ...link, status: 'blocked', statusAt: at, ended: null, block: { code, side, properties, at } },
      outcome,
      side,
      written,
      text,
    );
  }

  async function remember(link: LinkRecord, side: Side, changes: readonly Change[], attempt: Attempt): Promise<void> {
    await store.remember(
      changes.map(({ property, why, before, after, instants }) => ({
        _id: historyId(link, property),
        link: linkKey(link.flow, link.sourceId),
        flow: link.flow,
        at: new Date(time.now()),
        side,
        attempt: attempt.number,
        property,
        why,
        before,
        after,
        ...(instants ? { instants } : {}),
      })),
    );
  }

  /** A paused flow or system holds its links back; what was edited meanwhile arrives afterwards. */
  async function gate(link: LinkRecord): Promise<void> {
    if (time.now() - pausedAt > PAUSE_KNOWN_MS) [paused, pausedAt] = [await store.paused(), time.now()];
    const flow = flowOf(link);
    const by = [flow.name, flow.source.system, flow.target.system].find((name) => paused.includes(name));
    if (by !== undefined) throw new Paused(by);
  }

  /** Refuses what would end, delete or blank very many records. */
  async function guarded(link: LinkRecord, side: Side, attempt: Attempt): Promise<Outcome | null> {
    const text = await holdBack(store, link.flow, time.now(), attempt.number === 1);
    return text === null ? null : refuse(link, side, 'held', [], text);
  }

  const gated = (link: LinkRecord, work: (attempt: Attempt) => Promise<Outcome>): Promise<Outcome> =>
    running(async (attempt) => {
      await gate(link);
      return work(attempt);
    });

  return {
    createRecord: (input) => gated(input.link, (attempt) => create(input.link, input.values, attempt)),
    writeRecord: (input) => gated(input.link, (attempt) => write(input, attempt)),

    readRecords: (input) =>
      gated(input.link, async (attempt) => {
        await time.sleep(lag(flowOf(input.link)), attempt.signal);
        const found = await readSides(input.link, input.sides, attempt);
        const key = linkKey(input.link.flow, input.link.sourceId);
        await store.raise(
          SIDES.flatMap((side) => (found[side] && found[side] !== 'gone' ? [{ key, side, seen: found[side] }] : [])),
        );
        return { kind: 'read', found };
      }),

    removeRecord: (input) =>
      gated(input.link, async (attempt) => {
        const { link, side } = input;
        const flow = flowOf(link);
        const held = await guarded(link, side, attempt);
        if (held) return held;
        try {
          await systemOf(flow, side).remove(flow[side].type, idOf(link, side), { priority: 'write', signal: attempt.signal });
        } catch (error) {
          if (!(error instanceof SystemError) || error.retryable) throw error;
          if (error.failure !== 'gone') return refuse(link, side, String(error.status ?? error.failure), [], error.text);
        }
        return { kind: 'removed' };
      }),

    storeLink: (input) =>
      running(async (attempt) => {
        const { stored, ahead } = await before(input.link);
        if (ahead) return { kind: 'read', found: {}, revision: stored?.revision ?? 0 };
        const ending = input.link.ended !== null && input.link.ended !== 'unlinked by hand' && stored?.ended !== input.link.ended;
        const held = ending ? await guarded(input.link, 'source', attempt) : null;
        if (held) return held;
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
    const identity = {
      externalId: externalIdOf(flow, link.sourceId),
      idempotencyKey: `tandem:${link.flow}:${link.sourceId}:${link.incarnation}:${link.revision}`,
    };

    const { stored, done, ahead } = await before(link);
    if (ahead) return { kind: 'contended', found: await readSides(link, ['source'], attempt), revision: stored?.revision ?? 0 };
    if (stored && done && (stored.block || stored.targetId !== null)) return stands(stored, 'target', null);
    const unclear = stored?.block?.code === 'ambiguous' ? stored.block.at - AMBIGUOUS_SLACK_MS : null;
    const again = attempt.number > 1 || unclear !== null;
    const options = { priority: 'write' as const, signal: attempt.signal, again };
    const since = (unclear ?? attempt.scheduledAt) - CREATED_SLACK_MS;
    const names = [...new Set([...fields, ...Object.keys(values)])];

    const lookUp = async (): Promise<readonly Snapshot[]> => {
      const found = await system.find(type, { externalId: identity.externalId, values, since }, names, options);
      if (system.features().externalId) return found;
      // Content alone may be another link's.
      const linked = await store.byTarget(
        type,
        found.map((each) => each.id),
      );
      return found.filter((each) => !linked.has(each.id));
    };

    let record: Snapshot | undefined;
    let found: readonly Snapshot[] = [];
    // The answer of an earlier attempt may be lost while its record is there: look before a second try, unless the system
    // itself knows the try again by its key.
    const known = system.features().idempotencyKey && time.now() - attempt.scheduledAt < KEY_KEPT_MS && unclear === null;
    if (again && (system.features().externalId || !known)) found = await lookUp();
    if (found.length === 0) {
      try {
        record = await system.create(type, values, fields, identity, options);
      } catch (error) {
        if (!(error instanceof SystemError) || error.retryable) throw error;
        // The external id, or the key with another body, may be taken by a record of our own from before.
        if (system.features().externalId && (error.status === 409 || error.status === 422)) found = await lookUp();
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
    const direct = again || !record ? await system.read(type, mine.id, names, options) : mine;
    const seen = observationOf(flow, 'target', direct);
    // Found after a lost answer: ours as we sent it, or as the system made of it, unless somebody has edited it since.
    const ours =
      direct.untouched === true || Object.keys(seen.values).every((name) => sameValue(values[name], seen.values[name]));
    const adopted = (!record || again) && !ours;
    const base = adopted
      ? { source: {}, target: {} }
      : {
          source: Object.fromEntries(flow.properties.map((pair) => [pair.source, link.seen.source?.values[pair.source] ?? null])),
          target: seen.values,
        };
    deps.log.info(
      { event: 'created', flow: link.flow, sourceId: link.sourceId, targetId: direct.id, attempt: attempt.number },
      'a record was created',
    );
    const next = { ...link, targetId: direct.id, base, seen: { ...link.seen, target: seen } };
    try {
      return await conclude(next, { kind: 'created', id: direct.id, seen, adopted }, 'target', null);
    } catch (error) {
      if (!(error instanceof TargetTaken)) throw error;
      return refuse(
        { ...link, targetId: null },
        'target',
        'taken',
        [],
        `${type} ${direct.id} is linked to another record already`,
      );
    }
  }

  async function write({ link, side, assignments }: Write, attempt: Attempt): Promise<Outcome> {
    const flow = flowOf(link);
    const system = systemOf(flow, side);
    const id = idOf(link, side);
    const fields = neededFields(flow, side);
    const planned = link.seen[side];
    if (!planned) throw new Error('a write needs an observation');

    const written = assignments.map((each) => each.property);
    const { stored, done, ahead } = await before(link);
    if (ahead) return { kind: 'contended', found: await readSides(link, SIDES, attempt), revision: stored?.revision ?? 0 };
    if (stored && done) return stands(stored, side, written);
    if (assignments.some((each) => isNoValue(each.value) && !isNoValue(each.expected))) {
      const held = await guarded(link, side, attempt);
      if (held) return held;
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

    // What a write overwrites is noted before it goes, so that no crash can lose it; a refusal takes the note back.
    await remember(
      link,
      side,
      changesTo((each) => each.value),
      attempt,
    );
    let noted = true;
    const unnote = async (): Promise<void> => {
      if (attempt.number > 1) return;
      noted = false;
      await store.forget(
        assignments.map((each) => historyId(link, each.property)),
        attempt.number,
      );
    };

    let answer: Snapshot;
    try {
      answer = await update(false);
    } catch (error) {
      if (!(error instanceof SystemError) || error.retryable) throw error;
      await unnote();
      if (error.failure === 'gone') return { kind: 'read', found: { [side]: 'gone' } };
      if (error.failure !== 'contended')
        return refuse(link, side, String(error.status ?? error.failure), blamed(error, written), error.text, written);
      return contended(error);
    }
    return finish(observationOf(flow, side, answer));

    /** A condition did not hold, or may not have: wait out the lag, read both sides, let the link merge again. */
    async function contended(refusal: SystemError): Promise<Outcome> {
      await time.sleep(lag(flow), attempt.signal);
      const found = await readSides(link, SIDES, attempt);
      const now = found[side];
      if (now === undefined || now === 'gone') return { kind: 'contended', found };
      // The value that an earlier attempt sent: its answer was lost, its effect was not. What a system made of that value
      // cannot be told from a person's edit, and counts as one: a conflict, in which nothing is lost.
      const ours = assignments.every((each) => sameValue(each.value, now.values[each.property]));
      if (attempt.number > 1 && ours) return finish(now);
      const ambiguous =
        refusal.status === 400 && now.inScope && assignments.every((each) => sameRaw(each.expected, now.values[each.property]));
      if (!ambiguous) return { kind: 'contended', found };

      // Everything looks as expected and yet it was refused: a stale replica, another rule, or no `test` at all.
      await time.sleep(TEST_READS_APART_MS, attempt.signal);
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
      return refuse(link, side, String(refusal.status ?? refusal.failure), blamed(refusal, written), refusal.text, written);
    }

    function changesTo(after: (each: Assignment) => Value): Change[] {
      return assignments.map((each) => ({
        property: each.property,
        why: each.why,
        before: each.expected,
        after: after(each),
        ...(each.instants ? { instants: each.instants } : {}),
      }));
    }

    /** The write stands: history, then the link with its new base, in one document each. */
    async function finish(seen: Observation): Promise<Outcome> {
      const after = (each: Assignment): Value => seen.values[each.property] ?? null;
      if (!noted || assignments.some((each) => after(each) !== each.value)) await remember(link, side, changesTo(after), attempt);
      const base = { source: { ...link.base.source }, target: { ...link.base.target } };
      for (const each of assignments) {
        base[side][each.property] = seen.values[each.property] ?? null;
        if (each.from) base[across(side)][each.from.property] = each.from.value;
      }
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
      return conclude({ ...link, base, seen: { ...link.seen, [side]: seen } }, { kind: 'written', seen }, side, written);
    }
  }
}

/** One document a link, revision and property. */
const historyId = (link: LinkRecord, property: string): string =>
  `${linkKey(link.flow, link.sourceId)}:${link.revision}:${property}`;

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
