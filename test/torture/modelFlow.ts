import type { Flow } from '../../flows/flow.ts';
import type { Breaks } from './breaks.ts';
import { PAIRS, type FlowPlan } from './flowPlan.ts';

/** The flow as the product has it. */
export function flowOf(plan: FlowPlan, breaks: Breaks): Flow {
  return {
    name: plan.name,
    source: {
      system: 'powerOffice',
      type: plan.source,
      scope: plan.source === 'Person' ? [{ property: 'IsPerson', equals: true }] : [],
    },
    target: { system: 'crm', type: plan.target, scope: [] },
    relation: plan.relation,
    properties: PAIRS.slice(0, plan.pairs).map((pair, i) => ({
      ...pair,
      type: 'string' as const,
      direction: i === 2 && plan.third === 'toTarget' ? ('toTarget' as const) : ('both' as const),
      when: i === 2 && plan.third === 'vip' ? [{ side: 'source' as const, property: 'Kind', value: 'vip' }] : [],
    })),
    match:
      plan.relation === 'match' || plan.relation === 'merge-or-create' ? [{ source: 'Code', target: 'code', normalise: [] }] : [],
    connected: plan.relation === 'connected' ? [{ type: 'Person', property: 'PersonId' }] : [],
    policy: breaks.has('ask-decides') && plan.policy === 'ask' ? 'latest' : plan.policy,
    onSourceDeleted: breaks.has('partner-deleted') ? 'delete' : plan.onSourceDeleted,
    onTargetDeleted: breaks.has('recreate-deleted') ? 'recreate' : plan.onTargetDeleted,
    create: {},
  };
}
