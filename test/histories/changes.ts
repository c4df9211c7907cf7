/** A deliberate change to the workflows' code, as their bundle has it, and a history that must notice. */
export interface Change {
  readonly what: string;
  /** Found exactly once. */
  readonly from: RegExp;
  readonly to: string;
  readonly noticedBy: string;
}

const PATCHED = String.raw`\(0,_temporalio_workflow__WEBPACK_IMPORTED_MODULE_\d+__\.patched\)\(\w+\.PATCHES\.`;

/** Changes that would strand links which run already, or carry them on in another way than they began. */
export const CHANGES: readonly Change[] = [
  {
    what: 'the source is written before the target',
    from: /'target',\s*'source'\s*\]\)\s*\{\s*const assignments/,
    to: "'source', 'target' ]) { const assignments",
    noticedBy: 'unreleased/both-sides-written',
  },
  {
    what: 'a tie goes to the target',
    from: /winner: 'source',\s*tie: /,
    to: "winner: source[0] > target[1] ? 'source' : 'target', tie: ",
    noticedBy: 'unreleased/conflict-tie',
  },
  {
    what: 'the earlier edit wins',
    from: /target\[0\] > source\[1\]/,
    to: 'target[0] < source[1]',
    noticedBy: 'unreleased/conflict-later-wins',
  },
  {
    what: 'what a write left whose answer was lost is an edit',
    from: /outcome\.unanswered && step\.kind === 'write'/,
    to: 'false',
    noticedBy: 'unreleased/arrived-without-an-answer',
  },
  {
    what: "a conflict goes to the source, whatever the flow's policy",
    from: /carry\(pair\.policy,/,
    to: "carry('source',",
    noticedBy: 'unreleased/conflict-policy',
  },
  {
    what: 'a timer in the feed',
    from: /await watching\.run\(/,
    to: 'await new Promise((done) => setTimeout(done, 1)); await watching.run(',
    noticedBy: 'unreleased/feed',
  },
  {
    what: 'one read is enough to believe that a record is gone',
    from: /const GONE_READS = 2;/,
    to: 'const GONE_READS = 1;',
    noticedBy: 'unreleased/missed-once',
  },
  {
    what: 'after a pause nothing is read',
    from: /return state\.paused \? \(0,\w+\.doubtBothSides\)\(/,
    to: 'return state.paused ? (',
    noticedBy: 'unreleased/paused-and-resumed',
  },
  {
    what: 'an older record is never believed',
    from: /return direct \? olderRead/,
    to: 'return false ? olderRead',
    noticedBy: 'unreleased/went-back',
  },
  {
    what: 'an equal version with other values is believed at once',
    from: /seen\.version === before\.version && !same && !direct/,
    to: 'false',
    noticedBy: 'unreleased/an-equal-version-with-other-values',
  },
  {
    what: 'a deleted target is not made again',
    from: /state\.rules\.onTargetDeleted === 'recreate'/,
    to: 'false',
    noticedBy: 'unreleased/target-gone-and-made-again',
  },
  {
    what: 'a target that cannot be read holds up the deletion of its source',
    from: /!isFree && /,
    to: '',
    noticedBy: 'unreleased/source-gone-target-merged',
  },
  {
    what: 'a record that refused to be read is not asked for again once a list lacks it',
    from: /const frees = isNews && /,
    to: 'const frees = false && ',
    noticedBy: 'unreleased/target-unreadable-then-gone',
  },
  {
    what: 'the target that a person chose is not handed on',
    from: /state\.chosen === undefined \? \{\}/,
    to: 'true ? {}',
    noticedBy: 'unreleased/linked-by-hand',
  },
  {
    what: 'a decision is written to one side only',
    from: /if \(!verdict\.done\.includes\(side\) && /,
    to: "if (side === 'target' && !verdict.done.includes(side) && ",
    noticedBy: 'unreleased/conflict-and-settle',
  },
  {
    what: 'a status is not stored',
    from: /if \(state\.stored\) return \{/,
    to: 'if (true) return {',
    noticedBy: 'unreleased/scope-off-and-on',
  },
  {
    what: 'the memo does not follow',
    from: /\(0,\w+\.upsertMemo\)\(/,
    to: '((memo) => memo)(',
    noticedBy: 'unreleased/matched',
  },
  {
    what: 'the same request again is a new one',
    from: /const known = requestId !== undefined && /,
    to: 'const known = false && ',
    noticedBy: 'unreleased/read-on-request',
  },
  {
    what: 'no roll-over after 200 events',
    from: /const RENEWED_AFTER_EVENTS = 200;/,
    to: 'const RENEWED_AFTER_EVENTS = 1e9;',
    noticedBy: 'unreleased/past-200-events',
  },
  {
    what: 'a roll-over after 200 events in histories that had none',
    from: new RegExp(String.raw`(historyLength > RENEWED_AFTER_EVENTS\)) && ${PATCHED}renewal\)`),
    to: '$1',
    noticedBy: 'v0.1.0/past-200-events',
  },
  {
    what: 'the patience of this version in histories of the first',
    from: new RegExp(String.raw`patient\.length === 0 \|\| ${PATCHED}patience\)`),
    to: 'true',
    noticedBy: 'v0.1.0/missed-unannounced-twice',
  },
];
