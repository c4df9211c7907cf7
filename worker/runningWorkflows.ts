import { SEARCH_ATTRIBUTES, WORKFLOWS } from '../flows/names.ts';

/** What the namespace lists of an installation's running workflows of a type; `more`: conditions besides. */
export const runningOf = (type: keyof typeof WORKFLOWS, queue: string, ...more: readonly string[]): string =>
  [`WorkflowType = '${WORKFLOWS[type]}'`, `TaskQueue = '${queue}'`, `ExecutionStatus = 'Running'`, ...more].join(' AND ');

/** Limits a list to the links of a flow, or to those with a status; a quote in the value ends no text. */
export const limitedTo = (what: 'flow' | 'status', value: string): string =>
  `${SEARCH_ATTRIBUTES[what]} = '${value.replaceAll("'", "''")}'`;

/** Limits a list to workflows whose history began before. */
export const begunBefore = (at: Date): string => `StartTime < '${at.toISOString()}'`;
