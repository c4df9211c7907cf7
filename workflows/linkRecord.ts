import type { Side } from '../flows/side.ts';
import type { LinkRecord } from './contract.ts';
import type { Instants, LinkState, Observation, Rules, SideState, Status } from './core/state.ts';

/** A record that was found gone by all the reads that it takes. */
const GONE = { reads: 2, nextAt: 0 } as const;

/** The record of a link that nothing is known of but its source: every link begins with it. */
export function newRecord({
  flow,
  rules,
  sourceId,
  seen,
  now,
}: {
  readonly flow: string;
  readonly rules: Pick<Rules, 'hash'>;
  readonly sourceId: string;
  readonly seen: Observation | null;
  readonly now: number;
}): LinkRecord {
  return {
    flow,
    sourceId,
    targetId: null,
    revision: 0,
    incarnation: 1,
    rules: rules.hash,
    status: 'linking',
    statusAt: now,
    ended: null,
    block: null,
    conflicts: [],
    last: null,
    base: { source: {}, target: {} },
    seen: { source: seen, target: null },
  };
}

/** A link's state as its record in the store says; for a link that is new, or whose workflow was lost. */
export function stateOf(record: LinkRecord, rules: Rules): LinkState {
  const side = (which: Side, id: string | null): SideState => {
    const seen = record.seen[which];
    const since: Record<string, Instants> = seen
      ? Object.fromEntries(Object.keys(seen.values).map((property) => [property, seen.at]))
      : {};
    const gone = record.ended === `${which} gone` ? GONE : null;
    return { id, seen, base: record.base[which], since, doubt: false, gone };
  };
  return {
    flow: record.flow,
    rules,
    revision: record.revision,
    incarnation: record.incarnation,
    source: side('source', record.sourceId),
    target: side('target', record.targetId),
    status: record.status,
    statusAt: record.statusAt,
    ended: record.ended,
    paused: record.status === 'paused' && record.block?.code !== 'flow-paused',
    block: blockOf(record),
    verdicts: {},
    conflicts: record.conflicts,
    stored: true,
    last: record.last,
    ...(record.final === true ? { final: true } : {}),
    ...(record.formerTargets === undefined ? {} : { formerTargets: record.formerTargets }),
  };
}

/** What stood in the way; a pause may be over, and whoever resumed could tell nobody. */
function blockOf({ block }: LinkRecord): LinkState['block'] {
  if (block === null || block.code === 'flow-paused') return null;
  const { code, side, properties, at } = block;
  return { code, side, properties, at };
}

/** The part of a link's state that the store keeps; `then` is what a step's success makes of it. */
export function recordOf(state: LinkState, then?: { status: Status; last: LinkState['last'] }): LinkRecord {
  return {
    flow: state.flow,
    sourceId: state.source.id ?? '',
    targetId: state.target.id,
    revision: state.revision,
    incarnation: state.incarnation,
    rules: state.rules.hash,
    status: then?.status ?? state.status,
    statusAt: then && then.status !== state.status ? (then.last?.at ?? state.statusAt) : state.statusAt,
    ended: then ? null : state.ended,
    // A refusal that the other side's write leaves standing.
    block: then && then.status !== 'blocked' ? null : state.block,
    conflicts: state.conflicts,
    last: then?.last ?? state.last,
    base: { source: state.source.base, target: state.target.base },
    seen: { source: state.source.seen, target: state.target.seen },
    ...(state.final === true ? { final: true } : {}),
    ...(state.formerTargets === undefined ? {} : { formerTargets: state.formerTargets }),
    ...(state.approved === true ? { approved: true } : {}),
    ...(state.source.back === undefined && state.target.back === undefined ? {} : { back: backOf(state) }),
  };
}

function backOf({ source, target }: LinkState): Partial<Record<Side, string>> {
  return {
    ...(source.back === undefined ? {} : { source: source.back }),
    ...(target.back === undefined ? {} : { target: target.back }),
  };
}
