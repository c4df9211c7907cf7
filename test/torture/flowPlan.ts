import type { Flow, Relation } from '../../flows/flow.ts';
import type { Random } from './sim.ts';

/** Pairs of properties that flows of a schedule may have. */
export const PAIRS = [
  { source: 'FirstName', target: 'givenName' },
  { source: 'LastName', target: 'familyName' },
  { source: 'Role', target: 'role' },
] as const;

/** A flow as a schedule has it. */
export interface FlowPlan {
  readonly name: string;
  readonly source: 'Person' | 'Supplier' | 'Order';
  readonly target: 'Contact' | 'Company' | 'Deal';
  readonly relation: Extract<Relation, 'create' | 'merge-or-create' | 'match' | 'connected'>;
  readonly policy: Flow['policy'];
  readonly onSourceDeleted: Flow['onSourceDeleted'];
  readonly onTargetDeleted: Flow['onTargetDeleted'];
  /** How many of the pairs it keeps in step. */
  readonly pairs: 1 | 2 | 3;
  /** The third pair: the source alone writes it, or it holds for some records only. */
  readonly third: 'both' | 'toTarget' | 'vip';
  /** When it is added (ms after the start); 0 for one that is there from the beginning. */
  readonly from: number;
}

/** What a schedule is about, besides edits. */
const THEMES = [
  'plain',
  'calm',
  'bulk',
  'outage',
  'chases',
  'steering',
  'matching',
  'flows',
  'lies',
  'sites',
  'deletions',
] as const;
export type Theme = (typeof THEMES)[number];

/** The flows with which a schedule begins. */
export function planFlows(
  random: Random,
  { theme, when }: { readonly theme: Theme; readonly when: () => number },
): readonly FlowPlan[] {
  const deletes = theme === 'deletions' || theme === 'bulk';
  const first: FlowPlan = {
    name: 'f',
    source: 'Person',
    target: 'Contact',
    relation: theme === 'matching' ? random.pick(['merge-or-create', 'match'] as const) : 'create',
    policy:
      theme === 'calm'
        ? 'latest'
        : theme === 'steering' && random.chance(0.5)
          ? 'ask'
          : random.pick(['latest', 'latest', 'source', 'target'] as const),
    onSourceDeleted: deletes ? random.pick(['keep', 'delete'] as const) : 'keep',
    onTargetDeleted: deletes ? random.pick(['keep', 'delete', 'recreate', 'recreate'] as const) : 'keep',
    pairs: theme === 'bulk' ? 2 : random.pick(theme === 'lies' ? ([2, 3, 3] as const) : ([2, 2, 3] as const)),
    third: random.pick(theme === 'lies' ? (['both', 'both', 'vip'] as const) : (['both', 'toTarget', 'vip'] as const)),
    from: 0,
  };
  if (theme !== 'flows' && !(theme === 'plain' && random.chance(0.3))) return [first];
  const from = theme === 'flows' && random.chance(0.4) ? when() : 0;
  const second: FlowPlan = {
    ...first,
    name: 'g',
    onSourceDeleted: 'keep',
    onTargetDeleted: 'keep',
    policy: random.pick(['latest', 'source'] as const),
    from,
    ...random.pick([
      { source: 'Person', target: 'Company', relation: 'create' },
      { source: 'Supplier', target: 'Contact', relation: 'create' },
      { source: 'Order', target: 'Deal', relation: 'connected' },
    ] as const),
  };
  return [first, second];
}
