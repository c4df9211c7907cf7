import assert from 'node:assert/strict';
import { advance } from '../../workflows/core/lifecycle.ts';
import { laterEdit, merge } from '../../workflows/core/merge.ts';
import { observe } from '../../workflows/core/observe.ts';
import { applyOutcome } from '../../workflows/core/outcome.ts';
import { BLOCK_RETRY_MS } from '../../workflows/core/lifecycle.ts';
import { receive } from '../../workflows/core/receive.ts';
import type { LinkState, Observation, Rules } from '../../workflows/core/state.ts';
import { begin } from './begin.ts';
import { inStep, NOW, RULES, seen, observed } from './links.ts';

describe('the core of a link', () => {
  it('creates, then rests', () => {
    assert.deepEqual(advance(inStep(), NOW).step, { kind: 'wait', until: null });
  });

  it('carries what one side moved, and nothing else', () => {
    const { step } = advance(observed(inStep(), 'target', seen(2, { givenName: 'Eva', familyName: 'Lie' })), NOW);
    assert.ok(step.kind === 'write' && step.side === 'source');
    assert.deepEqual(
      step.assignments.map((each) => [each.property, each.expected, each.value]),
      [['FirstName', 'Kari', 'Eva']],
    );
  });

  it('both moved to the same value: agreed, without a write', () => {
    let state = observed(inStep(), 'source', seen(2, { FirstName: 'Eva', LastName: 'Lie' }));
    state = observed(state, 'target', seen(2, { givenName: 'Eva', familyName: 'Lie' }));
    const { state: next, step } = advance(state, NOW);
    assert.equal(step.kind, 'store');
    assert.equal(next.source.base['FirstName'], 'Eva');
  });

  it('a conflict goes to the later edit, a tie to the source', () => {
    const both = (target: Observation['at']): LinkState => {
      const state = observed(inStep(), 'source', seen(2, { FirstName: 'Siv', LastName: 'Lie' }, { at: [500, 510] }));
      return observed(state, 'target', seen(2, { givenName: 'Eva', familyName: 'Lie' }, { at: target }));
    };
    const winner = (state: LinkState): string => {
      const { step } = advance(state, NOW);
      return step.kind === 'write' ? step.side : step.kind;
    };
    assert.equal(winner(both([600, 610])), 'source');
    assert.equal(winner(both([400, 410])), 'target');
    assert.equal(winner(both([505, 515])), 'target');
    assert.deepEqual(laterEdit([0, 10], [5, 15]), { winner: 'source', tie: true });
  });

  it('compares the earliest observation that shows a value, since unmapped edits move the stamp too', () => {
    let state = observed(inStep(), 'source', seen(2, { FirstName: 'Siv', LastName: 'Lie' }, { at: [500, 500] }));
    state = observed(state, 'target', seen(2, { givenName: 'Eva', familyName: 'Lie' }, { at: [600, 600] }));
    state = observed(state, 'source', seen(3, { FirstName: 'Siv', LastName: 'Lie' }, { at: [900, 900] }));
    const { step } = advance(state, NOW);
    assert.ok(step.kind === 'write' && step.side === 'source', 'the target was edited later');
  });

  it('policies source and target settle whatever the clock says; ask waits for a person', () => {
    for (const policy of ['source', 'target', 'ask'] as const) {
      const rules = { ...RULES, pairs: RULES.pairs.map((pair) => ({ ...pair, policy })) };
      let state = observed(inStep(rules), 'source', seen(2, { FirstName: 'Siv', LastName: 'Lie' }));
      state = observed(state, 'target', seen(9, { givenName: 'Eva', familyName: 'Lie' }));
      const { state: next, step } = advance(state, NOW);
      if (policy === 'ask') {
        assert.equal(next.status, 'conflict');
        assert.deepEqual(next.conflicts, ['FirstName']);
        const decided = advance(
          receive(next, { kind: 'settle', property: 'FirstName', source: 'Eva', target: 'Eva', why: 'decided by hand' }, NOW),
          NOW,
        );
        assert.ok(decided.step.kind === 'write' && decided.step.side === 'source');
      } else assert.ok(step.kind === 'write' && step.side !== policy);
    }
  });

  it('takes the base from the answer, so that a system that trims settles after one round', () => {
    const { state, step } = advance(observed(inStep(), 'source', seen(2, { FirstName: ' Eva ', LastName: 'Lie' })), NOW);
    assert.ok(step.kind === 'write');
    const after = applyOutcome(state, {
      step,
      outcome: { kind: 'written', seen: seen(3, { givenName: 'Eva', familyName: 'Lie' }) },
      now: NOW,
    });
    assert.deepEqual(advance(after, NOW).step, { kind: 'wait', until: null });
    assert.equal(after.source.base['FirstName'], ' Eva ');
    assert.equal(after.target.base['givenName'], 'Eva');
  });

  it('an answer that shows an edit of another property carries that too', () => {
    const { state, step } = advance(observed(inStep(), 'source', seen(2, { FirstName: 'Eva', LastName: 'Lie' })), NOW);
    const after = applyOutcome(state, {
      step,
      outcome: { kind: 'written', seen: seen(3, { givenName: 'Eva', familyName: 'Moe' }) },
      now: NOW,
    });
    const next = advance(after, NOW).step;
    assert.ok(next.kind === 'write' && next.side === 'source' && next.assignments[0]?.property === 'LastName');
  });

  it('ignores what is strictly older, and reads again what is equal with other values', () => {
    const state = observed(inStep(), 'source', seen(5, { FirstName: 'Eva', LastName: 'Lie' }));
    assert.equal(observed(state, 'source', seen(4, { FirstName: 'Kari', LastName: 'Lie' })), state);
    const doubted = observed(state, 'source', seen(5, { FirstName: 'Kari', LastName: 'Lie' }));
    assert.deepEqual(advance(doubted, NOW).step, { kind: 'read', sides: ['source'] });
    const read = observe(doubted, { side: 'source', seen: seen(5, { FirstName: 'Kari', LastName: 'Lie' }), direct: true });
    assert.equal(read.source.seen?.values['FirstName'], 'Kari');
  });

  it('A, B, A: the edit back is an edit, also while a write waits', () => {
    const { state, step } = advance(observed(inStep(), 'source', seen(2, { FirstName: 'Eva', LastName: 'Lie' })), NOW);
    const written = applyOutcome(state, {
      step,
      outcome: { kind: 'written', seen: seen(3, { givenName: 'Eva', familyName: 'Lie' }) },
      now: NOW,
    });
    const back = advance(observed(written, 'source', seen(4, { FirstName: 'Kari', LastName: 'Lie' })), NOW).step;
    assert.ok(back.kind === 'write' && back.assignments[0]?.value === 'Kari');
  });

  it('null, missing and the empty string are no edit; a cleared value is one', () => {
    const rules = RULES;
    const fresh = begin({ rules, sourceId: '1/2', seen: seen(1, { FirstName: 'Kari', LastName: null }), now: NOW });
    const created = advance(fresh, NOW);
    const state = applyOutcome(created.state, {
      step: created.step,
      outcome: { kind: 'created', id: 'c1', seen: seen(1, { givenName: 'Kari', familyName: '' }), adopted: false },
      now: NOW,
    });
    assert.equal(advance(observed(state, 'source', seen(2, { FirstName: 'Kari', LastName: '' })), NOW).step.kind, 'wait');
    const cleared = advance(observed(inStep(), 'source', seen(2, { FirstName: 'Kari', LastName: '' })), NOW).step;
    assert.ok(cleared.kind === 'write' && cleared.assignments[0]?.value === null);
  });

  it('a refusal blocks; the next edit, a request, or a day tries again', () => {
    const { state, step } = advance(observed(inStep(), 'source', seen(2, { FirstName: 'Eva', LastName: 'Lie' })), NOW);
    const blocked = applyOutcome(state, {
      step,
      outcome: { kind: 'refused', side: 'target', code: '422', properties: ['givenName'] },
      now: NOW,
    });
    assert.equal(blocked.status, 'blocked');
    assert.deepEqual(advance(blocked, NOW).step, { kind: 'wait', until: NOW + BLOCK_RETRY_MS });
    assert.equal(advance(blocked, NOW + BLOCK_RETRY_MS).step.kind, 'write');
    assert.equal(advance(receive(blocked, { kind: 'retry' }, NOW), NOW).step.kind, 'write');
    assert.equal(advance(observed(blocked, 'source', seen(3, { FirstName: 'Eli', LastName: 'Lie' })), NOW).step.kind, 'write');
  });

  it('two direct reads, some time apart, end a link; one does not, and what is seen again lives', () => {
    let state = receive(inStep(), { kind: 'vanished', side: 'target' }, NOW);
    let next = advance(state, NOW);
    assert.equal(next.step.kind, 'confirm');
    state = applyOutcome(next.state, { step: next.step, outcome: { kind: 'read', found: { target: 'gone' } }, now: NOW });
    next = advance(state, NOW);
    assert.equal(next.step.kind, 'wait');
    assert.equal(advance(observed(state, 'target', seen(2, { givenName: 'Kari', familyName: 'Lie' })), NOW).step.kind, 'wait');
    next = advance(state, NOW + 10_000);
    state = applyOutcome(next.state, {
      step: next.step,
      outcome: { kind: 'read', found: { target: 'gone' } },
      now: NOW + 10_000,
    });
    next = advance(state, NOW + 20_000);
    assert.deepEqual([next.state.status, next.state.ended], ['ended', 'target gone']);
  });

  it('deletions do what the flow says: delete the partner, or create the target anew under another incarnation', () => {
    const gone = (rules: Rules, side: 'source' | 'target'): ReturnType<typeof advance> => {
      let state = receive(inStep(rules), { kind: 'vanished', side }, NOW);
      for (const at of [NOW, NOW + 10_000]) {
        const next = advance(state, at);
        state = applyOutcome(next.state, { step: next.step, outcome: { kind: 'read', found: { [side]: 'gone' } }, now: at });
      }
      return advance(state, NOW + 20_000);
    };
    const deleting = gone({ ...RULES, onSourceDeleted: 'delete' }, 'source');
    assert.ok(deleting.step.kind === 'remove' && deleting.step.side === 'target');
    const ended = applyOutcome(deleting.state, { step: deleting.step, outcome: { kind: 'removed' }, now: NOW });
    assert.equal(ended.ended, 'source gone');
    const backwards = gone({ ...RULES, onTargetDeleted: 'delete' }, 'target');
    assert.ok(backwards.step.kind === 'remove' && backwards.step.side === 'source');
    const again = gone({ ...RULES, onTargetDeleted: 'recreate' }, 'target');
    assert.equal(again.step.kind, 'create');
    assert.equal(again.state.incarnation, 2);
    assert.deepEqual(again.state.formerTargets, [inStep().target.id]);
  });

  it('what is held back stays so until a person approves', () => {
    const { state, step } = advance(observed(inStep(), 'source', seen(2, { FirstName: '', LastName: 'Lie' })), NOW);
    const held = applyOutcome(state, {
      step,
      outcome: { kind: 'refused', side: 'target', code: 'held', properties: [] },
      now: NOW,
    });
    assert.equal(advance(held, NOW + 1000).step.kind, 'wait');
    // It asks the brake again; the brake lets pass what carries an approval, and nothing else.
    const asked = advance(receive(held, { kind: 'retry' }, NOW), NOW);
    assert.deepEqual([asked.step.kind, asked.state.approved], ['write', undefined]);
    const approved = advance(receive(held, { kind: 'retry', approved: true }, NOW), NOW);
    assert.deepEqual([approved.step.kind, approved.state.approved], ['write', true]);
    // However often the write has to be tried: until it was acted upon, and no longer.
    assert.ok(approved.step.kind === 'write');
    const contended = applyOutcome(approved.state, { step: approved.step, outcome: { kind: 'contended', found: {} }, now: NOW });
    assert.equal(contended.approved, true);
    const target = seen(2, { givenName: '', familyName: 'Lie' });
    const done = applyOutcome(approved.state, { step: approved.step, outcome: { kind: 'written', seen: target }, now: NOW });
    assert.equal(done.approved, undefined);
  });

  it('out of scope contributes nothing, and coming back resumes the same link', () => {
    const out = advance(observed(inStep(), 'source', seen(2, { FirstName: 'Eva', LastName: 'Lie' }, { inScope: false })), NOW);
    assert.deepEqual([out.state.status, out.state.ended, out.step.kind], ['ended', 'out of scope', 'store']);
    const stored = applyOutcome(out.state, { step: out.step, outcome: { kind: 'stored' }, now: NOW });
    const back = advance(observed(stored, 'source', seen(3, { FirstName: 'Eva', LastName: 'Lie' })), NOW);
    assert.ok(back.step.kind === 'write' && back.step.side === 'target');
  });

  it('pause holds everything; edits made meanwhile are read when it resumes', () => {
    const paused = advance(receive(inStep(), { kind: 'pause' }, NOW), NOW);
    assert.equal(paused.state.status, 'paused');
    const stored = applyOutcome(paused.state, { step: paused.step, outcome: { kind: 'stored' }, now: NOW });
    const edited = observed(stored, 'source', seen(2, { FirstName: 'Eva', LastName: 'Lie' }));
    assert.equal(advance(edited, NOW).step.kind, 'wait');
    assert.equal(advance(receive(edited, { kind: 'resume' }, NOW), NOW).step.kind, 'read');
  });

  it('unlink ends it by hand, relink goes on with the same target', () => {
    const ended = advance(receive(inStep(), { kind: 'unlink' }, NOW), NOW);
    assert.equal(ended.state.ended, 'unlinked by hand');
    const again = advance(receive({ ...ended.state, stored: true }, { kind: 'relink' }, NOW), NOW);
    assert.equal(again.step.kind, 'read');
    assert.equal(again.state.target.id, 'c1');
  });

  it('a value that the other type cannot express blocks that link, naming the property', () => {
    const rules: Rules = { ...RULES, pairs: [{ source: 'FirstName', target: 'age', type: 'integer', policy: 'latest' }] };
    const { state, step } = advance(begin({ rules, sourceId: '1/2', seen: seen(1, { FirstName: 'Kari' }), now: NOW }), NOW);
    assert.equal(step.kind, 'store');
    assert.deepEqual([state.block?.code, state.block?.properties], ['type', ['FirstName']]);
  });

  it('merge is pure: the same state gives the same plan', () => {
    const state = observed(inStep(), 'source', seen(2, { FirstName: 'Eva', LastName: 'Lie' }));
    assert.deepEqual(merge(state), merge(structuredClone(state)));
  });
});
