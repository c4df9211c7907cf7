import type { RateSlots } from '../../connectors/rateLimiter.ts';
import type { SlotState } from '../../connectors/fairShare.ts';

/** Slots as the store keeps them, for processes that are limiters of one test; `state` may be looked at, and set. */
export function memorySlots(): RateSlots & { state: SlotState } {
  const change = (fields: Partial<SlotState>): Promise<SlotState> =>
    Promise.resolve((slots.state = { ...slots.state, ...fields }));
  const slots: RateSlots & { state: SlotState } = {
    state: { next: 0, holdUntil: 0, users: {}, virtual: 0, finish: {}, resets: 0 },
    say: (_, user, says) => change({ users: { ...slots.state.users, [user]: says } }),
    look: () => Promise.resolve(slots.state),
    take(_, { known, next, user, says, start, gone }) {
      if (known !== slots.state.next) return Promise.resolve(null);
      const living = Object.entries(slots.state.users).filter(([each]) => !gone.includes(each));
      return change({
        next,
        virtual: start,
        finish: { ...slots.state.finish, [says.installation]: start + 1 },
        users: { ...Object.fromEntries(living), [user]: says },
      });
    },
    push: (_, until) => change({ next: Math.max(slots.state.next, until), holdUntil: Math.max(slots.state.holdUntil, until) }),
    delay: (_, ms) => change({ next: slots.state.next + ms }),
    reset: (_, from, to) =>
      slots.state.next === from ? change({ next: to, resets: slots.state.resets + 1 }) : Promise.resolve(slots.state),
    leave(_, user) {
      const { [user]: _gone, ...users } = slots.state.users;
      return change({ users }).then(() => {});
    },
  };
  return slots;
}
