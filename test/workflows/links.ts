import assert from 'node:assert/strict';
import { advance } from '../../workflows/core/lifecycle.ts';
import { applyOutcome } from '../../workflows/core/outcome.ts';
import { receive } from '../../workflows/core/receive.ts';
import type { LinkState, Observation, Rules } from '../../workflows/core/state.ts';
import { begin } from './begin.ts';

/** The rules of a small flow. */
export const RULES: Rules = {
  hash: 'h',
  names: { source: 'PowerOffice ContactPerson', target: 'CRM Contact' },
  pairs: [
    { source: 'FirstName', target: 'givenName', type: 'string', policy: 'latest' },
    { source: 'LastName', target: 'familyName', type: 'string', policy: 'latest' },
  ],
  onSourceDeleted: 'keep',
  onTargetDeleted: 'keep',
  create: {},
};
export const NOW = 1_000_000;
export const seen = (version: number, values: Observation['values'], more: Partial<Observation> = {}): Observation => ({
  version: String(version).padStart(6, '0'),
  instant: '2026-01-01T00:00:00Z',
  values,
  inScope: true,
  at: [version * 10, version * 10],
  ...more,
});

/** A link in step on Kari Lie, both sides at version 1. */
export function inStep(rules: Rules = RULES): LinkState {
  const fresh = begin({ rules, sourceId: '1/2', seen: seen(1, { FirstName: 'Kari', LastName: 'Lie' }), now: NOW });
  const { state, step } = advance(fresh, NOW);
  assert.equal(step.kind, 'create');
  return applyOutcome(state, {
    step,
    outcome: { kind: 'created', id: 'c1', seen: seen(1, { givenName: 'Kari', familyName: 'Lie' }), adopted: false },
    now: NOW,
  });
}
export const observed = (state: LinkState, side: 'source' | 'target', observation: Observation): LinkState =>
  receive(state, { kind: 'observed', side, id: side === 'source' ? '1/2' : 'c1', seen: observation }, NOW);
