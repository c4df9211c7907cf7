import type { Flow } from '../../flows/flow.ts';
import { across } from '../../flows/side.ts';
import type { LinkActivities, LinkRecord } from '../../workflows/contract.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import type { Deps } from '../deps.ts';
import type { Attempt } from '../ports.ts';
import { linkContext, type LinkContext } from './context.ts';
import { createRecord, noteUnanswered } from './create.ts';
import { readRecords } from './read.ts';
import { newerObservations } from './news.ts';
import { removeRecord } from './remove.ts';
import { writeAndWake } from './wakeReferring.ts';
import { noteOverwritten, orUnanswered, writeRecord } from './write.ts';

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

/** Why Tandem itself holds a link, where no system has said anything. */
function ownWords(block: LinkRecord['block']): string | null {
  if (block?.code === 'flow-paused') return 'the flow, or one of its systems, was paused by hand';
  if (block?.code === 'partner-gone')
    return 'the source was believed gone and is there after all, but its target is gone: `tandem retry` looks again, unlink and relink create it anew';
  return null;
}

/** A write; where it comes to nothing the link is told whether an earlier attempt may have got through. */
async function runWrite(context: LinkContext, input: Parameters<LinkActivities['writeRecord']>[0]): Promise<Outcome> {
  let attempts = 1;
  const counted = (attempt: Attempt): Attempt => {
    attempts = attempt.number;
    return attempt;
  };
  const outcome = await context.runUnlessPaused(
    input.link,
    (attempt) => writeRecord(context, input, counted(attempt)),
    (attempt) => noteOverwritten(context, input, counted(attempt)),
  );
  return orUnanswered(outcome, attempts);
}

/** The link's activities. Each writes the store inside itself, under the link's revision. */
export function linkActivities(deps: Deps): LinkActivities {
  const { runAttempt } = deps;
  const context = linkContext(deps);
  const { flowOf, endsOf, isConfigured, loadStored, guarded, isPaused, runUnlessPaused } = context;

  return {
    createRecord: (input) =>
      runUnlessPaused(
        input.link,
        (attempt) => createRecord(context, input, attempt),
        (attempt) => noteUnanswered(context, input, attempt),
      ),
    writeRecord: (input) => runWrite(context, input),

    // A read has no revision of its own; where it is refused, the refusal is stored under the next one.
    readRecords: async (input) => {
      const revision = input.link.revision + 1;
      const link = { ...input.link, revision };
      const outcome = await runUnlessPaused(link, (attempt) => readRecords(context, { ...input, link }, attempt));
      return outcome.kind === 'refused' && outcome.code !== 'flow-paused' ? { ...outcome, revision } : outcome;
    },

    removeRecord: (input) => runUnlessPaused(input.link, (attempt) => removeRecord(context, input, attempt)),

    storeLink: (input) =>
      runAttempt(async () => {
        const { stored, ahead } = await loadStored(input.link);
        if (ahead) return { kind: 'read', found: {}, revision: stored?.revision ?? 0 };
        // A deletion that Tandem made was counted as such.
        const ending =
          input.link.final !== true &&
          input.link.ended !== null &&
          input.link.ended !== 'unlinked by hand' &&
          stored?.ended !== input.link.ended;
        const held = ending ? await guarded({ link: input.link, side: 'source', change: 'end' }) : null;
        if (held) return held;
        // A blocked link keeps the text that came with its refusal.
        const waits = input.link.block?.code === 'flow-paused';
        const known = isConfigured(input.link);
        const cannot = known ? unconvertible(flowOf(input.link), input.link) : null;
        const text = ownWords(input.link.block) ?? cannot ?? stored?.block?.text ?? null;
        const now = await writeAndWake(deps, await endsOf(input.link), { link: input.link, text });
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
        // Whoever resumed before the store knew that this link waits has not woken it.
        if (waits && known && !(await isPaused(input.link, { fresh: true }))) await deps.links.signalRetry(input.link);
        // Where an earlier attempt was first, what was seen since is news all the same.
        const stands = now ?? (await loadStored(input.link)).stored;
        return { kind: 'stored', ...(stands ? newerObservations(input.link, stands) : {}) };
      }),
  };
}
