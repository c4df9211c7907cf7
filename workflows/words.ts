import { SIDES } from '../flows/side.ts';
import type { Step } from './core/step.ts';
import type { LinkState } from './core/state.ts';

const instant = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** What the pair is: "PowerOffice ContactPerson 12/345 <-> CRM Contact 77". Ids alone, no values. */
function pairInWords(state: LinkState): string {
  return SIDES.map((side) => `${state.rules.names[side]} ${state[side].id ?? '(none yet)'}`).join(' <-> ');
}

/** The memo, which lists of workflows show: what the pair is, and how it stands. */
export function memoInWords(state: LinkState): { readonly pair: string; readonly status: string } {
  return { pair: pairInWords(state), status: state.ended ? `${state.status}: ${state.ended}` : state.status };
}

function statusInWords(state: LinkState): string {
  const since = instant(state.statusAt);
  switch (state.status) {
    case 'linking':
      if (state.block?.code === 'unmatched') return `waiting since ${since} for a ${state.rules.names.target} that matches`;
      if (state.block?.code === 'unconnected') return `waiting since ${since} until a record that it refers to is linked`;
      return `linking since ${since}`;
    case 'in-step':
      return `in step since ${since}`;
    case 'conflict':
      return `conflict since ${since} on ${state.conflicts.join(', ')}: both sides were edited; decide with \`tandem resolve\``;
    case 'blocked':
      if (state.block?.code === 'held')
        return `held back since ${since}: very many records of ${state.flow} would be ended, deleted, created anew, blanked or made equal within an hour. If that is right: \`tandem approve ${state.flow}\`, else \`tandem withdraw ${state.flow}\``;
      if (state.block?.code === 'unplanned')
        return `held back since ${since}: not in the plan that the worker applies; a start without --apply-plan lets it go on`;
      if (state.block?.code === 'not-configured')
        return `waiting since ${since}: no worker has the flow ${state.flow}, which was taken out of the configuration`;
      if (state.block?.code === 'partner-gone')
        return `blocked since ${since}: the ${state.rules.names.source} was believed gone and is there after all, but its ${state.rules.names.target} is gone. \`tandem retry\` looks again; \`tandem unlink\` and \`tandem relink\` create it anew`;
      return state.block
        ? `blocked since ${since}: ${state.rules.names[state.block.side]} refused (${state.block.code})${state.block.properties.length > 0 ? `, ${state.block.properties.join(', ')}` : ''}; its own text: \`tandem show\`. Tried again on the next edit, on request and once a day`
        : `blocked since ${since}`;
    case 'paused':
      if (state.block?.code === 'flow-paused')
        return `waiting since ${since}: ${state.flow}, or one of its systems, is paused; \`tandem resume\` lets it go on`;
      return `paused since ${since}; edits made meanwhile arrive after \`tandem resume\``;
    case 'ended':
      return `ended since ${since}: ${state.ended}`;
  }
}

/** A record that direct reads miss, for now. */
function missingInWords(state: LinkState): string {
  const side = SIDES.find((each) => state[each].gone?.since !== undefined);
  if (side === undefined || state.ended !== null) return '';
  const { since = 0, nextAt } = state[side].gone ?? { nextAt: 0 };
  return `; the ${state.rules.names[side]} is not found since ${instant(since)}, it is looked for again at ${instant(nextAt)}`;
}

/** What the Temporal UI shows as current details: status, and what happened last. */
export function detailsInWords(state: LinkState): string {
  const last = state.last ? `; last change: ${state.last.what}, at ${instant(state.last.at)}` : '';
  return `${pairInWords(state)}\n\n${statusInWords(state)}${missingInWords(state)}${last}.`;
}

/** An activity's summary, so that a history reads as what happened. */
export function stepInWords(state: LinkState, step: Step): string {
  const { names } = state.rules;
  switch (step.kind) {
    case 'create':
      return `create the ${names.target}`;
    case 'write':
      return `write ${step.assignments.map((each) => each.property).join(', ')} to ${names[step.side]}${step.assignments.some((each) => each.why !== 'edited') ? ' (after a conflict)' : ''}`;
    case 'remove':
      return `delete the ${names[step.side]}`;
    case 'read':
      return `read ${step.sides.map((side) => names[side]).join(' and ')}`;
    case 'confirm':
      return `is the ${names[step.side]} gone?`;
    case 'store':
      return `store: ${state.ended ?? state.status}`;
    case 'wait':
    case 'close':
      return step.kind;
  }
}
