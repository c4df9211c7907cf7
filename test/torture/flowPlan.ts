import type { Flow, Relation } from '../../flows/flow.ts';

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
