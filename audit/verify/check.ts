import { candidateOf } from '../../activities/candidates.ts';
import { observationOf } from '../../activities/observation.ts';
import type { LinkDocument } from '../../store/documents.ts';
import type { Snapshot } from '../../connectors/connector.ts';
import { valuesMatch, conditionsHold } from '../../flows/valuesMatch.ts';
import { conditionsInWords, CONNECTED, type Flow, type Pair } from '../../flows/flow.ts';
import type { Installation } from '../../flows/installation.ts';
import { recordKey, systemTitle } from '../../flows/names.ts';
import type { Side } from '../../flows/side.ts';
import { sameValue, type Value } from '../../flows/values.ts';
import { gather, linkedBy, linkedKey, targetKey } from '../survey/keys.ts';
import { Tally, type Statement } from './statements.ts';

/** What there is of one flow: records of both sides, and the links of all flows. */
export interface Evidence {
  readonly flow: Flow;
  readonly installation: Installation;
  readonly sources: ReadonlyMap<string, Snapshot>;
  readonly targets: ReadonlyMap<string, Snapshot>;
  /** Links of this flow by source id. */
  readonly links: ReadonlyMap<string, LinkDocument>;
  /** Every live link, of any flow, by target type and id. */
  readonly byTarget: ReadonlyMap<string, readonly LinkDocument[]>;
  /** Records that are linked now, as references name them, with the system they are linked into. */
  readonly linked: ReadonlySet<string>;
}

const ENDED: Readonly<Record<string, string>> = {
  'target gone': 'whose partner was deleted, and the flow keeps it so',
  'unlinked by hand': 'unlinked by hand',
};

/** Checks one flow, statement by statement, against what both systems show; `shown` examples each. Pure. */
export function verifyFlow(evidence: Evidence, shown?: number): Statement[] {
  const { flow } = evidence;
  const words = namesOf(flow);
  return [
    ...relationTallies(evidence, words),
    doubled(evidence, words),
    wrongly(evidence, words),
    ...flow.properties.map((pair) => equal(evidence, pair)),
  ].map((tally) => tally.statement(shown));
}

/** Which records of the source are meant, where not all are. */
function scopeInWords(flow: Flow): string {
  if (flow.condition) return ` (${flow.condition.text})`;
  return flow.source.scope.length > 0 ? ` (${conditionsInWords(flow.source.scope)})` : '';
}

interface Names {
  readonly x: string;
  readonly y: string;
}

function namesOf(flow: Flow): Names {
  return {
    x: `${systemTitle(flow.source.system)} ${flow.source.type}`,
    y: `${systemTitle(flow.target.system)} ${flow.target.type}`,
  };
}

const inScope = (flow: Flow, side: Side, record: Snapshot): boolean => observationOf(flow, side, record).inScope;

/** A live link's target, where it is there. */
function partnerOf({ links, targets }: Evidence, id: string): Snapshot | undefined {
  const link = links.get(id);
  return link && link.ended === null && link.targetId !== null ? targets.get(link.targetId) : undefined;
}

function lacks({ links, targets }: Evidence, id: string, y: string): string {
  const link = links.get(id);
  if (!link) return 'it was never linked';
  if (link.status === 'blocked') return `blocked (${link.block?.code ?? 'unknown'}): ${link.block?.text ?? ''}`;
  if (link.status === 'paused') return 'paused by hand';
  if (link.targetId === null) return `no ${y} yet`;
  return targets.has(link.targetId) ? `its link ended: ${link.ended}` : `its ${y} is gone`;
}

/** The sentences on how a record gets its partner, each with the records it speaks of. */
function relationTallies(evidence: Evidence, { x, y }: Names): Tally[] {
  const { flow } = evidence;
  const tallies: Tally[] = [];
  const tally = (text: string): Tally => {
    const made = new Tally(flow.name, text);
    tallies.push(made);
    return made;
  };
  const free = freeCandidates(evidence);
  const scope = scopeInWords(flow);
  const creates = !['match', 'connected', 'match-or-connected'].includes(flow.relation);
  const one = creates ? tally(`Every ${x}${scope} has exactly one ${y}`) : null;
  const matched = flow.match.length > 0 && !creates ? tally(`Every ${x}${scope} with exactly one match has that ${y}`) : null;
  const connected = CONNECTED.includes(flow.relation)
    ? tally(
        `Every ${x}${scope} that refers to a linked ${flow.connected.map(({ type }) => type).join(' or ')} has exactly one ${y}`,
      )
    : null;
  for (const [id, record] of evidence.sources) {
    if (!inScope(flow, 'source', record)) continue;
    const partner = partnerOf(evidence, id);
    const candidate = candidateOf(flow, 'source', record);
    const by = candidate?.keys.map((key) => free.get(key) ?? []).find((found) => found.length > 0) ?? [];
    const refers = (candidate?.refs ?? []).some((ref) => evidence.linked.has(linkedKey(ref, flow.target.system)));
    // A record is spoken of by one sentence: that by which it should have its partner.
    const mine = one ?? (by.length === 1 && !partner ? matched : refers ? connected : partner ? (matched ?? connected) : null);
    if (!mine) continue;
    const ended = ENDED[evidence.links.get(id)?.ended ?? ''];
    if (partner) mine.hold();
    else if (ended !== undefined) mine.except(ended);
    else mine.break({ source: id, target: evidence.links.get(id)?.targetId ?? null, why: lacks(evidence, id, y) });
  }
  return tallies;
}

/** Target records by match key that belong to nobody. */
function freeCandidates({ flow, targets, byTarget }: Evidence): Map<string, string[]> {
  const found = new Map<string, string[]>();
  if (flow.match.length === 0) return found;
  for (const [id, record] of targets) {
    if (byTarget.has(targetKey(flow, id))) continue;
    for (const key of candidateOf(flow, 'target', record)?.keys ?? []) gather(found, key, id);
  }
  return found;
}

function doubled({ flow, installation, sources, targets, links, byTarget }: Evidence, { x, y }: Names): Tally {
  const tally = new Tally(flow.name, `No ${x} has two ${y} records, and no ${y} belongs to two`);
  const prefix = installation.externalId(flow, '');
  const made = new Map<string, string[]>();
  for (const [id, { externalId }] of targets)
    if (externalId?.startsWith(prefix)) gather(made, externalId.slice(prefix.length), id);
  for (const [id, link] of links) {
    if (link.ended !== null || link.targetId === null || !sources.has(id)) continue;
    const owners = byTarget.get(targetKey(flow, link.targetId)) ?? [];
    const others = (made.get(id) ?? []).filter((each) => each !== link.targetId);
    if (owners.length > 1)
      tally.break({
        source: id,
        target: link.targetId,
        why: `also linked with ${owners
          .filter((each) => each._id !== link._id)
          .map((each) => `${each.flow} ${each.sourceId}`)
          .join(', ')}`,
      });
    else if (others.length > 0)
      tally.break({ source: id, target: link.targetId, why: `${others.join(', ')} carries its external id, too` });
    else tally.hold();
  }
  return tally;
}

function wrongly({ flow, installation, sources, targets, links }: Evidence, { x, y }: Names): Tally {
  const tally = new Tally(flow.name, `Nothing is linked that should not be: both records are there, in scope, and each other's`);
  const prefix = installation.externalId(flow, '');
  for (const [id, link] of links) {
    if (link.ended !== null || link.targetId === null) continue;
    const source = sources.get(id);
    const target = targets.get(link.targetId);
    // A partner that is gone is told where every record has one.
    if (!target) continue;
    const owner = target.externalId?.startsWith(prefix) ? target.externalId.slice(prefix.length) : id;
    const why = !source
      ? `the ${x} is gone`
      : !inScope(flow, 'source', source)
        ? `the ${x} is out of scope`
        : !inScope(flow, 'target', target)
          ? `the ${y} is out of scope`
          : owner === id
            ? null
            : `the ${y} carries the external id of ${owner}`;
    if (why === null) tally.hold();
    else tally.break({ source: id, target: link.targetId, why });
  }
  return tally;
}

function equal(evidence: Evidence, pair: Pair): Tally {
  const { flow, sources } = evidence;
  const arrow = { both: '=', toTarget: '→', toSource: '←' }[pair.direction];
  const tally = new Tally(flow.name, `${flow.source.type}.${pair.source} ${arrow} ${flow.target.type}.${pair.target}`);
  for (const [id, record] of sources) {
    const target = partnerOf(evidence, id);
    if (!target || !inScope(flow, 'source', record)) continue;
    const values = { source: record.fields, target: target.fields };
    if (!conditionsHold(pair, values)) continue;
    const sourceValue: Value = record.fields[pair.source] ?? null;
    const targetValue: Value = target.fields[pair.target] ?? null;
    const link = evidence.links.get(id);
    if (valuesMatch(pair.type, sourceValue, targetValue)) tally.hold();
    else if (link && atRest(link, { pair, source: sourceValue, target: targetValue })) {
      // Agreed upon as it is: one of the systems trims, cuts or rewrites what it is given.
      tally.hold();
      tally.note('kept by one system in a form of its own');
    } else
      tally.break({
        source: id,
        target: target.id,
        sourceValue,
        targetValue,
        why: link?.conflicts.includes(pair.source)
          ? 'both were edited, and a person has to decide'
          : link?.status === 'blocked'
            ? `blocked: ${link.block?.text ?? link.block?.code ?? ''}`
            : link?.status === 'paused'
              ? 'paused by hand'
              : 'the values differ',
      });
  }
  return tally;
}

function atRest(
  link: LinkDocument,
  { pair, source, target }: { readonly pair: Pair; readonly source: Value; readonly target: Value },
): boolean {
  const known = pair.source in link.base.source && pair.target in link.base.target;
  return (
    known &&
    !link.conflicts.includes(pair.source) &&
    sameValue(link.base.source[pair.source], source) &&
    sameValue(link.base.target[pair.target], target)
  );
}

/** Puts what was read together for one flow. */
export function evidenceOf({
  flow,
  installation,
  sources,
  targets,
  links,
  flows,
}: Pick<Evidence, 'flow' | 'installation' | 'sources' | 'targets'> & {
  readonly links: readonly LinkDocument[];
  readonly flows: readonly Flow[];
}): Evidence {
  const byTarget = new Map<string, LinkDocument[]>();
  const linked = new Set<string>();
  const live = links.filter((link) => link.ended === null && link.targetId !== null);
  for (const link of live) {
    const of = flows.find((each) => each.name === link.flow);
    const system = link.targetSystem ?? of?.target.system ?? '';
    gather(byTarget, recordKey(system, link.targetType, link.targetId ?? ''), link);
    if (of) linked.add(linkedBy(of, link.sourceId));
  }
  const mine = links.filter((link) => link.flow === flow.name);
  return { flow, installation, sources, targets, links: new Map(mine.map((link) => [link.sourceId, link])), byTarget, linked };
}
