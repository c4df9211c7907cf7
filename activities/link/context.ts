import { isPausedBy, neededFields, type Flow } from '../../flows/flow.ts';
import { historyKey, linkKey } from '../../flows/names.ts';
import { SIDES, type Side } from '../../flows/side.ts';
import type { Ends } from '../../flows/installation.ts';
import type { Value } from '../../flows/values.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import type { Assignment } from '../../workflows/core/merge.ts';
import type { Found, Outcome } from '../../workflows/core/outcome.ts';
import { isWaiting } from '../../workflows/core/state.ts';
import type { Deps } from '../deps.ts';
import { bulkChangeGuard, SameValueGuard, type BulkChange } from './bulkChangeGuard.ts';
import { newerObservations } from './news.ts';
import { judgeMissing } from './outage.ts';
import { writeAndWake } from './wakeReferring.ts';
import { observationOf, rulesOf } from '../observation.ts';
import type { Attempt } from '../ports.ts';
import type { LinkDocument } from '../../store/documents.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Connector, Snapshot } from '../../connectors/connector.ts';
import { codeOf, FLOW_PAUSED, ReadRefused } from './refusal.ts';

/** How long a worker may take to notice that a flow or a system was paused or resumed (ms). */
const PAUSE_KNOWN_MS = 1000;
/** So many attempts may meet a worker that does not have a flow while another starts with it; after them the link waits. */
const UNCONFIGURED_TRIES = 8;
/** Changes of which a process remembers that it has counted them. */
const MOST_COUNTED = 10_000;

/** Outcomes that say what a record holds. */
const READS: ReadonlySet<Outcome['kind']> = new Set(['created', 'written', 'contended', 'read']);

/** A change as the history keeps it. */
export type PropertyChange = Pick<Assignment, 'property' | 'why' | 'instants'> & { before: Value; after: Value };

/** Which side is read for which attempt, and whether a list of ids lacks it. */
interface Asked {
  readonly side: Side;
  readonly attempt: Attempt;
  readonly announced?: boolean | undefined;
}

/** An outcome on its way into the store. `written`: the properties of a write, null for anything else. */
interface Commit {
  readonly link: LinkRecord;
  readonly outcome: Outcome;
  readonly side: Side;
  readonly written?: readonly string[] | null;
  /** The system's own text, for the store alone. */
  readonly text?: string | null;
}

type Replayed = Pick<Commit, 'side' | 'written'>;

interface Refusal extends Omit<Commit, 'outcome' | 'text'> {
  readonly code: string;
  readonly properties?: readonly string[];
  readonly text: string;
}

interface Remembered {
  /** Before an answer is there. */
  readonly unanswered?: boolean;
  readonly link: LinkRecord;
  readonly side: Side;
  readonly changes: readonly PropertyChange[];
  readonly attempt: Attempt;
}

interface GuardedChange {
  readonly link: LinkRecord;
  readonly side: Side;
  readonly change: BulkChange;
}

export type LinkContext = ReturnType<typeof linkContext>;

/** What every activity of a link needs: its flow, its two systems, and the store's word on earlier attempts. */
// oxlint-disable-next-line max-lines-per-function -- a closure over flows, store and systems; each thing that an activity asks it for is a function of its own
export function linkContext(deps: Deps) {
  const { store, runAttempt, time } = deps;

  let paused: readonly string[] = [];
  let pausedAt = 0;

  function flowOf(link: Pick<LinkRecord, 'flow'>): Flow {
    const flow = deps.flows.find((each) => each.name === link.flow);
    if (!flow) throw new Error(`this worker does not run the flow ${link.flow}`);
    return flow;
  }
  const isConfigured = (link: Pick<LinkRecord, 'flow'>): boolean => deps.flows.some((each) => each.name === link.flow);
  /** Where a link's records are; the store knows it of a flow that is not configured any more. */
  async function endsOf(link: LinkRecord): Promise<Ends> {
    if (isConfigured(link)) return flowOf(link);
    const stored = await store.links.byKey(linkKey(link.flow, link.sourceId));
    const { sourceSystem, sourceType, targetSystem, targetType } = stored ?? {};
    if (!sourceSystem || !sourceType || !targetSystem || !targetType) return flowOf(link);
    return { source: { system: sourceSystem, type: sourceType }, target: { system: targetSystem, type: targetType } };
  }
  const connectorOf = (flow: Flow, side: Side): Connector => deps.connectors[flow[side].system];
  const idOf = (link: LinkRecord, side: Side): string => (side === 'source' ? link.sourceId : (link.targetId ?? ''));

  /** A 404 as the link may take it: whether a list of ids had announced it decides how much is needed to believe it. */
  function missed(link: LinkRecord, { side, attempt, announced = false }: Asked): Promise<'gone' | 'unsure'> {
    const flow = flowOf(link);
    return judgeMissing(store, {
      system: connectorOf(flow, side),
      type: flow[side].type,
      id: idOf(link, side),
      announced,
      now: time.now(),
      signal: attempt.signal,
    });
  }

  /** A record as it stands; what a 404 means of it, where it is missed. */
  async function readOrMiss(link: LinkRecord, asked: Asked): Promise<Snapshot | 'gone' | 'unsure'> {
    const { side, attempt } = asked;
    const flow = flowOf(link);
    try {
      const request = { type: flow[side].type, id: idOf(link, side), fields: neededFields(flow, side) };
      return await connectorOf(flow, side).read(request, { priority: 'write', signal: attempt.signal });
    } catch (error) {
      if (!(error instanceof SystemError) || error.retryable) throw error;
      if (error.failure === 'gone') return missed(link, asked);
      throw new ReadRefused(side, error);
    }
  }

  async function readSides(
    link: LinkRecord,
    { sides, attempt, announced = false }: Omit<Asked, 'side'> & { readonly sides: readonly Side[] },
  ): Promise<Partial<Record<Side, Found>>> {
    const there = sides.filter((side) => side === 'source' || link.targetId !== null);
    const found = await Promise.all(
      there.map(async (side): Promise<Found> => {
        const read = await readOrMiss(link, { side, attempt, announced });
        return typeof read === 'string' ? read : observationOf(flowOf(link), side, read);
      }),
    );
    return Object.fromEntries(there.map((side, i) => [side, found[i]]));
  }

  const lag = (flow: Flow): number => Math.max(...SIDES.map((side) => connectorOf(flow, side).lagMs));

  /** What the store says of an activity whose earlier attempt may have got through. */
  async function loadStored(link: LinkRecord): Promise<{ stored: LinkDocument | null; done: boolean; ahead: boolean }> {
    const stored = await store.links.byKey(linkKey(link.flow, link.sourceId));
    return { stored, done: stored?.revision === link.revision, ahead: (stored?.revision ?? 0) > link.revision };
  }

  /** What another attempt of the same activity has stored already, and what was seen since. */
  const replayStored = (link: LinkRecord, stored: LinkDocument, of: Replayed): Outcome => ({
    ...storedOutcome(link, stored, of),
    ...newerObservations(link, stored),
  });

  function storedOutcome(link: LinkRecord, stored: LinkDocument, { side, written = null }: Replayed): Outcome {
    if (stored.block && stored.block.at !== link.block?.at)
      return { kind: 'refused', side: stored.block.side, code: stored.block.code, properties: stored.block.properties };
    const seen = stored.seen[side];
    if (!seen) throw new Error('the store has a write without its answer');
    // The watcher may have raised `seen` since, so the answer's values are the base that was stored with them.
    const base = stored.base[side];
    if (written !== null) return { kind: 'written', seen, base };
    const pairs = flowOf(stored).properties.filter((pair) => pair.direction !== 'toSource');
    // One whose condition did not hold has no base either way.
    const sure = pairs.filter(({ when }) => when.length === 0);
    const carried = sure.length > 0 ? sure : pairs;
    // Its own creation left a base on the target for every pair; a record that was there before did not.
    const adopted = carried.some((pair) => !(pair.target in stored.base.target));
    const matched = adopted && SIDES.some((each) => Object.keys(stored.base[each]).length > 0);
    const found = !adopted && carried.some((pair) => !(pair.source in stored.base.source));
    return {
      kind: 'created',
      id: stored.targetId ?? '',
      seen,
      base,
      adopted,
      ...(matched ? { matched } : {}),
      ...(found ? { found } : {}),
    };
  }

  /** Stores an outcome; where another attempt was first, or a newer revision, that one's word counts. */
  async function commit({ link, outcome, side, written = null, text = null }: Commit): Promise<Outcome> {
    const now = await writeAndWake(deps, await endsOf(link), { link, text });
    if (now) return { ...outcome, ...newerObservations(link, now) };
    const { stored, done } = await loadStored(link);
    if (stored && done) return replayStored(link, stored, { side, written });
    return { kind: 'contended', found: {}, revision: stored?.revision ?? 0 };
  }

  /** A refusal that only a person or another value can mend: blocked, with the system's own text in the store alone. */
  async function refuse({ link, side, code, properties = [], text, written = null }: Refusal): Promise<Outcome> {
    const at = time.now();
    const waiting = isWaiting({ code });
    if (waiting)
      deps.log.info({ event: 'waiting', flow: link.flow, sourceId: link.sourceId, code }, 'a record waits for a partner');
    else
      deps.log.warn(
        { event: 'blocked', flow: link.flow, sourceId: link.sourceId, side, code, properties },
        'a record is blocked',
      );
    const status = waiting ? 'linking' : 'blocked';
    return commit({
      link: { ...link, status, statusAt: at, ended: null, block: { code, side, properties, at } },
      outcome: { kind: 'refused', side, code, properties },
      side,
      written,
      text,
    });
  }

  async function remember({ link, side, changes, attempt, unanswered = false }: Remembered): Promise<void> {
    await store.history.add(
      changes.map(({ property, why, before, after, instants }) => ({
        _id: historyKey(linkKey(link.flow, link.sourceId), link.revision, property),
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
        ...(unanswered ? { unanswered } : {}),
      })),
    );
  }

  /** Whether a person paused the flow, or one of its systems: its links wait, and what was edited meanwhile arrives afterwards. */
  async function isPaused(link: LinkRecord, { fresh = false } = {}): Promise<boolean> {
    const now = time.now();
    // A worker may sleep in the midst of it: what is read is as old as the question.
    if (fresh || now - pausedAt > PAUSE_KNOWN_MS) [paused, pausedAt] = [await store.limits.paused(), now];
    const flow = flowOf(link);
    return isPausedBy(flow, paused);
  }

  const sameValues = new SameValueGuard(store);
  const counted = new Set<string>();

  /** A first attempt may die before it counts: each process counts a change once, so that none passes uncounted. */
  function isCounted({ flow, sourceId, revision }: LinkRecord, change: BulkChange): boolean {
    const key = `${linkKey(flow, sourceId)} ${revision} ${typeof change === 'string' ? change : change.property}`;
    if (counted.has(key)) return true;
    if (counted.size > MOST_COUNTED) counted.clear();
    counted.add(key);
    return false;
  }

  /** Refuses what would end, delete, recreate, blank or make equal very many records, unless a person let this one pass. */
  async function guarded({ link, side, change }: GuardedChange): Promise<Outcome | null> {
    if (link.approved === true) return null;
    const asked = { flow: link.flow, now: time.now(), first: !isCounted(link, change) };
    const text =
      typeof change === 'string'
        ? await bulkChangeGuard(store, { ...asked, change })
        : await sameValues.check({ ...asked, ...change });
    return text === null
      ? null
      : refuse({ link, side, code: 'held', properties: [typeof change === 'string' ? change : change.property], text });
  }

  /** Workers of an edited flow come one after the other: what one has read by its rules goes to the link with them. */
  function byOwnRules(link: LinkRecord, outcome: Outcome): Outcome {
    if (!READS.has(outcome.kind)) return outcome;
    const rules = rulesOf(flowOf(link));
    return rules.hash === link.rules ? outcome : { ...outcome, rules };
  }

  /** `beforeHeld`: what an attempt still does that is held back, by a pause say. */
  const runUnlessPaused = (
    link: LinkRecord,
    work: (attempt: Attempt) => Promise<Outcome>,
    beforeHeld: (attempt: Attempt) => Promise<void> = () => Promise.resolve(),
  ): Promise<Outcome> =>
    runAttempt(async (attempt) => {
      if (attempt.number >= UNCONFIGURED_TRIES && !isConfigured(link)) {
        await beforeHeld(attempt);
        return refuse({ link, side: 'target', code: 'not-configured', text: `no worker has the flow ${link.flow}` });
      }
      if (await isPaused(link)) {
        await beforeHeld(attempt);
        return FLOW_PAUSED;
      }
      try {
        return byOwnRules(link, await work(attempt));
      } catch (error) {
        if (!(error instanceof ReadRefused)) throw error;
        const { side, refusal } = error;
        await beforeHeld(attempt);
        return refuse({ link, side, code: codeOf(refusal), text: refusal.text });
      }
    });

  return {
    deps,
    flowOf,
    endsOf,
    isConfigured,
    connectorOf,
    idOf,
    readOrMiss,
    readSides,
    missed,
    lag,
    loadStored,
    replayStored,
    commit,
    refuse,
    remember,
    guarded,
    isPaused,
    runUnlessPaused,
  };
}

/** Held back because the plan that this start keeps to says nothing of it. */
export const unplanned = (
  { refuse }: Pick<LinkContext, 'refuse'>,
  { link, side, written = null }: Pick<Refusal, 'link' | 'side' | 'written'>,
): Promise<Outcome> =>
  refuse({
    link,
    side,
    code: 'unplanned',
    properties: written ?? [],
    text: 'not in the plan that this start applies; a start without --apply-plan lets it go on',
    written,
  });
