import {
  allHandlersFinished,
  condition,
  makeContinueAsNewFunc,
  defineQuery,
  defineSignal,
  defineUpdate,
  patched,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { MESSAGES, PATCHES, SEARCH_ATTRIBUTES } from '../flows/names.ts';
import type { Message } from './core/receive.ts';
import { isMessage } from './core/isMessage.ts';
import type { LinkState } from './core/state.ts';
import { concluded, decided, heard } from './compatibility.ts';
import { perform } from './perform.ts';
import { detailsInWords, memoInWords } from './words.ts';

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

/** A link while it runs: what it knows, what it was told since, and what is shown of it. */
interface Running {
  state: LinkState;
  /** In the order in which it came; applied between two steps. */
  readonly inbox: Message[];
  /** Nothing is under way: whoever waits is answered. */
  quiet: boolean;
  renewalAsked: boolean;
  shown: Shown;
}

interface Shown extends Pick<LinkState, 'status' | 'ended'> {
  readonly targetId: string | null;
}

const shownOf = ({ status, ended, target }: LinkState): Shown => ({ status, ended, targetId: target.id });

/** One linked pair of records, from the first sight of its source until the source is gone. */
export async function link(carried: LinkState): Promise<string> {
  const running: Running = { state: carried, inbox: [], quiet: false, renewalAsked: false, shown: shownOf(carried) };
  listen(running);
  for (;;) {
    for (const message of running.inbox.splice(0)) running.state = heard(running.state, message, Date.now());
    const { state, step } = decided(running.state, Date.now());
    running.state = state;
    show(running);
    const { continueAsNewSuggested: suggested, historyLength } = workflowInfo();
    // No await stands between the emptied inbox and the roll-over, so no message is dropped.
    if (suggested && allHandlersFinished()) await rollOver(state);
    const due = (suggested || running.renewalAsked || historyLength > RENEWED_AFTER_EVENTS) && patched(PATCHES.renewal);
    if (due && allHandlersFinished()) await rollOver(state);
    if (step.kind === 'close') {
      if (await closes(running)) return `ended: ${running.state.ended}`;
    } else if (step.kind === 'wait') await rest(running, step.until, due);
    else running.state = concluded(running.state, { step, outcome: await perform(state, step), now: Date.now() });
  }
}

/** Takes in what a link is told, and answers those who ask. */
function listen(running: Running): void {
  const { inbox } = running;
  const take = (message: unknown): void => {
    if (isMessage(message)) inbox.push(message);
  };
  const allIsDone = (): boolean => running.quiet && inbox.length === 0;
  setHandler(observed, (message) => take({ ...message, kind: 'observed' }), { description: 'from a feed' });
  setHandler(vanished, (message) => take({ ...message, kind: 'vanished' }), { description: 'from a feed' });
  setHandler(steer, take, { description: 'from `tandem` and from services' });
  setHandler(stateQuery, () => running.state);
  setHandler(renew, () => void (running.renewalAsked = patched(PATCHES.renewal)), { description: 'from `tandem renew`' });
  setHandler(settled, async () => {
    // An update that starts a closed link asks whether its record is there after all.
    if (running.state.ended === 'source gone') inbox.push({ kind: 'sync' });
    await condition(allIsDone);
    const { status, ended, last } = running.state;
    return { status, ended, last };
  });
  setHandler(sync, async (request?: { readonly wait?: boolean; readonly requestId?: string } | null) => {
    const { wait = false, requestId } = request ?? {};
    const known = requestId !== undefined && running.state.requests?.some(({ id }) => id === requestId);
    if (!known) inbox.push({ kind: 'sync', ...(requestId === undefined ? {} : { requestId }) });
    if (wait) await condition(allIsDone);
    const { status, ended } = running.state;
    return { status, ended };
  });
  for (const { kind, signal, description } of byHand) setHandler(signal, () => take({ kind }), { description });
}

/** Upserts only between lasting statuses, each costs an action; details cost nothing. */
function show(running: Running): void {
  const { state, shown } = running;
  setCurrentDetails(detailsInWords(state));
  if (shown.status === state.status && shown.ended === state.ended && shown.targetId === state.target.id) return;
  upsertSearchAttributes([
    { key: STATUS, value: state.status },
    { key: TARGET_ID, value: state.target.id },
  ]);
  upsertMemo(memoInWords(state));
  running.shown = shownOf(state);
}

/** The memo is handed on: by itself a new run gets the one from the very start. */
function rollOver(state: LinkState): Promise<never> {
  return makeContinueAsNewFunc<typeof link>({ memo: memoInWords(state) })(state);
}

/** Until a message comes; where a roll-over is due, until those who wait are answered. */
async function rest(running: Running, until: number | null, due: boolean): Promise<void> {
  const { inbox } = running;
  const wakes = (): boolean => inbox.length > 0 || ((due || running.renewalAsked) && allHandlersFinished());
  running.quiet = true;
  if (until === null) await condition(wakes);
  else await condition(wakes, Math.max(1, until - Date.now()));
  running.quiet = false;
}

/** Whoever waits is answered before the workflow closes, and may have asked for one more look. */
async function closes(running: Running): Promise<boolean> {
  const { inbox } = running;
  running.quiet = true;
  await condition(() => allHandlersFinished() || inbox.length > 0);
  running.quiet = false;
  return inbox.length === 0;
}
