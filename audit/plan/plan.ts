import { candidateOf } from '../../activities/candidates.ts';
import { newRecord, stateOf } from '../../workflows/linkRecord.ts';
import { isAsSent, observationOf, rulesOf } from '../../activities/observation.ts';
import type { LinkDocument } from '../../store/documents.ts';
import type { Snapshot } from '../../connectors/connector.ts';
import { CONNECTED, type Flow, type SystemName } from '../../flows/flow.ts';
import { feedKey, linkKey, recordKey } from '../../flows/names.ts';
import { flowsHash, type Operation, type Plan } from '../../flows/plan.ts';
import { notRun, type NotRun } from '../../worker/readFlows.ts';
import { SIDES } from '../../flows/side.ts';
import type { Values } from '../../flows/values.ts';
import { advance } from '../../workflows/core/lifecycle.ts';
import { observe } from '../../workflows/core/observe.ts';
import { applyOutcome, type Outcome } from '../../workflows/core/outcome.ts';
import type { LinkState } from '../../workflows/core/state.ts';
import { gather, isUnlinked, linkedBy, linkedKey, targetKey } from '../survey/keys.ts';
import type { Opened } from '../open.ts';
import { survey, unreadableIds, unreadableInWords, type Survey } from '../survey/survey.ts';

/** What a start would do with the records of one flow. */
export interface FlowPlan {
  readonly flow: string;
  readonly create: number;
  readonly link: number;
  /** Property values written, by side. */
  readonly change: { readonly source: number; readonly target: number };
  /** Pairs that are in step, and records out of scope. */
  readonly leave: number;
  /** Records that wait for a match or a reference. */
  readonly wait: number;
  /** Records that a person has to look at, with why. */
  readonly blocked: number;
  readonly examples: readonly { readonly sourceId: string; readonly what: string }[];
}

export interface Planned extends Plan {
  readonly summary: readonly FlowPlan[];
  /** Calls that the start itself makes, beside what this look cost. */
  readonly calls: Readonly<Record<SystemName, number>>;
  /** At the quota that is configured (minutes). */
  readonly minutes: number;
  readonly refused: readonly NotRun[];
  /** Records that are there and cannot be read, each with why: a start sets them aside until they can be. */
  readonly unreadable: readonly string[];
}

const SHOWN = 5;
/** No link takes more steps than this to settle. */
const STEPS = 20;

/** Foretells what a start would do, from what both systems and the store show now. Writes nothing. */
export async function makePlan(opened: Opened, onProgress: (records: number) => void = () => {}): Promise<Planned> {
  const { flows, connectors, store, config } = opened;
  const read = await survey(connectors, flows, onProgress);
  const links = await store.links.list();
  const forecast = new Forecast(opened, read, links);
  const summary = forecast.run();
  const calls = {
    powerOffice: read.pages.powerOffice + forecast.calls.powerOffice,
    crm: read.pages.crm + forecast.calls.crm,
  };
  return {
    version: 1,
    at: new Date().toISOString(),
    world: { ...opened.world },
    flows: flowsHash(flows),
    operations: forecast.operations,
    summary,
    calls,
    minutes: calls.powerOffice / config.POWEROFFICE_REQUESTS_PER_SECOND / 60,
    refused: notRun(opened.refused),
    unreadable: read.unreadable.map(unreadableInWords),
  };
}

type Fate = { readonly kind: 'leave' | 'wait' | 'blocked' | 'done'; readonly what: string };

class Forecast {
  readonly operations: Operation[] = [];
  readonly calls: Record<SystemName, number> = { powerOffice: 0, crm: 0 };
  readonly #opened: Opened;
  readonly #read: Survey;
  readonly #links: Map<string, LinkDocument>;
  /** Targets that belong to somebody, or will: type and id. */
  readonly #taken = new Set<string>();
  /** Records that are linked, or will be, as references name them, with the system they are linked into. */
  readonly #linked = new Set<string>();

  constructor(opened: Opened, read: Survey, links: readonly LinkDocument[]) {
    this.#opened = opened;
    this.#read = read;
    this.#links = new Map(links.map((link) => [link._id, link]));
    for (const link of links) {
      if (link.targetId === null) continue;
      const flow = opened.flows.find((each) => each.name === link.flow);
      this.#taken.add(recordKey(link.targetSystem ?? flow?.target.system ?? '', link.targetType, link.targetId));
      if (flow && link.ended === null) this.#linked.add(linkedBy(flow, link.sourceId));
    }
  }

  run(): FlowPlan[] {
    const fates = new Map<string, Map<string, Fate>>(this.#opened.flows.map(({ name }) => [name, new Map()]));
    // A record may wait for one that another flow links first: again, until nothing new comes of it.
    const follows = this.#opened.flows.some((flow) => flow.connected.length > 0);
    for (let open = true; open;) {
      open = false;
      for (const flow of this.#opened.flows) {
        const mine = fates.get(flow.name) ?? new Map<string, Fate>();
        for (const [id, record] of this.#read.records(flow.source.system, flow.source.type)) {
          const before = mine.get(id);
          if (before && before.kind !== 'wait') continue;
          const fate = this.#fate(flow, record);
          mine.set(id, fate);
          if (fate.kind === 'done') open = follows;
        }
      }
    }
    return this.#opened.flows.map((flow) => this.#summary(flow, fates.get(flow.name) ?? new Map()));
  }

  #summary(flow: Flow, fates: ReadonlyMap<string, Fate>): FlowPlan {
    const mine = this.operations.filter((each) => each.flow === flow.name);
    const count = (kind: Fate['kind']): number => [...fates.values()].filter((fate) => fate.kind === kind).length;
    const changes = mine.filter((each) => each.do === 'change');
    const examples = [...fates].filter(([, fate]) => fate.kind !== 'leave').map(([sourceId, { what }]) => ({ sourceId, what }));
    return {
      flow: flow.name,
      create: mine.filter((each) => each.do === 'create').length,
      link: mine.filter((each) => each.do === 'link').length,
      change: {
        source: changes.filter((each) => each.side === 'source').length,
        target: changes.filter((each) => each.side === 'target').length,
      },
      leave: count('leave'),
      wait: count('wait'),
      blocked: count('blocked'),
      examples: examples.slice(0, SHOWN),
    };
  }

  /** What becomes of one record of the source. */
  #fate(flow: Flow, record: Snapshot): Fate {
    const observation = observationOf(flow, 'source', record);
    const known = this.#links.get(linkKey(flow.name, record.id));
    if (!known && !observation.inScope) return { kind: 'leave', what: 'out of scope' };
    const rules = rulesOf(flow);
    if (!known || isUnlinked(known)) {
      const begun = newRecord({ flow: flow.name, rules, sourceId: record.id, seen: observation, now: Date.now() });
      return this.#begin(flow, stateOf(begun, rules), record);
    }
    if (known.ended !== null) return { kind: 'leave', what: `its link ended: ${known.ended}` };
    if (known.status === 'paused') return { kind: 'leave', what: 'paused by hand' };
    const target =
      known.targetId === null ? undefined : this.#read.records(flow.target.system, flow.target.type).get(known.targetId);
    if (!target && unreadableIds(this.#read.unreadable, flow.target).has(known.targetId ?? ''))
      return { kind: 'blocked', what: 'its partner cannot be read' };
    if (!target) return { kind: 'leave', what: 'its partner is gone: the link ends' };
    let state = stateOf(known, rules);
    state = observe(observe(state, { side: 'source', seen: observation }), {
      side: 'target',
      seen: observationOf(flow, 'target', target),
    });
    return this.#settle(flow, { ...state, block: null }, null);
  }

  /** A record without a partner: a match, a record of ours from before, a new one, or none for now. */
  #begin(flow: Flow, state: LinkState, record: Snapshot): Fate {
    const { step } = advance(state, Date.now());
    if (step.kind !== 'create') return this.#settle(flow, state, null);
    const match = this.#match(flow, record);
    if (match.kind === 'ambiguous') return { kind: 'blocked', what: match.what };
    if (match.kind === 'one') return this.#tie(flow, { state, target: match.record, matched: true });
    if (match.kind === 'none') return { kind: 'wait', what: match.what };
    const externalId = this.#opened.installation.externalId(flow, record.id);
    const ours = this.#opened.connectors[flow.target.system].features().externalId
      ? this.#byExternalId(flow).get(externalId)
      : undefined;
    if (ours && this.#taken.has(targetKey(flow, ours.id)))
      return { kind: 'blocked', what: `${flow.target.type} ${ours.id} carries its external id and is linked to another record` };
    // Its creation is refused, it is looked up by its external id and read.
    if (ours) {
      this.calls[flow.target.system] += 3;
      return this.#tie(flow, { state, target: ours, matched: false });
    }
    this.calls[flow.target.system] += 1;
    this.operations.push({ do: 'create', flow: flow.name, sourceId: record.id });
    this.#linked.add(linkedBy(flow, record.id));
    return { kind: 'done', what: `creates a ${flow.target.type}` };
  }

  #match(
    flow: Flow,
    record: Snapshot,
  ): { kind: 'one'; record: Snapshot } | { kind: 'create' } | { kind: 'none' | 'ambiguous'; what: string } {
    const { source, target } = this.#indexOf(flow);
    const candidate = candidateOf(flow, 'source', record);
    for (const key of candidate?.keys ?? []) {
      const found = (target.get(key) ?? []).filter(({ id }) => !this.#taken.has(targetKey(flow, id)));
      if (found.length === 0) continue;
      const rivals = (source.get(key) ?? []).filter(
        ({ id }) => id !== record.id && isUnlinked(this.#links.get(linkKey(flow.name, id))),
      );
      const [first] = found;
      if (found.length > 1) return { kind: 'ambiguous', what: `ambiguous: ${found.map(({ id }) => id).join(', ')} match` };
      if (rivals.length > 0)
        return { kind: 'ambiguous', what: `ambiguous: ${rivals.map(({ id }) => id).join(', ')} match the same ${first?.id}` };
      if (first) return { kind: 'one', record: first };
    }
    if (flow.relation === 'match') return { kind: 'none', what: 'waits for a match' };
    const refers = (candidate?.refs ?? []).some((ref) => this.#linked.has(linkedKey(ref, flow.target.system)));
    if (CONNECTED.includes(flow.relation) && !refers)
      return { kind: 'none', what: 'waits until a record it refers to is linked' };
    return { kind: 'create' };
  }

  readonly #external = new Map<string, Map<string, Snapshot>>();

  #byExternalId(flow: Flow): Map<string, Snapshot> {
    const key = feedKey(flow.target.system, flow.target.type);
    const known = this.#external.get(key);
    if (known) return known;
    const made = new Map<string, Snapshot>();
    for (const record of this.#read.records(flow.target.system, flow.target.type).values())
      if (record.externalId !== undefined) made.set(record.externalId, record);
    this.#external.set(key, made);
    return made;
  }

  readonly #indexes = new Map<string, Record<'source' | 'target', Map<string, Snapshot[]>>>();

  /** Records of both sides by match key, as they are before the start. */
  #indexOf(flow: Flow): Record<'source' | 'target', Map<string, Snapshot[]>> {
    const known = this.#indexes.get(flow.name);
    if (known) return known;
    const made = { source: new Map<string, Snapshot[]>(), target: new Map<string, Snapshot[]>() };
    for (const side of SIDES)
      for (const record of this.#read.records(flow[side].system, flow[side].type).values())
        for (const key of candidateOf(flow, side, record)?.keys ?? []) gather(made[side], key, record);
    this.#indexes.set(flow.name, made);
    return made;
  }

  /** An existing record becomes the partner; what differs is settled as the link would settle it. */
  #tie(
    flow: Flow,
    { state, target, matched }: { readonly state: LinkState; readonly target: Snapshot; readonly matched: boolean },
  ): Fate {
    const sourceId = state.source.id ?? '';
    this.#taken.add(targetKey(flow, target.id));
    this.#linked.add(linkedBy(flow, sourceId));
    this.operations.push({ do: 'link', flow: flow.name, sourceId, targetId: target.id });
    if (matched) this.calls[flow.target.system] += 1;
    const begun = advance(state, Date.now());
    const observation = observationOf(flow, 'target', target);
    const values: Values = begun.step.kind === 'create' ? begun.step.values : {};
    const ours = !matched && isAsSent(target, observation, values);
    const outcome: Outcome = {
      kind: 'created',
      id: target.id,
      seen: observation,
      adopted: !ours,
      ...(matched ? { matched } : {}),
      ...(ours ? { found: true } : {}),
    };
    const tied = applyOutcome(begun.state, { step: begun.step, outcome, now: Date.now() });
    return this.#settle(
      flow,
      tied,
      `links with ${flow.target.type} ${target.id}${matched ? ', which matches' : ', made by an earlier run'}`,
    );
  }

  /** Lets a link go on until it rests, as if each write were answered with what was sent. */
  #settle(flow: Flow, begun: LinkState, linked: string | null): Fate {
    let state = begun;
    const changes: string[] = [];
    for (let n = 0; n < STEPS; n++) {
      const { state: next, step } = advance(state, Date.now());
      state = next;
      if (step.kind === 'store') state = applyOutcome(state, { step, outcome: { kind: 'stored' }, now: Date.now() });
      else if (step.kind === 'write') {
        const seen = state[step.side].seen;
        if (!seen) break;
        this.calls[flow[step.side].system] += 1;
        for (const { property, expected, value } of step.assignments) {
          this.operations.push({
            do: 'change',
            flow: flow.name,
            sourceId: state.source.id ?? '',
            side: step.side,
            property,
            before: expected,
            after: value,
          });
          changes.push(`writes ${property} to the ${step.side}`);
        }
        const set = Object.fromEntries(step.assignments.map(({ property, value }) => [property, value]));
        // A written record is newer than it was.
        const answer = { ...seen, version: `${seen.version}+`, values: { ...seen.values, ...set } };
        state = applyOutcome(state, { step, outcome: { kind: 'written', seen: answer }, now: Date.now() });
      } else break;
    }
    if (state.status === 'blocked')
      return { kind: 'blocked', what: `blocked: ${state.block?.code} on ${state.block?.properties.join(', ')}` };
    if (state.status === 'conflict') return { kind: 'blocked', what: `conflict on ${state.conflicts.join(', ')}` };
    const what = [...(linked === null ? [] : [linked]), ...changes].join('; ');
    return what === '' ? { kind: 'leave', what: 'in step' } : { kind: 'done', what };
  }
}
