import { longestPause, pollSecondsOf } from '../../worker/pollSeconds.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemError } from '../../connectors/systemError.ts';
import type { Snapshot } from '../../connectors/connector.ts';
import type { LinkDocument } from '../../store/documents.ts';
import { neededFields, type Flow } from '../../flows/flow.ts';
import { linkKey } from '../../flows/names.ts';
import { notRun, type NotRun } from '../../worker/readFlows.ts';
import { SIDES, type Side } from '../../flows/side.ts';
import type { Opened } from '../open.ts';
import { survey, unreadableIds, type UnreadableRecord } from '../survey/survey.ts';
import { verifyFlow, evidenceOf } from './check.ts';
import { SHOWN, type Example, type Statement } from './statements.ts';

/** What a verification found. */
export interface Verification {
  readonly at: string;
  readonly document: { readonly source: string; readonly target: string; readonly generated: string } | null;
  readonly world: Opened['world'];
  readonly records: number;
  readonly calls: Readonly<Record<string, number>>;
  readonly statements: readonly Statement[];
  /** Records that are there and cannot be read: no statement speaks of them. */
  readonly unreadable: readonly UnreadableRecord[];
  /** Sections of the document that do not run, so that nothing could be checked. */
  readonly refused: readonly NotRun[];
}

/** Cases that are looked at once more before they count; beyond so many the picture is clear. */
const SECOND_LOOKS = 200;
/** Between the first look and the second, besides a poll and the systems' lag (ms). */
const SETTLING_MS = 1500;
/** A slow type's feed is waited for, and hardly more (ms). */
const LONGEST_WAIT_MS = 360_000;

/**
 * Reads both systems in full and checks every statement of the flows. What looks broken is read once more, directly
 * and after a poll has passed, since an edit may have been on its way. Writes nothing.
 */
export async function verify(
  opened: Opened,
  chosen: readonly Flow[] = opened.flows,
  onProgress: (done: number, all: number) => void = () => {},
): Promise<Verification> {
  const { flows, connectors, store, installation } = opened;
  const expected = Math.max(1, 2 * (await store.links.count()));
  let records = 0;
  const read = await survey(connectors, chosen, (done) => onProgress((records = done), Math.max(expected, done)));
  const sides = new Map(
    chosen.map((flow) => [
      flow.name,
      {
        source: new Map(read.records(flow.source.system, flow.source.type)),
        target: new Map(read.records(flow.target.system, flow.target.type)),
      },
    ]),
  );
  const check = async (): Promise<Map<string, Statement[]>> => {
    // Of all flows: a target may belong to another one's link, and a reference lead to it.
    const links = await store.links.list({ flow: flows.map(({ name }) => name) });
    return new Map(
      chosen.map((flow) => {
        const { source, target } = sides.get(flow.name) ?? { source: new Map(), target: new Map() };
        const evidence = evidenceOf({ flow, installation, sources: source, targets: target, links, flows });
        const found = verifyFlow(evidence, Number.POSITIVE_INFINITY);
        return [flow.name, withoutUnreadable(found, { flow, links, unreadable: read.unreadable })];
      }),
    );
  };
  let statements = await check();
  const calls: Record<string, number> = { ...read.pages };
  const broken = [...statements.values()].flat().reduce((sum, each) => sum + each.broken, 0);
  if (broken > 0 && broken <= SECOND_LOOKS) {
    await readBrokenAgain(opened, { chosen, statements, sides, calls });
    statements = await check();
  }
  const shown = [...statements.values()].flat().map((each) => ({ ...each, examples: each.examples.slice(0, SHOWN) }));
  return {
    at: new Date().toISOString(),
    document: opened.document && {
      source: opened.document.source,
      target: opened.document.target,
      generated: opened.document.generated,
    },
    world: opened.world,
    records,
    calls,
    statements: shown,
    unreadable: read.unreadable,
    refused: notRun(opened.refused),
  };
}

/** What looks broken because one of its records cannot be read is neither held nor broken. */
function withoutUnreadable(
  statements: readonly Statement[],
  {
    flow,
    links,
    unreadable,
  }: { readonly flow: Flow; readonly links: readonly LinkDocument[]; readonly unreadable: readonly UnreadableRecord[] },
): Statement[] {
  if (unreadable.length === 0) return [...statements];
  const ids = { source: unreadableIds(unreadable, flow.source), target: unreadableIds(unreadable, flow.target) };
  const targets = new Map(links.filter((link) => link.flow === flow.name).map((link) => [link.sourceId, link.targetId]));
  const sources = new Map([...targets].map(([source, target]) => [target, source]));
  const isUnreadable = ({ source, target }: Example): boolean =>
    [source, sources.get(target)].some((id) => ids.source.has(id ?? '')) ||
    [target, targets.get(source ?? '')].some((id) => ids.target.has(id ?? ''));
  return statements.map((each) => {
    const examples = each.examples.filter((example) => !isUnreadable(example));
    const left = each.examples.length - examples.length;
    if (left === 0) return each;
    const note = [...(each.note === null ? [] : [each.note]), `${left} with a record that cannot be read`].join('; ');
    return { ...each, examples, note, checked: each.checked - left, broken: each.broken - left, excepted: each.excepted + left };
  });
}

/** Records of both sides of each flow, by flow, side and id. */
type Surveyed = ReadonlyMap<string, Record<Side, Map<string, Snapshot>>>;

/** Reads what looks broken once more, directly, after a poll has passed; what is found replaces what the survey had read. */
async function readBrokenAgain(
  opened: Opened,
  given: {
    readonly chosen: readonly Flow[];
    readonly statements: ReadonlyMap<string, Statement[]>;
    readonly sides: Surveyed;
    readonly calls: Record<string, number>;
  },
): Promise<void> {
  const { chosen, statements, sides, calls } = given;
  const { connectors } = opened;
  const catalogues = Object.values(connectors).map((connector) => connector.catalogue);
  const lag = Math.max(...Object.values(connectors).map((connector) => connector.lagMs));
  const pause = longestPause(pollSecondsOf(opened.config.TANDEM_POLL_SECONDS, catalogues), chosen);
  await sleep(Math.min(LONGEST_WAIT_MS, pause * 1000) + lag + SETTLING_MS);
  for (const flow of chosen)
    for (const example of casesOf(statements.get(flow.name) ?? []))
      for (const side of SIDES) {
        const again = await lookAgain(opened, { flow, side, example, link: await linkOf(opened, flow, example) });
        if (!again) continue;
        calls[flow[side].system] = (calls[flow[side].system] ?? 0) + 1;
        const sideRecords = sides.get(flow.name)?.[side];
        if (again.record) sideRecords?.set(again.id, again.record);
        else sideRecords?.delete(again.id);
      }
}

/** Each broken case once, however many statements it breaks. */
function casesOf(statements: readonly Statement[]): Example[] {
  const all = statements.flatMap((each) => each.examples);
  return [...new Map(all.map((each) => [`${each.source} ${each.target}`, each])).values()];
}

function linkOf({ store }: Opened, flow: Flow, { source }: Example): Promise<LinkDocument | null> {
  return source === null ? Promise.resolve(null) : store.links.byKey(linkKey(flow.name, source));
}

/** A direct read of one side of a case; null where the case has no such record. */
async function lookAgain(
  { connectors }: Opened,
  {
    flow,
    side,
    example,
    link,
  }: { readonly flow: Flow; readonly side: Side; readonly example: Example; readonly link: LinkDocument | null },
): Promise<{ id: string; record: Snapshot | null } | null> {
  const id = side === 'source' ? example.source : (link?.targetId ?? example.target);
  if (id === null) return null;
  const { system, type } = flow[side];
  try {
    return { id, record: await connectors[system].read({ type, id, fields: neededFields(flow, side) }, { priority: 'sweep' }) };
  } catch (error) {
    if (error instanceof SystemError && error.failure === 'gone') return { id, record: null };
    throw error;
  }
}
