import type { Side } from '../../flows/side.ts';
import { resetTarget, withStatus } from './lifecycle.ts';
import { changeRules, doubtBothSides, observe, suspectGone } from './observe.ts';
import type { LinkState, Observation, Rules } from './state.ts';
import type { Value } from '../../flows/values.ts';

/** What a link can be told. Everything arrives here, is kept in order, and is applied between two steps. */
export type Message =
  | { readonly kind: 'observed'; readonly side: Side; readonly id: string; readonly seen: Observation; readonly rules?: Rules }
  | { readonly kind: 'vanished'; readonly side: Side }
  | { readonly kind: 'sync' }
  | { readonly kind: 'retry' }
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
      return next[message.side].id === message.id ? observe(next, message.side, message.seen) : next;
    }
    case 'vanished':
      return state[message.side].id === null ? state : suspectGone(state, message.side, now);
    case 'sync':
      return doubtBothSides(state);
    case 'retry':
      return state.block ? { ...state, block: null } : state;
    case 'pause':
      return { ...state, paused: true };
    case 'resume':
      return state.paused ? doubtBothSides({ ...state, paused: false }) : state;
    case 'unlink':
      return { ...withStatus(state, now, 'ended', 'unlinked by hand'), last: { what: 'unlinked by hand', at: now } };
    case 'relink':
      if (state.ended === 'unlinked by hand' && state.target.id !== null)
        return doubtBothSides(withStatus(state, now, 'linking'));
      return state.ended === 'target gone' ? doubtBothSides(resetTarget(state, now)) : state;
    case 'link':
      return state.target.id === null && state.ended === null ? { ...state, chosen: message.id, block: null } : state;
    case 'settle': {
      const verdict = { source: message.source, target: message.target, why: message.why, done: [] };
      return { ...state, verdicts: { ...state.verdicts, [message.property]: verdict } };
    }
  }
}
