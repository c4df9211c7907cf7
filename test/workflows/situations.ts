import assert from 'node:assert/strict';
import { GONE_UNANNOUNCED_MS } from '../../workflows/core/absence.ts';
import { advance } from '../../workflows/core/lifecycle.ts';
import { applyOutcome, type Outcome } from '../../workflows/core/outcome.ts';
import { receive, type Message } from '../../workflows/core/receive.ts';
import type { LinkState, Rules } from '../../workflows/core/state.ts';
import type { Decision, Step } from '../../workflows/core/step.ts';
import { begin } from './begin.ts';
import { inStep, NOW, RULES, seen } from './links.ts';

/** The instant at which a message or an answer comes. */
export const LATER = NOW + 60_000;
const SOURCE = { FirstName: 'Kari', LastName: 'Lie' };
const TARGET = { givenName: 'Kari', familyName: 'Lie' };
const EDITED_SOURCE = seen(2, { FirstName: 'Eva', LastName: 'Lie' });
const EDITED_TARGET = seen(2, { givenName: 'Siv', familyName: 'Lie' });
const ASKING: Rules = { ...RULES, pairs: RULES.pairs.map((pair) => ({ ...pair, policy: 'ask' })) };

type Refused = Extract<Outcome, { kind: 'refused' }>;
const refused = (code: string, side: 'source' | 'target' = 'target'): Refused => ({
  kind: 'refused',
  side,
  code,
  properties: [],
});

/** Carries out the steps of a link until it rests, as if each were answered in the simplest way. */
function settled(state: LinkState): LinkState {
  let { state: next, step } = advance(state, NOW);
  while (step.kind === 'store') {
    next = applyOutcome(next, { step, outcome: { kind: 'stored' }, now: NOW });
    ({ state: next, step } = advance(next, NOW));
  }
  assert.ok(step.kind === 'wait' || step.kind === 'close', step.kind);
  return next;
}

function answered(state: LinkState, ...outcomes: readonly Outcome[]): LinkState {
  let now = state;
  for (const outcome of outcomes) {
    const { state: next, step } = advance(now, NOW);
    now = applyOutcome(next, { step, outcome, now: NOW });
  }
  return now;
}

const told = (state: LinkState, ...messages: readonly Message[]): LinkState =>
  messages.reduce((now, message) => receive(now, message, NOW), state);
const sourceEdited: Message = { kind: 'observed', side: 'source', id: '1/2', seen: EDITED_SOURCE };
const targetEdited: Message = { kind: 'observed', side: 'target', id: 'c1', seen: EDITED_TARGET };
const vanished = (side: 'source' | 'target'): Message => ({ kind: 'vanished', side });
/** Two reads in a row that miss a record which a list had announced. */
function gone(rules: Rules, side: 'source' | 'target'): LinkState {
  let state = told(inStep(rules), vanished(side));
  for (const at of [NOW - 20_000, NOW - 10_000]) {
    const { state: next, step } = advance(
      { ...state, [side]: { ...state[side], gone: { ...state[side].gone, nextAt: at } } },
      at,
    );
    state = applyOutcome(next, { step, outcome: { kind: 'read', found: { [side]: 'gone' } }, now: at });
  }
  return state;
}
/** A record that is back, whose partner two reads have missed, as far apart as a 404 must last. */
function partnerGone(): LinkState {
  let state = told(settled(gone(RULES, 'source')), { ...sourceEdited, regressed: true } as Message);
  for (const at of [NOW - GONE_UNANNOUNCED_MS, NOW]) {
    const { state: next, step } = advance(state, at);
    const outcome: Outcome = { kind: 'read', found: { source: EDITED_SOURCE, target: 'gone' } };
    state = applyOutcome(next, { step, outcome, now: at });
  }
  return state;
}
const fresh = (): LinkState => begin({ rules: RULES, sourceId: '1/2', seen: seen(1, SOURCE), now: NOW });

/** Every status of a link, and within it what makes it act otherwise; each as the core itself comes to it. */
export const SITUATIONS: Readonly<Record<string, LinkState>> = {
  linking: fresh(),
  'linking: waits for a match': settled(answered(fresh(), refused('unmatched'))),
  'in-step': settled(inStep()),
  conflict: settled(told(inStep(ASKING), sourceEdited, targetEdited)),
  'blocked: a value': settled(answered(told(inStep(), sourceEdited), refused('422'))),
  'blocked: no target yet': settled(answered(fresh(), refused('409'))),
  'blocked: held': settled(answered(told(inStep(), sourceEdited), refused('held'))),
  'blocked: partner gone': settled(partnerGone()),
  'paused: by hand': settled(told(inStep(), { kind: 'pause' })),
  'paused: its flow': settled(answered(told(inStep(), sourceEdited), refused('flow-paused'))),
  'ended: out of scope': settled(
    told(inStep(), { kind: 'observed', side: 'source', id: '1/2', seen: seen(2, SOURCE, { inScope: false }) }),
  ),
  'ended: unlinked by hand': settled(told(inStep(), { kind: 'unlink' })),
  'ended: target gone': settled(gone(RULES, 'target')),
  'ended: source gone': settled(gone(RULES, 'source')),
  'ended: source gone, by Tandem': settled(
    answered(gone({ ...RULES, onTargetDeleted: 'delete' }, 'target'), { kind: 'removed' }),
  ),
};

/** Every message, and the observations that differ. */
export const TOLD: Readonly<Record<string, Message>> = {
  'the source was edited': { kind: 'observed', side: 'source', id: '1/2', seen: seen(5, { FirstName: 'Ada', LastName: 'Lie' }) },
  'the target was edited': { kind: 'observed', side: 'target', id: 'c1', seen: seen(5, { givenName: 'Ada', familyName: 'Lie' }) },
  'the source as it was': { kind: 'observed', side: 'source', id: '1/2', seen: seen(1, SOURCE) },
  'an older source': { kind: 'observed', side: 'source', id: '1/2', seen: seen(0, { FirstName: 'Old', LastName: 'Lie' }) },
  'a list shows an older source': {
    kind: 'observed',
    side: 'source',
    id: '1/2',
    seen: seen(0, { FirstName: 'Old', LastName: 'Lie' }),
    regressed: true,
  },
  'the source left the scope': { kind: 'observed', side: 'source', id: '1/2', seen: seen(5, SOURCE, { inScope: false }) },
  'other rules': {
    kind: 'observed',
    side: 'source',
    id: '1/2',
    seen: seen(1, SOURCE),
    rules: { ...RULES, hash: 'other', pairs: RULES.pairs.slice(0, 1) },
  },
  'vanished: source': vanished('source'),
  'vanished: target': vanished('target'),
  'sync, also as an update': { kind: 'sync', requestId: 'r' },
  retry: { kind: 'retry' },
  'retry, approved': { kind: 'retry', approved: true },
  pause: { kind: 'pause' },
  resume: { kind: 'resume' },
  unlink: { kind: 'unlink' },
  relink: { kind: 'relink' },
  link: { kind: 'link', id: 'c9' },
  settle: { kind: 'settle', property: 'FirstName', source: 'Ada', target: 'Ada', why: 'decided by hand' },
};

/** A step that is under way. */
const decided = (state: LinkState, kind: Step['kind']): Decision => {
  const decision = advance(state, LATER);
  assert.equal(decision.step.kind, kind);
  return decision;
};
const found = (source: unknown, target?: unknown): Outcome =>
  ({
    kind: 'read',
    found: { ...(source === undefined ? {} : { source }), ...(target === undefined ? {} : { target }) },
  }) as Outcome;
const READS: Readonly<Record<string, Outcome>> = {
  'both as they were': found(seen(1, SOURCE), seen(1, TARGET)),
  'the source was edited': found(EDITED_SOURCE, seen(1, TARGET)),
  'an older source': found(seen(0, SOURCE), seen(1, TARGET)),
  'the source is gone': found('gone', seen(1, TARGET)),
  'the target is gone': found(seen(1, SOURCE), 'gone'),
  'nothing is believed of the target': found(seen(1, SOURCE), 'unsure'),
  'the target left the scope': found(seen(1, SOURCE), seen(2, TARGET, { inScope: false })),
};
const WRITTEN = seen(3, { givenName: 'Eva', familyName: 'Lie' });
const REFUSALS: Readonly<Record<string, Outcome>> = {
  'refused: a value': refused('422'),
  'refused: held': refused('held'),
  'refused: not in the plan': refused('unplanned'),
  'refused: its flow is paused': refused('flow-paused'),
};

const REFUSED_READS: Readonly<Record<string, Outcome>> = {
  'refused: the read itself': { ...refused('403'), revision: 4 },
  'refused: its flow is paused': refused('flow-paused'),
};

/** Every step with whatever an attempt at it can answer. */
export const ANSWERS: Readonly<Record<string, { readonly from: Decision; readonly answers: Readonly<Record<string, Outcome>> }>> =
  {
    create: {
      from: decided(fresh(), 'create'),
      answers: {
        made: { kind: 'created', id: 'c1', seen: seen(1, TARGET), adopted: false },
        'made, and cut': { kind: 'created', id: 'c1', seen: seen(1, { givenName: 'K', familyName: 'Lie' }), adopted: false },
        'found: ours from before': { kind: 'created', id: 'c1', seen: EDITED_TARGET, adopted: false, found: true },
        'there already': { kind: 'created', id: 'c1', seen: EDITED_TARGET, adopted: true },
        'one that matches': { kind: 'created', id: 'c1', seen: EDITED_TARGET, adopted: true, matched: true },
        'the store is ahead': { kind: 'contended', found: { source: EDITED_SOURCE }, revision: 7 },
        'refused: no match': refused('unmatched'),
        'refused: not connected': refused('unconnected'),
        'refused: ambiguous': refused('ambiguous'),
        'refused: taken': refused('taken'),
        ...REFUSALS,
      },
    },
    write: {
      from: decided(told(inStep(), sourceEdited), 'write'),
      answers: {
        written: { kind: 'written', seen: WRITTEN },
        'written, and trimmed': { kind: 'written', seen: seen(3, { givenName: 'E', familyName: 'Lie' }) },
        'written, the other property edited': { kind: 'written', seen: seen(3, { givenName: 'Eva', familyName: 'Moe' }) },
        'contended: nothing to see': { kind: 'contended', found: {} },
        'contended: the target was edited': { kind: 'contended', found: { source: EDITED_SOURCE, target: EDITED_TARGET } },
        'the store is ahead': { kind: 'contended', found: {}, revision: 7 },
        'the target is gone': found(undefined, 'gone'),
        ...REFUSALS,
      },
    },
    'write, after a decision': {
      from: decided(told(SITUATIONS['conflict'] ?? fresh(), TOLD['settle'] ?? { kind: 'sync' }), 'write'),
      answers: { written: { kind: 'written', seen: seen(3, { givenName: 'Ada', familyName: 'Lie' }) }, ...REFUSALS },
    },
    read: {
      from: decided(told(inStep(), { kind: 'sync' }), 'read'),
      answers: { ...READS, ...REFUSED_READS },
    },
    'read, of a closed link': {
      from: decided(told(settled(gone(RULES, 'source')), { ...sourceEdited, regressed: true }), 'read'),
      answers: READS,
    },
    confirm: {
      from: decided(told(inStep(), vanished('target')), 'confirm'),
      answers: {
        'it is there': found(undefined, seen(1, TARGET)),
        'it is there, and edited': found(undefined, EDITED_TARGET),
        'missed once': found(undefined, 'gone'),
        'nothing is believed': found(undefined, 'unsure'),
        ...REFUSED_READS,
      },
    },
    remove: {
      from: decided(gone({ ...RULES, onTargetDeleted: 'delete' }, 'target'), 'remove'),
      answers: { removed: { kind: 'removed' }, ...REFUSALS },
    },
    store: {
      from: decided(gone(RULES, 'target'), 'store'),
      answers: {
        stored: { kind: 'stored' },
        'stored, with news': { kind: 'stored', news: { source: EDITED_SOURCE } },
        'the store is ahead': { kind: 'read', found: {}, revision: 7 },
        'refused: held': refused('held'),
      },
    },
  };
