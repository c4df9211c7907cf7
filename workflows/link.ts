import {
  allHandlersFinished,
  condition,
  makeContinueAsNewFunc,
  defineQuery,
  defineSignal,
  defineUpdate,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { MESSAGES, PATCHES, SEARCH_ATTRIBUTES } from '../flows/names.ts';
import type { LinkActivities } from './contract.ts';
import { advance } from './core/lifecycle.ts';
import type { Outcome } from './core/outcome.ts';
import type { Step } from './core/step.ts';
import type { Message } from './core/receive.ts';
import { isMessage } from './core/isMessage.ts';
import type { LinkState } from './core/state.ts';
import { concluded, heard } from './compatibility.ts';
import { recordOf } from './linkRecord.ts';
import { detailsInWords, memoInWords, stepInWords } from './words.ts';

type MessageOf<K extends Message['kind']> = Extract<Message, { kind: K }>;

/** A feed saw other values than the link knows: a signal, since the feed must not wait. */
export const observed = defineSignal<[Omit<MessageOf<'observed'>, 'kind'>]>(MESSAGES.observed);
/** A record is missing from a list of ids; the link reads it before it believes so. */
export const vanished = defineSignal<[Omit<MessageOf<'vanished'>, 'kind'>]>(MESSAGES.vanished);
/** A person's request. */
export const steer = defineSignal<[Exclude<Message, MessageOf<'observed' | 'vanished'>>]>(MESSAGES.steer);
/** Answers when all that was arrived before is done: an update, since somebody waits. */
export const settled = defineUpdate<{ status: LinkState['status']; ended: LinkState['ended']; last: LinkState['last'] }>(
  MESSAGES.settled,
);
/** Reads both sides and brings them into step; `wait` answers when that is done. The same request again asks nothing twice. */
export const sync = defineUpdate<
  { status: LinkState['status']; ended: LinkState['ended'] },
  [{ readonly wait: boolean; readonly requestId?: string }]
>(MESSAGES.sync);
const BY_HAND = {
  pause: 'by hand: holds this link back; edits made meanwhile arrive after resume',
  resume: 'by hand: lets a paused link go on',
  retry: 'by hand: tries a blocked link again',
  sync: 'by hand: reads both sides and brings them into step',
} as const;
/** What a person may send by hand in the Temporal UI, without an argument; whatever is sent along is passed over. */
export const byHand = Object.entries(BY_HAND).map(([kind, description]) => ({ kind, description, signal: defineSignal(kind) }));
/** Asks a link to continue as new, so that its old history and the code that wrote it need be kept no longer. */
export const renew = defineSignal(MESSAGES.renew);
export const stateQuery = defineQuery<LinkState>(MESSAGES.state);

const STATUS = defineSearchAttributeKey(SEARCH_ATTRIBUTES.status, SearchAttributeType.KEYWORD);
const TARGET_ID = defineSearchAttributeKey(SEARCH_ATTRIBUTES.targetId, SearchAttributeType.KEYWORD);

/** A link continues as new once its history has more events: replaying one after a cache miss stays cheap. */
const RENEWED_AFTER_EVENTS = 200;

const activities = proxyActivities<LinkActivities>({
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

/** One linked pair of records, from the first sight of its source until the source is gone. */
export async function link(carried: LinkState): Promise<string> {
  let state = carried;
  let shown: Pick<LinkState, 'status' | 'ended'> & { targetId: string | null } = {
    status: carried.status,
    ended: carried.ended,
    targetId: carried.target.id,
  };
  const inbox: Message[] = [];
  let quiet = false;
  let renewalAsked = false;

  const take = (message: unknown): void => {
    if (isMessage(message)) inbox.push(message);
  };
  setHandler(observed, (message) => take({ ...message, kind: 'observed' }), { description: 'from a feed' });
  setHandler(vanished, (message) => take({ ...message, kind: 'vanished' }), { description: 'from a feed' });
  setHandler(steer, take, { description: 'from `tandem` and from services' });
  setHandler(stateQuery, () => state);
  setHandler(renew, () => void (renewalAsked = patched(PATCHES.renewal)), { description: 'from `tandem renew`' });
  setHandler(settled, async () => {
    // An update that starts a closed link asks whether its record is there after all.
    if (state.ended === 'source gone') inbox.push({ kind: 'sync' });
    await condition(() => quiet && inbox.length === 0);
    return { status: state.status, ended: state.ended, last: state.last };
  });

  setHandler(sync, async (request?: { readonly wait?: boolean; readonly requestId?: string } | null) => {
    const { wait = false, requestId } = request ?? {};
    const known = requestId !== undefined && state.requests?.some(({ id }) => id === requestId);
    if (!known) inbox.push({ kind: 'sync', ...(requestId === undefined ? {} : { requestId }) });
    if (wait) await condition(() => quiet && inbox.length === 0);
    return { status: state.status, ended: state.ended };
  });
  for (const { kind, signal, description } of byHand) setHandler(signal, () => take({ kind }), { description });

  for (;;) {
    for (const message of inbox.splice(0)) state = heard(state, message, Date.now());
    const next = advance(state, Date.now());
    state = next.state;
    show();
    const { continueAsNewSuggested: suggested, historyLength } = workflowInfo();
    // No await stands between the emptied inbox and the roll-over, so no message is dropped.
    if (suggested && allHandlersFinished()) await rollOver();
    const due = (suggested || renewalAsked || historyLength > RENEWED_AFTER_EVENTS) && patched(PATCHES.renewal);
    if (due && allHandlersFinished()) await rollOver();
    if (next.step.kind === 'close') {
      // Whoever waits is answered before the workflow closes, and may have asked for one more look.
      quiet = true;
      await condition(() => allHandlersFinished() || inbox.length > 0);
      quiet = false;
      if (inbox.length === 0) return `ended: ${state.ended}`;
      continue;
    }
    if (next.step.kind === 'wait') await rest(next.step.until, due);
    else state = concluded(state, { step: next.step, outcome: await perform(next.step), now: Date.now() });
  }

  /** The memo is handed on: by itself a new run gets the one from the very start. */
  function rollOver(): Promise<never> {
    return makeContinueAsNewFunc<typeof link>({ memo: memoInWords(state) })(state);
  }

  /** Until a message comes; where a roll-over is due, until those who wait are answered. */
  async function rest(until: number | null, due: boolean): Promise<void> {
    const wakes = (): boolean => inbox.length > 0 || ((due || renewalAsked) && allHandlersFinished());
    quiet = true;
    if (until === null) await condition(wakes);
    else await condition(wakes, Math.max(1, until - Date.now()));
    quiet = false;
  }

  function perform(step: Exclude<Step, { kind: 'wait' | 'close' }>): Promise<Outcome> {
    const options = { summary: stepInWords(state, step) };
    const record = recordOf(
      state,
      'what' in step ? { status: step.status, last: { what: step.what, at: Date.now() } } : undefined,
    );
    const input = { link: record, ...(state.world === undefined ? {} : { world: state.world }) };
    switch (step.kind) {
      case 'create':
        return activities.createRecord.executeWithOptions(options, [
          {
            ...input,
            values: step.values,
            ...(state.chosen === undefined ? {} : { chosen: state.chosen }),
            ...(state.recreates === true ? { recreates: true } : {}),
          },
        ]);
      case 'write':
        return activities.writeRecord.executeWithOptions(options, [{ ...input, side: step.side, assignments: step.assignments }]);
      case 'remove':
        return activities.removeRecord.executeWithOptions(options, [{ ...input, side: step.side }]);
      case 'read':
        return activities.readRecords.executeWithOptions(options, [{ ...input, sides: step.sides }]);
      case 'confirm':
        return activities.readRecords.executeWithOptions(options, [
          {
            ...input,
            sides: [step.side],
            ...(step.announced === true ? { announced: true } : {}),
            ...(step.list === true ? { list: true } : {}),
          },
        ]);
      case 'store':
        return activities.storeLink.executeWithOptions(options, [{ ...input }]);
    }
  }

  /** Upserts only between lasting statuses, each costs an action; details cost nothing. */
  function show(): void {
    setCurrentDetails(detailsInWords(state));
    if (shown.status === state.status && shown.ended === state.ended && shown.targetId === state.target.id) return;
    upsertSearchAttributes([
      { key: STATUS, value: state.status },
      { key: TARGET_ID, value: state.target.id },
    ]);
    upsertMemo(memoInWords(state));
    shown = { status: state.status, ended: state.ended, targetId: state.target.id };
  }
}
