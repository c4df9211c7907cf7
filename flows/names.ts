/** Names that outlive any version of the code: workflow ids, queue, search attributes, messages. */

export const TASK_QUEUE = 'tandem';

/** Search attributes of a link, never encrypted: no personal data in them. */
export const SEARCH_ATTRIBUTES = {
  flow: 'TandemFlow',
  status: 'TandemStatus',
  sourceId: 'TandemSourceId',
  targetId: 'TandemTargetId',
} as const;

/** `link:<flow>:<source id>`: a second workflow for one source record cannot exist. */
export const linkWorkflowId = (flow: string, sourceId: string): string => `link:${flow}:${sourceId}`;

export const feedWorkflowId = (system: string, type: string): string => `feed:${system}:${type}`;

/** The store's key of a link. */
export const linkKey = (flow: string, sourceId: string): string => `${flow}:${sourceId}`;

/** Messages that a link workflow takes. */
export const MESSAGES = {
  observed: 'observed',
  vanished: 'vanished',
  steer: 'steer',
  settled: 'settled',
  state: 'state',
} as const;

/** Workflow types. */
export const WORKFLOWS = { link: 'link', feed: 'feed' } as const;

const POWEROFFICE = 'PowerOffice';
const CRM = 'CRM';

/** A system's name as people write it. */
export const systemTitle = (system: string): string => (system === 'powerOffice' ? POWEROFFICE : CRM);
