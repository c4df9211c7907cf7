import type { Side } from '../../flows/side.ts';
import { changeRules, doubtBothSides, sighted, suspectGone } from './observe.ts';
import type { LinkState, Observation, Rules } from './state.ts';
import { resetTarget, withStatus } from './transitions.ts';
import type { Value } from '../../flows/values.ts';

/** What a link can be told. Everything arrives here, is kept in order, and is applied between two steps. */
export type Message =
  | {
      readonly kind: 'observed';
      readonly side: Side;
      readonly id: string;
      readonly seen: Observation;
      readonly rules?: Rules;
      /** A full comparison shows an older version than was seen: read directly. */
      readonly regressed?: boolean;
    }
  /** `approved`: a person let pass that so many are missing. */
  | { readonly kind: 'vanished'; readonly side: Side; readonly approved?: boolean }
  | { readonly kind: 'sync'; readonly requestId?: string }
  /** `approved`: a person let pass what was held back. */
  | { readonly kind: 'retry'; readonly approved?: boolean }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'unlink' }
  | { readonly kind: 'relink' }
  | { readonly kind: 'link'; readonly id: string }
  | { readonly kind: 'settle'; readonly property: string; readonly source: Value; readonly target: Value; readonly why: string };

/** Applies one message. Pure. */
export function receive(state: LinkState, message: Message, now: number): LinkState {
  switch (message.kind) {
    case 'observed': {
      const next = message.rules ? changeRules(state, message.rules) : state;
      if (next[message.side].id !== message.id) return next;
      return sighted(next, { side: message.side, seen: message.seen, regressed: message.regressed === true });
    }
    case 'vanished':
      if (state[message.side].id === null || state.ended === 'source gone') return state;
      return { ...suspectGone(state, message.side, now), ...(message.approved === true ? { approved: true } : {}) };
    case 'sync':
      return doubtBothSides(message.requestId === undefined ? state : remembering(state, message.requestId, now));
    case 'retry':
      if (!state.block) return state;
      return {
        ...(state.block.code === 'partner-gone' ? doubtBothSides(state) : state),
        block: null,
        ...(message.approved === true ? { approved: true } : {}),
      };
    case 'pause':
      return { ...state, paused: true };
    case 'resume':
      return state.paused ? doubtBothSides({ ...state, paused: false }) : state;
    case 'unlink':
      if (state.ended === 'source gone') return state;
      return {
        ...withStatus(state, { now, status: 'ended', ended: 'unlinked by hand' }),
        last: { what: 'unlinked by hand', at: now },
      };
    case 'relink':
      if (state.ended === 'unlinked by hand')
        return doubtBothSides(state.target.id === null ? resetTarget(state, now) : withStatus(state, { now, status: 'linking' }));
      return state.ended === 'target gone' ? doubtBothSides(resetTarget(state, now)) : state;
    case 'link':
      return state.target.id === null && state.ended === null ? { ...state, chosen: message.id, block: null } : state;
    case 'settle': {
      const verdict = { source: message.source, target: message.target, why: message.why, done: [] };
      return { ...state, verdicts: { ...state.verdicts, [message.property]: verdict } };
    }
  }
}

/** How long a request's id is known (ms), over roll-overs too; and of how many requests. */
const REQUEST_KEPT_MS = 24 * 3600_000;
const REQUESTS_KEPT = 50;

function remembering(state: LinkState, id: string, now: number): LinkState {
  const recent = (state.requests ?? []).filter(({ at }) => at > now - REQUEST_KEPT_MS);
  return { ...state, requests: [...recent, { id, at: now }].slice(-REQUESTS_KEPT) };
}
