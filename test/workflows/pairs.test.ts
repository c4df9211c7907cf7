import assert from 'node:assert/strict';
import { advance } from '../../workflows/core/lifecycle.ts';
import { changeRules, observe } from '../../workflows/core/observe.ts';
import { applyOutcome } from '../../workflows/core/outcome.ts';
import { receive } from '../../workflows/core/receive.ts';
import type { LinkState, Observation, Rules } from '../../workflows/core/state.ts';
import { rebase } from '../../workflows/core/transitions.ts';
import { begin } from './begin.ts';
import type { Values } from '../../flows/values.ts';

const NOW = 1_000_000;
type Pair = Rules['pairs'][number];

const rulesOf = (...pairs: (Partial<Pair> & { source: string; target: string })[]): Rules => ({
  hash: 'h',
  names: { source: 'PowerOffice Customer', target: 'CRM Contact' },
  pairs: pairs.map((pair) => ({ type: 'string', policy: 'latest', ...pair })),
  onSourceDeleted: 'keep',
  onTargetDeleted: 'keep',
  create: {},
});
const seen = (version: number, values: Values): Observation => ({
  version: String(version).padStart(6, '0'),
  instant: '2026-01-01T00:00:00Z',
  values,
  inScope: true,
  at: [version * 10, version * 10],
});

/** A link whose target was just created and shows these values. */
function created(rules: Rules, source: Values, target: Values): LinkState {
  const { state, step } = advance(begin({ rules, sourceId: '1', seen: seen(1, source), now: NOW }), NOW);
  assert.equal(step.kind, 'create');
  return applyOutcome(state, { step, outcome: { kind: 'created', id: 'c1', seen: seen(1, target), adopted: false }, now: NOW });
}
const observed = (state: LinkState, side: 'source' | 'target', news: Observation): LinkState =>
  receive(state, { kind: 'observed', side, id: side === 'source' ? '1' : 'c1', seen: news }, NOW);

function writes(state: LinkState): unknown {
  const { step } = advance(state, NOW);
  return step.kind === 'write' ? [step.side, ...step.assignments.map(({ property, value }) => [property, value])] : step.kind;
}

describe('pairs of properties', () => {
  it('a pair that one side alone writes goes that way, and puts back what the other side does', () => {
    const rules = rulesOf({ source: 'a', target: 'x', direction: 'toTarget' });
    const state = created(rules, { a: '1' }, { x: '1' });
    assert.deepEqual(writes(observed(state, 'source', seen(2, { a: '2' }))), ['target', ['x', '2']]);
    assert.deepEqual(writes(observed(state, 'target', seen(2, { x: '9' }))), ['target', ['x', '1']]);
  });

  it('several sources of one target: the writer writes, the others follow', () => {
    const rules = rulesOf({ source: 'a', target: 'x' }, { source: 'b', target: 'x', direction: 'toSource' });
    const { step } = advance(begin({ rules, sourceId: '1', seen: seen(1, { a: '1', b: '7' }), now: NOW }), NOW);
    assert.deepEqual(step.kind === 'create' && step.values, { x: '1' });
    assert.deepEqual(writes(created(rules, { a: '1', b: '7' }, { x: '1' })), ['source', ['b', '1']]);
  });

  it('a pair that depends on another property holds while that has its text', () => {
    const rules = rulesOf({ source: 'a', target: 'x', when: [{ side: 'source', property: 'kind', value: 'home' }] });
    const other = created(rules, { a: '1', kind: 'work' }, { x: null });
    assert.equal(writes(other), 'wait');
    assert.equal(writes(observed(other, 'source', seen(2, { a: '2', kind: 'work' }))), 'wait');
    assert.deepEqual(writes(observed(other, 'source', seen(2, { a: '2', kind: 'home' }))), ['target', ['x', '2']]);
  });

  it('a pair that comes to hold is carried, although both sides stand as they did when the target was made', () => {
    const rules = rulesOf({ source: 'a', target: 'x', when: [{ side: 'source', property: 'kind', value: 'home' }] });
    const made = created(rules, { a: '1', kind: 'work' }, { x: null });
    assert.deepEqual(writes(observed(made, 'source', seen(2, { a: '1', kind: 'home' }))), ['target', ['x', '1']]);
  });

  for (const policy of ['source', 'target', 'latest', 'ask'] as const)
    it(`a pair that is added fills the side that has no value, whatever the policy (${policy})`, () => {
      const rules = rulesOf({ source: 'a', target: 'x' });
      const more = { ...rulesOf({ source: 'a', target: 'x' }, { source: 'b', target: 'y', policy }), hash: 'more' };
      const added = (source: Observation, target: Observation): LinkState => {
        let state = changeRules(created(rules, { a: '1' }, { x: '1' }), more);
        state = observe(state, { side: 'source', seen: source, direct: true });
        return observe(state, { side: 'target', seen: target, direct: true });
      };
      // The side without a value was edited later, elsewhere.
      const toTarget = added(seen(2, { a: '1', b: '7' }), seen(9, { x: '1', y: null }));
      assert.deepEqual(writes(toTarget), ['target', ['y', '7']]);
      assert.deepEqual(writes(added(seen(9, { a: '1', b: '' }), seen(2, { x: '1', y: '7' }))), ['source', ['b', '7']]);
      // Once it was agreed, no value is a value as any other.
      const agreed = rebase(rebase(toTarget, { side: 'source', property: 'b', value: '7' }), {
        side: 'target',
        property: 'y',
        value: '7',
      });
      assert.deepEqual(writes(agreed), ['source', ['b', null]]);
    });

  it('a value goes back in the type of the source, and two forms of one decimal are equal', () => {
    const number = rulesOf({ source: 'a', target: 'x', type: 'string', back: 'integer' });
    assert.deepEqual(writes(observed(created(number, { a: 5 }, { x: '5' }), 'target', seen(2, { x: '12' }))), [
      'source',
      ['a', 12],
    ]);
    const decimal = rulesOf({ source: 'a', target: 'x', type: 'decimal' });
    assert.equal(writes(observed(created(decimal, { a: '1.5' }, { x: '1.5' }), 'target', seen(2, { x: '1.50' }))), 'store');
  });

  it('the first of a list goes back without the rest being lost', () => {
    const rules = rulesOf({ source: 'a', target: 'x', type: 'first', back: 'list' });
    const state = created(rules, { a: ['one', 'two'] }, { x: 'one' });
    assert.deepEqual(writes(observed(state, 'target', seen(2, { x: 'uno' }))), ['source', ['a', ['uno', 'two']]]);
  });

  it('what matched is merged: a value on one side fills the other, differing ones go by policy', () => {
    const rules = rulesOf(
      { source: 'a', target: 'x' },
      { source: 'b', target: 'y' },
      { source: 'c', target: 'z', policy: 'target' },
    );
    const { state, step } = advance(begin({ rules, sourceId: '1', seen: seen(9, { a: 'A', b: null, c: 'C' }), now: NOW }), NOW);
    const matched = applyOutcome(state, {
      step,
      outcome: { kind: 'created', id: 'c1', seen: seen(1, { x: null, y: 'Y', z: 'Z' }), adopted: true, matched: true },
      now: NOW,
    });
    assert.equal(matched.status, 'linking');
    const first = advance(matched, NOW);
    assert.ok(first.step.kind === 'write' && first.step.side === 'target');
    assert.deepEqual(
      first.step.assignments.map(({ property, value }) => [property, value]),
      [['x', 'A']],
    );
    const next = applyOutcome(first.state, {
      step: first.step,
      outcome: { kind: 'written', seen: seen(2, { x: 'A', y: 'Y', z: 'Z' }) },
      now: NOW,
    });
    assert.deepEqual(writes(next), ['source', ['b', 'Y'], ['c', 'Z']]);
  });

  it('a record of ours that was found late says nothing of what the source is now', () => {
    const rules = rulesOf({ source: 'a', target: 'x' });
    const { state, step } = advance(begin({ rules, sourceId: '1', seen: seen(9, { a: 'new' }), now: NOW }), NOW);
    const found = applyOutcome(state, {
      step,
      outcome: { kind: 'created', id: 'c1', seen: seen(1, { x: 'old' }), adopted: false, found: true },
      now: NOW,
    });
    assert.deepEqual(writes(found), ['target', ['x', 'new']]);
  });

  it('a link that waits for a match is neither blocked nor forgotten: a retry looks again', () => {
    const rules = rulesOf({ source: 'a', target: 'x' });
    const { state, step } = advance(begin({ rules, sourceId: '1', seen: seen(1, { a: '1' }), now: NOW }), NOW);
    const waiting = applyOutcome(state, {
      step,
      outcome: { kind: 'refused', side: 'target', code: 'unmatched', properties: [] },
      now: NOW,
    });
    assert.equal(waiting.status, 'linking');
    assert.equal(writes(waiting), 'wait');
    assert.equal(writes(receive(waiting, { kind: 'retry' }, NOW)), 'create');
    const chosen = receive(waiting, { kind: 'link', id: 'c7' }, NOW);
    assert.equal(chosen.chosen, 'c7');
    assert.equal(writes(chosen), 'create');
  });

  it('a worker of an edited flow says by which rules it has read: what these leave out is not empty', () => {
    const wide: Rules = { ...rulesOf({ source: 'a', target: 'x' }, { source: 'b', target: 'y' }), hash: 'wide' };
    const narrow: Rules = { ...rulesOf({ source: 'a', target: 'x' }), hash: 'narrow' };
    const doubted = receive(created(wide, { a: '1', b: '2' }, { x: '1', y: '2' }), { kind: 'sync' }, NOW);
    const { step } = advance(doubted, NOW);
    assert.equal(step.kind, 'read');
    const found = { source: seen(2, { a: '1' }), target: seen(2, { x: '1' }) };
    const state = applyOutcome(doubted, { step, outcome: { kind: 'read', found, rules: narrow }, now: NOW });
    assert.equal(state.rules.hash, 'narrow');
    assert.equal(writes(state), 'store');

    const edited = observed(created(wide, { a: '1', b: '2' }, { x: '1', y: '2' }), 'source', seen(2, { a: '3', b: '2' }));
    const write = advance(edited, NOW).step;
    assert.equal(write.kind, 'write');
    const written = { kind: 'written', seen: seen(2, { x: '3' }), rules: narrow } as const;
    assert.equal(writes(applyOutcome(edited, { step: write, outcome: written, now: NOW })), 'read');
  });
});
