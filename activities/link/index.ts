import { linkKey } from '../../flows/names.ts';
import type { Flow } from '../../flows/flow.ts';
import { across, SIDES } from '../../flows/side.ts';
import type { LinkActivities, LinkRecord } from '../../workflows/contract.ts';
import type { Deps } from '../deps.ts';
import { linkContext } from './context.ts';
import { createRecord } from './create.ts';
import { removeRecord } from './remove.ts';
import { writeRecord } from './write.ts';

/** What stands in the way of a value that the other side's type cannot express; names record, property and value. */
function unconvertible(flow: Flow, { block, seen, sourceId, targetId }: LinkRecord): string | null {
  const [property] = block?.properties ?? [];
  if (block?.code !== 'type' || property === undefined) return null;
  const { side } = block;
  const pair = flow.properties.find((each) => each[side] === property);
  const type = side === 'source' ? pair?.type : (pair?.back ?? pair?.type);
  const value = JSON.stringify(seen[side]?.values[property] ?? null);
  return `${flow[side].type} ${side === 'source' ? sourceId : targetId}: ${property} is ${value}, which is no ${type}; ${pair?.[across(side)]} takes nothing else`;
}

/** The link's activities. Each writes the store inside itself, under the link's revision. */
export function linkActivities(deps: Deps): LinkActivities {
  const { store, runAttempt, time } = deps;
  const context = linkContext(deps);
  const { flowOf, typesOf, readSides, lag, loadStored, guarded, runUnlessPaused, newerObservations } = context;

  return {
    createRecord: (input) => runUnlessPaused(input.link, (attempt) => createRecord(context, input, attempt)),
    writeRecord: (input) => runUnlessPaused(input.link, (attempt) => writeRecord(context, input, attempt)),

    readRecords: (input) =>
      runUnlessPaused(input.link, async (attempt) => {
        await time.sleep(lag(flowOf(input.link)), attempt.signal);
        const found = await readSides(input.link, input.sides, attempt);
        const key = linkKey(input.link.flow, input.link.sourceId);
        await store.links.raise(
          SIDES.flatMap((side) => (found[side] && found[side] !== 'gone' ? [{ key, side, seen: found[side] }] : [])),
        );
        return { kind: 'read', found };
      }),

    removeRecord: (input) => runUnlessPaused(input.link, (attempt) => removeRecord(context, input, attempt)),

    storeLink: (input) =>
      runAttempt(async (attempt) => {
        const { stored, ahead } = await loadStored(input.link);
        if (ahead) return { kind: 'read', found: {}, revision: stored?.revision ?? 0 };
        const ending = input.link.ended !== null && input.link.ended !== 'unlinked by hand' && stored?.ended !== input.link.ended;
        const held = ending ? await guarded(input.link, 'source', attempt) : null;
        if (held) return held;
        // A blocked link keeps the text that came with its refusal.
        const text = unconvertible(flowOf(input.link), input.link) ?? stored?.block?.text ?? null;
        const now = await store.links.write(input.link, typesOf(flowOf(input.link)), text);
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
        return { kind: 'stored', ...(now ? newerObservations(input.link, now) : {}) };
      }),
  };
}
