import type { Act, Schedule } from './schedule.ts';

/** A deliberate break of a promise, and which schedules can show it at all: the others are left out as it is tried. */
interface DeliberateBreak {
  readonly promise: string;
  readonly what: string;
  readonly needs?: (schedule: Schedule) => boolean;
}

const has =
  (...kinds: readonly Act['do'][]) =>
  ({ acts }: Schedule): boolean =>
    acts.some((act) => kinds.includes(act.do));
const matching = ({ flows }: Schedule): boolean => flows.some(({ relation }) => relation.startsWith('m'));

/**
 * Deliberate breaks of promises, for the tests of the torture run alone: each must be caught. They stand in the model
 * or are put between the model and the product; the product itself has no such switch.
 */
export const BREAKS = {
  'base-from-sent': { promise: 'Convergence', what: 'the base is what was sent, not what the answer shows' },
  'dropped-signals': { promise: 'Convergence', what: '`seen` is set although the signal was lost' },
  'roll-over-drops': {
    promise: 'Convergence',
    what: 'a roll-over forgets the messages that have just arrived',
    needs: ({ rollOvers }) => rollOvers > 0,
  },
  'conditions-ignored': {
    promise: 'Convergence',
    what: 'a link under new rules goes on by its old ones',
    needs: has('rules'),
  },
  'blind-writes': { promise: 'No lost edit', what: 'writes go out without their condition' },
  'no-history': { promise: 'No lost edit', what: 'what is overwritten is not kept' },
  'own-write-is-edit': {
    promise: 'No lost edit',
    what: 'what a write left whose answer was lost counts as an edit',
    needs: ({ faults, source, target }) => faults >= 0.1 && source.tidy === 'keeps' && target.tidy === 'keeps',
  },
  'scope-is-final': {
    promise: 'Convergence',
    what: 'a record that comes back into scope is left where it is',
    needs: has('scope'),
  },
  'scope-untested': {
    promise: 'Nothing else touched',
    what: 'a write does not test that the record is still in scope',
    needs: has('scope'),
  },
  'create-without-lookup': { promise: 'No duplicate', what: 'a second try creates without looking, under another key' },
  'key-without-incarnation': {
    promise: 'No duplicate',
    what: 'a record made anew is sent under the key of the one that was deleted',
    needs: ({ target, flows, acts }) =>
      target.idempotencyKey &&
      acts.some((act) => act.do === 'delete') &&
      flows.some((flow) => flow.onTargetDeleted === 'recreate'),
  },
  'match-not-seen': {
    promise: 'No duplicate',
    what: 'a record that matches is not looked for before one is created',
    needs: matching,
  },
  'every-echo-wakes': { promise: 'No echo', what: 'each record of a feed is told to its link' },
  'aba-is-echo': {
    promise: 'No echo, no ping-pong',
    what: 'an edit back to an older value is taken for an echo',
    needs: has('back'),
  },
  'old-revision-writes': {
    promise: 'No stale regression',
    what: 'an older revision overwrites the store',
    needs: ({ crashes, acts }) => crashes > 0 || acts.some(({ do: what }) => what === 'freeze'),
  },
  'stale-observations': { promise: 'No stale regression', what: 'a link believes an older observation' },
  'regressions-ignored': {
    promise: 'No stale regression',
    what: 'a system whose clock went back is never believed',
    needs: has('clock'),
  },
  'gone-at-once': { promise: 'No resurrection', what: 'one 404 ends a link' },
  'recreate-deleted': { promise: 'No resurrection', what: 'a deleted target is created again', needs: has('delete') },
  'partner-deleted': {
    promise: 'No resurrection',
    what: 'the partner of a deleted source goes with it, although the flow keeps it',
    needs: ({ flows, acts }) =>
      acts.some((act) => act.do === 'delete' && act.side === 'source') && flows.some((flow) => flow.onSourceDeleted === 'keep'),
  },
  'tombstone-forgotten': {
    promise: 'No resurrection',
    what: 'the store forgets a link whose source is gone',
    needs: has('delete'),
  },
  'no-revival': {
    promise: 'No resurrection',
    what: 'a record that was believed gone, and is there after all, stays without a link',
    needs: has('undelete'),
  },
  'final-revives': {
    promise: 'No resurrection',
    what: 'a link that ended by a deletion of its own comes back',
    needs: has('undelete'),
  },
  'outage-believed': {
    promise: 'No resurrection',
    what: 'a system that says "gone" of all its records is believed',
    needs: has('outage'),
  },
  'unmapped-writes': { promise: 'Nothing else touched', what: 'an unmapped property is written' },
  'words-leak': { promise: 'Nothing hidden', what: 'the words of a refusal travel along with the link' },
  'edit-frees-nothing': { promise: 'Nothing hidden', what: 'a blocked link is not tried again at the next edit' },
  'words-dropped': { promise: 'Nothing hidden', what: 'a blocked link does not keep the words of the refusal' },
  'row-stops-feed': {
    promise: 'Nothing hidden',
    what: 'a row that cannot be read stops the feed of its neighbours',
    needs: ({ target }) => (target.lies?.unreadable ?? 0) > 0,
  },
  tireless: { promise: 'Bounded', what: 'a refusal is tried again without a pause' },
  hoarding: { promise: 'Bounded', what: 'what a link carries grows with every message' },
  'other-world': {
    promise: 'One world',
    what: 'a worker does what belongs to another installation',
    needs: ({ sites }) => sites > 1,
  },
  'unnamed-ids': {
    promise: 'One world',
    what: 'two installations give their records the same external ids',
    needs: ({ sites, sharedCrm }) => sites > 1 && sharedCrm,
  },
  'no-brake': { promise: 'A brake', what: 'what is counted within the hour is forgotten', needs: has('bulk') },
  'brake-tires': { promise: 'A brake', what: 'what is held lets go by itself', needs: has('bulk') },
  'pause-ignored': { promise: 'People steer', what: 'a pause stops nothing', needs: has('pause') },
  'unlinked-revives': { promise: 'People steer', what: 'an edit links again what was unlinked by hand', needs: has('unlink') },
  'unlink-ignored': { promise: 'People steer', what: 'an unlinked record is still written', needs: has('unlink') },
  'ask-decides': {
    promise: 'People steer',
    what: 'a conflict that waits for a person is settled by the clock',
    needs: ({ flows }) => flows.some(({ policy }) => policy === 'ask'),
  },
  'uncorrected-clocks': { promise: 'The later edit wins', what: 'stamps are compared as they are, minutes apart' },
  'poisoned-clock': {
    promise: 'The later edit wins',
    what: 'the stamp of a write that changed nothing counts for the clock',
    needs: ({ target }) => target.still && target.tidy === 'trims',
  },
  'merge-followed': {
    promise: 'Safe with systems that lie',
    what: 'another id that comes back is taken for the record',
    needs: has('merge'),
  },
  'left-out-is-empty': {
    promise: 'Safe with systems that lie',
    what: 'a property that an answer leaves out is read as empty',
    needs: ({ target, flows }) => (target.lies?.leavesOut ?? 0) > 0 && flows.some(({ pairs }) => pairs === 3),
  },
  'unknown-is-passing': {
    promise: 'Safe with systems that lie',
    what: 'a refusal of which nobody knows what it means is tried again without end',
    needs: ({ target, acts }) =>
      target.conditional !== 'test' && acts.some((act) => act.do === 'edit' && String(act.value).includes('?')),
  },
  'success-believed': {
    promise: 'Safe with systems that lie',
    what: 'a write that was answered with success counts as stored',
    needs: ({ target }) => (target.lies?.forgets ?? 0) > 0,
  },
  'id-alone-sent-again': {
    promise: 'Safe with systems that lie',
    what: 'a create that is answered with an id alone is sent again',
    needs: ({ target }) =>
      target.lies !== null && target.lies.answer !== 'whole' && !target.idempotencyKey && !target.uniqueExternalId,
  },
  'errors-by-status': {
    promise: 'Safe with systems that lie',
    what: 'failures are classed by their status, whatever the rules say',
    needs: ({ target }) => target.lies?.oddErrors === true,
  },
} as const satisfies Record<string, DeliberateBreak>;
export type Break = keyof typeof BREAKS;
export type Breaks = ReadonlySet<Break>;

/** Whether a schedule can show the break. */
export const canShow = (name: Break, schedule: Schedule): boolean => {
  const each: DeliberateBreak = BREAKS[name];
  return each.needs?.(schedule) ?? true;
};
