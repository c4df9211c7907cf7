import assert from 'node:assert/strict';
import { advance } from '../../workflows/core/lifecycle.ts';
import { applyOutcome, type Outcome } from '../../workflows/core/outcome.ts';
import type { LinkState } from '../../workflows/core/state.ts';
import { resetTarget } from '../../workflows/core/transitions.ts';
import { inStep, NOW, observed, seen } from './links.ts';

const source = (version: number, FirstName: string, LastName = 'Lie') => seen(version, { FirstName, LastName });
const target = (version: number, givenName: string, familyName = 'Lie') => seen(version, { givenName, familyName });

describe('a write whose answer was lost', () => {
  /** The CRM's "Eva" was sent to the source; nobody knows whether it arrived. */
  function inDoubt(outcome: Outcome = { kind: 'contended', found: {} }): LinkState {
    const { state, step } = advance(observed(inStep(), 'target', target(2, 'Eva')), NOW);
    assert.ok(step.kind === 'write' && step.side === 'source');
    return applyOutcome(state, { step, outcome: { ...outcome, unanswered: true }, now: NOW });
  }
  /** What is written next, and where; null where nothing is. */
  const next = (state: LinkState): [side: string, values: unknown[]] | null => {
    const { step } = advance(state, NOW);
    return step.kind === 'write' ? [step.side, step.assignments.map(({ value, why }) => [value, why])] : null;
  };

  it('is no edit of the record that shows it: an edit made meanwhile on the other side is carried', () => {
    let state = observed(inDoubt(), 'target', target(3, 'Siri'));
    state = observed(state, 'source', source(2, 'Eva', 'Moe'));
    assert.deepEqual(next(state), ['target', [['Moe', 'edited']]]);
    assert.equal(state.source.base['FirstName'], 'Eva');
    const { step } = advance({ ...state, source: { ...state.source, base: { FirstName: 'Eva', LastName: 'Moe' } } }, NOW);
    assert.ok(step.kind === 'write' && step.side === 'source');
    assert.deepEqual(
      step.assignments.map(({ value, expected, why }) => [value, expected, why]),
      [['Siri', 'Eva', 'edited']],
    );
  });

  it('nor does it undo that the other side took its edit back', () => {
    let state = observed(inDoubt(), 'target', target(3, 'Kari'));
    state = observed(state, 'source', source(2, 'Eva'));
    assert.deepEqual(next(state), ['source', [['Kari', 'edited']]]);
  });

  it('is not waited for: while the old value stands it is sent again, and may still turn up', () => {
    const state = observed(inDoubt(), 'source', source(2, 'Kari', 'Moe'));
    assert.equal(state.source.sent?.length, 1);
    assert.deepEqual(next(state), ['target', [['Moe', 'edited']]]);
  });

  it('is forgotten once anything else stands there, which is an edit', () => {
    let state = observed(inDoubt(), 'source', source(2, 'Ola'));
    assert.equal(state.source.sent, undefined);
    state = observed(state, 'source', source(3, 'Eva'));
    state = observed(state, 'target', target(3, 'Siri'));
    const { step } = advance(state, NOW);
    assert.match(step.kind === 'write' ? String(step.assignments[0]?.why) : step.kind, /^conflict/);
  });

  it('is forgotten once a later write is answered, and with its target', () => {
    const { state, step } = advance(inDoubt(), NOW);
    assert.ok(step.kind === 'write');
    const done = applyOutcome(state, { step, outcome: { kind: 'written', seen: source(2, 'Eva') }, now: NOW });
    assert.equal(done.source.sent, undefined);
    assert.equal(resetTarget(inDoubt(), NOW).source.sent, undefined);
  });

  it('does not stand for an edit of long after', () => {
    const late = seen(2, { FirstName: 'Eva', LastName: 'Lie' }, { at: [NOW + 3_600_000, NOW + 3_600_000] });
    const state = observed(observed(inDoubt(), 'target', target(3, 'Kari')), 'source', late);
    assert.deepEqual(next(state), ['target', [['Eva', 'edited']]]);
  });

  it('shows in the very read that told of it', () => {
    const state = inDoubt({ kind: 'contended', found: { source: source(2, 'Eva'), target: target(3, 'Siri') } });
    assert.deepEqual(next(state), ['source', [['Siri', 'edited']]]);
  });
});
