import { setTimeout as sleep } from 'node:timers/promises';
import { SystemError } from '../../connectors/systemError.ts';
import type { Snapshot } from '../../connectors/connector.ts';
import { valuesMatch } from '../../flows/valuesMatch.ts';
import { convert, type DataType } from '../../flows/convert.ts';
import { neededFields, type Flow, type Pair } from '../../flows/flow.ts';
import { linkKey, systemTitle } from '../../flows/names.ts';
import { across, SIDES, type Side } from '../../flows/side.ts';
import type { Value } from '../../flows/values.ts';
import type { Opened } from '../open.ts';
import { TandemError } from '../../flows/tandemError.ts';
import { Tally, type Statement } from './statements.ts';

/** How often to look whether an edit has arrived (ms). */
const LOOK_MS = 500;
/** How many times an edit that loses a race is tried. */
const TRIES = 5;

/** A pair that a person named: `<flow>:<source id>`. */
export function pairNamed(flows: readonly Flow[], text: string): { flow: Flow; sourceId: string } {
  const flow = flows.find(({ name }) => text.startsWith(`${name}:`));
  if (!flow) throw new TandemError(`"${text}" is not <flow>:<source id>; flows are ${flows.map(({ name }) => name).join(', ')}`);
  return { flow, sourceId: text.slice(flow.name.length + 1) };
}

/**
 * Edits one property on each side of a pair, waits until the other side shows it, and puts it back in the same way.
 * A value that did not arrive is put back all the same.
 */
export async function tryActiveEdit(
  opened: Opened,
  { flow, sourceId }: { readonly flow: Flow; readonly sourceId: string },
  timeoutMs: number,
): Promise<Statement[]> {
  const link = await opened.store.links.byKey(linkKey(flow.name, sourceId));
  if (!link || link.targetId === null || link.ended !== null)
    throw new TandemError(
      `flow ${flow.name} has no live pair for source ${sourceId}; \`tandem links --flow ${flow.name}\` lists some`,
    );
  const pair = flow.properties.find(({ direction, type, when }) => direction === 'both' && when.length === 0 && changeable(type));
  if (!pair) throw new TandemError(`flow ${flow.name} maps no property both ways whose value could be changed and put back`);
  const ids = { source: sourceId, target: link.targetId };
  const out: Statement[] = [];
  for (const side of SIDES) {
    const other = across(side);
    const what = `${systemTitle(flow[side].system)} ${flow[side].type}.${pair[side]}`;
    const tally = new Tally(flow.name, `An edit of ${what} arrives on the other side, and so does putting it back`);
    const before = (await readOne(opened, { flow, side, id: ids[side] })).fields[pair[side]] ?? null;
    const edited = another(before, side === 'target' ? pair.type : (pair.back ?? pair.type));
    try {
      for (const value of [edited, before]) {
        const now = await writeOne(opened, { flow, side, id: ids[side], pair, value });
        const seen = await arrival(opened, { flow, other, id: ids[other], pair, value: now, timeoutMs });
        if (seen === undefined) tally.hold();
        else
          tally.break({
            source: sourceId,
            target: link.targetId,
            ...(side === 'source' ? { sourceValue: now, targetValue: seen } : { sourceValue: seen, targetValue: now }),
            why: `not there after ${timeoutMs / 1000} s`,
          });
      }
    } catch (error) {
      // Whatever happened, the person's value comes back.
      await writeOne(opened, { flow, side, id: ids[side], pair, value: before }).catch(() => {});
      throw error;
    }
    out.push(tally.statement());
  }
  return out;
}

const changeable = (type: DataType): boolean => ['string', 'none', 'integer', 'float', 'decimal', 'boolean'].includes(type);

/** Another value of the same kind, a little longer or larger. */
function another(value: Value, type: DataType): Value {
  if (type === 'boolean') return convert(value, 'boolean') !== true;
  if (type === 'integer' || type === 'float') return Number(convert(value, 'float') ?? 0) + 1;
  if (type === 'decimal') return convert(Number(convert(value, 'float') ?? 0) + 1, 'decimal');
  const text = value === null ? '' : String(value);
  return text.endsWith('.') ? `${text}x` : `${text}.`;
}

const readOne = (
  { connectors }: Opened,
  { flow, side, id }: { readonly flow: Flow; readonly side: Side; readonly id: string },
): Promise<Snapshot> =>
  connectors[flow[side].system].read({ type: flow[side].type, id, fields: neededFields(flow, side) }, { priority: 'write' });

/** Writes as Tandem does, on the condition that nobody edited meanwhile; gives what the answer shows. */
async function writeOne(
  opened: Opened,
  {
    flow,
    side,
    id,
    pair,
    value,
  }: { readonly flow: Flow; readonly side: Side; readonly id: string; readonly pair: Pair; readonly value: Value },
): Promise<Value> {
  const connector = opened.connectors[flow[side].system];
  const property = pair[side];
  for (let tries = 1; ; tries++) {
    const now = await readOne(opened, { flow, side, id });
    try {
      const done = await connector.update(
        {
          type: flow[side].type,
          id,
          set: { [property]: value },
          condition: { test: { [property]: now.fields[property] ?? null }, etag: now.etag, version: now.version },
          fields: neededFields(flow, side),
        },
        { priority: 'write' },
      );
      return done.fields[property] ?? null;
    } catch (error) {
      if (!(error instanceof SystemError) || error.failure !== 'contended' || tries === TRIES) throw error;
      await sleep(connector.lagMs);
    }
  }
}

/** Waits until the other side shows a value; undefined once it does, else what it showed at last. */
async function arrival(
  opened: Opened,
  {
    flow,
    other,
    id,
    pair,
    value,
    timeoutMs,
  }: {
    readonly flow: Flow;
    readonly other: Side;
    readonly id: string;
    readonly pair: Pair;
    readonly value: Value;
    readonly timeoutMs: number;
  },
): Promise<Value | undefined> {
  for (const until = Date.now() + timeoutMs; ; await sleep(LOOK_MS)) {
    const seen = (await readOne(opened, { flow, side: other, id })).fields[pair[other]] ?? null;
    if (other === 'target' ? valuesMatch(pair.type, value, seen) : valuesMatch(pair.type, seen, value)) return undefined;
    if (Date.now() > until) return seen;
  }
}
